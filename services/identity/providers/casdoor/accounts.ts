import type { CasdoorConfig } from '../../core/config.ts';
import { LatchkeyError } from '../../core/errors.ts';
import type { Instant, UserRecord } from '../../core/records.ts';
import type { Accounts, Known } from '../provider.ts';
import { type CasdoorApi, isRefusal } from './api.ts';
import { casdoorUserFinder } from './lookup.ts';
import { userRecord } from './records.ts';

/** What users may do with their account at Casdoor, through its API. */
export function casdoorAccounts(
  config: Pick<CasdoorConfig, 'organizations'>,
  api: CasdoorApi,
  known: Known,
  now: () => Instant = Date.now,
): Accounts {
  const findUser = casdoorUserFinder(config, api, known);

  async function read(id: string): Promise<UserRecord | undefined> {
    const clock = now();
    const user = await findUser(id);
    return user && userRecord(user, clock);
  }

  return {
    read,
    async change(id, { firstName, lastName, name }) {
      const user = await findUser(id);
      if (user === undefined) return undefined;
      const fields = {
        ...(firstName !== undefined && { firstName }),
        ...(lastName !== undefined && { lastName }),
        ...(name !== undefined && { displayName: name }),
      };
      await api.updateUser(user, fields).catch(notTaken);
      const changed = await read(id);
      const isDone =
        (firstName === undefined || changed?.firstName === firstName) &&
        (lastName === undefined || changed?.lastName === lastName) &&
        (name === undefined || changed?.name === name);
      // Casdoor passes over columns that it does not know, and says that all is well.
      if (changed !== undefined && !isDone) return notTaken();
      return changed;
    },
    async remove(id) {
      const user = await findUser(id);
      if (user === undefined) return;
      await api.deleteUser(user).catch(notTaken);
      if ((await findUser(id)) !== undefined) notTaken();
    },
  };
}

function notTaken(error?: unknown): never {
  if (error !== undefined && !isRefusal(error)) throw error;
  throw new LatchkeyError(
    'request-invalid',
    'Casdoor does not take this: its organization’s Account items may forbid it.',
    { cause: error },
  );
}
