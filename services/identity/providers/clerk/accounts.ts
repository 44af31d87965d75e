import { z } from 'zod';
import { LatchkeyError } from '../../core/errors.ts';
import type { Json, UserRecord } from '../../core/records.ts';
import type { Accounts } from '../provider.ts';
import { type ClerkAccess, createClerkApi, orNothing } from './api.ts';
import { isOfInstance, theOne } from './lookup.ts';
import { userRecord } from './records.ts';
import { revokeSessions } from './sessions.ts';

const DELETED = z.object({ id: z.string() });

/** What users may do with their account at Clerk, through its Backend API. */
export function clerkAccounts(access: ClerkAccess): Accounts {
  const api = createClerkApi(access);

  /** Of this moment: what is asked for next has not been asked for yet. */
  function readUser(id: string): (answer: Json) => UserRecord {
    const source = { tenant: access.instanceId, toldAt: Date.now() };
    return (answer) => theOne(userRecord(answer, source), id);
  }

  return {
    async read(person) {
      if (!isOfInstance(access, person)) return undefined;
      const { id } = person;
      return orNothing(api.once({ path: ['users', id] }, readUser(id)));
    },
    async change(person, { firstName, lastName, name }) {
      if (name !== undefined) {
        throw new LatchkeyError(
          'request-invalid',
          'Clerk makes the name of first and last name: leave name out, and send first_name and last_name.',
        );
      }
      if (!isOfInstance(access, person)) return undefined;
      const { id } = person;
      const body = {
        ...(firstName !== undefined && { first_name: firstName }),
        ...(lastName !== undefined && { last_name: lastName }),
      };
      return orNothing(api.once({ method: 'PATCH', path: ['users', id], body }, readUser(id)));
    },
    async remove(person) {
      if (!isOfInstance(access, person)) return;
      const { id } = person;
      const read = (answer: Json) => theOne(DELETED.parse(answer), id);
      await orNothing(api.once({ method: 'DELETE', path: ['users', id] }, read));
    },
    async endSessions(person) {
      if (isOfInstance(access, person)) await revokeSessions(api, person.id);
    },
  };
}
