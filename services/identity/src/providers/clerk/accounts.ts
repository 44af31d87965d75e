import { LatchkeyError } from '@latchkey/core/errors';
import { z } from 'zod';
import type { Json, UserRecord } from '#core/records.ts';
import type { Accounts } from '#providers/provider.ts';
import { type ClerkAccess, createClerkApi, orNothing } from './api.ts';
import { pathId } from './client.ts';
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
      return orNothing(api.once(async ({ users }) => (await users.getUser(pathId(id))).raw, readUser(id)));
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
      const fields = {
        ...(firstName !== undefined && { firstName }),
        ...(lastName !== undefined && { lastName }),
      };
      return orNothing(
        api.once(async ({ users }) => (await users.updateUser(pathId(id), fields)).raw, readUser(id)),
      );
    },
    async remove(person) {
      if (!isOfInstance(access, person)) return;
      const { id } = person;
      const read = (answer: Json) => theOne(DELETED.parse(answer), id);
      await orNothing(api.once(async ({ users }) => users.deleteUser(pathId(id)), read));
    },
    async endSessions(person) {
      if (isOfInstance(access, person)) await revokeSessions(api, person.id);
    },
  };
}
