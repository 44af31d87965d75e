import { LatchkeyError } from '../../core/errors.ts';
import type { Accounts } from '../provider.ts';
import { type ClerkAccess, connect, orNothing, promptly } from './api.ts';
import { userRecord } from './records.ts';

/** What users may do with their account at Clerk, through its Backend API. */
export function clerkAccounts(access: ClerkAccess): Accounts {
  const sourceNow = () => ({ tenant: access.instanceId, toldAt: Date.now() });
  return {
    async read({ id }) {
      const clerk = await connect(access);
      const source = sourceNow();
      const user = await promptly(() => orNothing(clerk.users.getUser(id)));
      return user && userRecord(user.raw, source);
    },
    async change({ id }, { firstName, lastName, name }) {
      if (name !== undefined) {
        throw new LatchkeyError(
          'request-invalid',
          'Clerk makes the name of first and last name: leave name out, and send first_name and last_name.',
        );
      }
      const clerk = await connect(access);
      const fields = {
        ...(firstName !== undefined && { firstName }),
        ...(lastName !== undefined && { lastName }),
      };
      const source = sourceNow();
      const user = await promptly(() => orNothing(clerk.users.updateUser(id, fields)));
      return user && userRecord(user.raw, source);
    },
    async remove({ id }) {
      const clerk = await connect(access);
      await promptly(() => orNothing(clerk.users.deleteUser(id)));
    },
  };
}
