import type { CasdoorConfig } from '../../core/config.ts';
import { LatchkeyError } from '../../core/errors.ts';
import type { Instant, Person, UserRecord } from '../../core/records.ts';
import type { Accounts } from '../provider.ts';
import { type CasdoorApi, type CasdoorUser, isRefusal } from './api.ts';
import { casdoorUserFinder, isKept } from './lookup.ts';
import { userRecord } from './records.ts';

/** What users may do with their account at Casdoor, through its API. */
export function casdoorAccounts(
  config: Pick<CasdoorConfig, 'organizations'>,
  api: CasdoorApi,
  now: () => Instant = Date.now,
): Accounts {
  const findUser = casdoorUserFinder(api);

  async function find({ tenant: owner, id: userId }: Person): Promise<CasdoorUser | undefined> {
    return owner !== '' && isKept(config, owner) ? findUser({ owner, userId }) : undefined;
  }

  async function read(person: Person): Promise<UserRecord | undefined> {
    const clock = now();
    const user = await find(person);
    return user && userRecord(user, clock);
  }

  return {
    read,
    async change(person, { firstName, lastName, name }) {
      const user = await find(person);
      if (user === undefined) return undefined;
      const fields = {
        ...(firstName !== undefined && { firstName }),
        ...(lastName !== undefined && { lastName }),
        ...(name !== undefined && { displayName: name }),
      };
      await api.updateUser(user, fields).catch(notTaken);
      const changed = await read(person);
      const isDone =
        (firstName === undefined || changed?.firstName === firstName) &&
        (lastName === undefined || changed?.lastName === lastName) &&
        (name === undefined || changed?.name === name);
      // Casdoor passes over columns that it does not know, and says that all is well.
      if (changed !== undefined && !isDone) return notTaken();
      return changed;
    },
    async remove(person) {
      const user = await find(person);
      if (user === undefined) return;
      await api.deleteUser(user).catch(notTaken);
      if ((await find(person)) !== undefined) notTaken();
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
