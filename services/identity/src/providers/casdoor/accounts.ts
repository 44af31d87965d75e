import { setTimeout as sleep } from 'node:timers/promises';
import { LatchkeyError } from '@latchkey/core/errors';
import type { Instant, Person, UserRecord } from '#core/records.ts';
import type { Accounts, ProfileChange } from '#providers/provider.ts';
import { checkAccountItems } from './account-items.ts';
import { type CasdoorApi, isRefusal } from './api.ts';
import { casdoorUserFinder, isKept } from './lookup.ts';
import { SHARED_ID_FIX } from './read-users.ts';
import { userRecord } from './records.ts';
import type { CasdoorConfig } from './settings.ts';
import type { CasdoorUser } from './shapes.ts';

/** Between the attempts to let somebody in again, in milliseconds. */
const LET_IN_WAITS_MS = [0, 250, 500, 1_000, 2_000, 4_000];

/** What users may do with their account at Casdoor, through its API. */
export function casdoorAccounts(
  config: Pick<CasdoorConfig, 'organizations' | 'properties'>,
  api: CasdoorApi,
  now: () => Instant = Date.now,
): Required<Accounts> {
  const findUser = casdoorUserFinder(api);

  /** @throws LatchkeyError `request-invalid` where two users of the organization have this id */
  async function find({ tenant, id: userId }: Person): Promise<CasdoorUser | undefined> {
    // Of whom it is not known, and who has no row yet, it can only be the one organization that there is.
    const [only = '', ...others] = config.organizations;
    const owner = tenant === '' && others.length === 0 ? only : tenant;
    if (owner === '' || !isKept(config, owner)) return undefined;
    const [user, namesakes] = await Promise.all([
      findUser({ owner, userId }),
      api.usersWithId(owner, userId).catch(noneIfRefused),
    ]);
    if (namesakes.length > 1) {
      throw new LatchkeyError(
        'request-invalid',
        `This account’s id is also that of another user of ${owner} at Casdoor: ${SHARED_ID_FIX}.`,
      );
    }
    return user;
  }

  async function read(person: Person): Promise<UserRecord | undefined> {
    const clock = now();
    const user = await find(person);
    return user && userRecord(config, user, clock);
  }

  return {
    read,
    async change(person, change) {
      const user = await find(person);
      if (user === undefined) return undefined;
      // The API takes from its clients what the organization does not let users change.
      checkAccountItems(user.owner, await api.findOrganization(user.owner), change);
      await api.updateUser(user, fieldsOf(change)).catch(notTaken);
      const changed = await read(person);
      const isDone =
        changed !== undefined &&
        (['firstName', 'lastName', 'name'] as const).every(
          (field) => change[field] === undefined || changed[field] === change[field],
        );
      // Casdoor passes over columns that it does not know, and says that all is well.
      if (changed !== undefined && !isDone) return notTaken();
      return changed;
    },
    async remove(person) {
      const user = await find(person);
      if (user === undefined) return;
      await api.deleteUser(user).catch(notTaken);
      const left = await find(person);
      if (left !== undefined && !left.isDeleted) notTaken();
    },
    async endSessions(person) {
      const user = await find(person);
      // Whoever is kept out already has no session.
      if (user === undefined || user.isForbidden || user.isDeleted) return;
      // All tokens and sessions of a user end when they are forbidden, and by no call that is meant for it.
      await api.updateUser(user, { isForbidden: true }).catch(notTaken);
      await letIn({ ...user, isForbidden: true });
    },
  };

  /** Whoever wanted to be signed out must be able to sign in again. */
  async function letIn(user: CasdoorUser): Promise<void> {
    let last: unknown;
    for (const wait of LET_IN_WAITS_MS) {
      await sleep(wait);
      try {
        await api.updateUser(user, { isForbidden: false });
        return;
      } catch (error) {
        last = error;
      }
    }
    throw new LatchkeyError(
      'provider-unreachable',
      `The sessions of user ${user.id} have ended, and Casdoor does not let them in again: switch Is forbidden off on their page.`,
      { cause: last },
    );
  }
}

function fieldsOf({ firstName, lastName, name }: ProfileChange): Record<string, string> {
  return {
    ...(firstName !== undefined && { firstName }),
    ...(lastName !== undefined && { lastName }),
    ...(name !== undefined && { displayName: name }),
  };
}

/** The users of a deleted organization are none. */
function noneIfRefused(error: unknown): readonly CasdoorUser[] {
  if (!isRefusal(error)) throw error;
  return [];
}

function notTaken(error?: unknown): never {
  if (error !== undefined && !isRefusal(error)) throw error;
  throw new LatchkeyError(
    'request-invalid',
    'Casdoor does not take this: its organization’s Account items may forbid it, or ask for another form.',
    { cause: error },
  );
}
