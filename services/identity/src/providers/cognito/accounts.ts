import type { Instant, Person, UserRecord } from '#core/records.ts';
import type { Accounts } from '#providers/provider.ts';
import type { FoundUser } from './api.ts';
import { keepsGroup, keepsUser } from './pool.ts';
import { type Pool, poolsOf } from './pools.ts';
import { userRecord } from './records.ts';

interface FoundAt {
  readonly pool: Pool;
  readonly user: FoundUser;
}

/** What users may do with their account in the user pool that they are of. */
export function cognitoAccounts(pools: readonly Pool[], now: () => Instant = Date.now): Accounts {
  /** @returns undefined too where the pool is not known and several have such a user */
  async function find({ tenant, id: sub }: Person): Promise<FoundAt | undefined> {
    const found = await Promise.all(
      poolsOf(pools, tenant).map(async (pool) => {
        // The search lags behind, and these are asked for right after a change.
        const user = await pool.api.findUser({ sub, exact: true });
        return user === undefined ? [] : [{ pool, user }];
      }),
    );
    const [only, ...others] = found.flat();
    return others.length === 0 ? only : undefined;
  }

  async function read(person: Person): Promise<UserRecord | undefined> {
    const clock = now();
    const found = await find(person);
    if (found === undefined) return undefined;
    const { pool, user } = found;
    const groups = keepsUser(pool.config, user) ? await pool.api.groupsOf(user) : undefined;
    const names = groups?.flatMap(({ name }) => (keepsGroup(pool.config, name) ? [name] : []));
    return names && userRecord(user, { groups: names, clock }, pool.config);
  }

  return {
    read,
    async change(person, { firstName, lastName, name }) {
      const found = await find(person);
      if (found === undefined) return undefined;
      await found.pool.api.updateUser(found.user, {
        ...(firstName !== undefined && { given_name: firstName }),
        ...(lastName !== undefined && { family_name: lastName }),
        ...(name !== undefined && { name }),
      });
      return read({ ...person, tenant: found.pool.config.userPoolId });
    },
    async remove(person) {
      const found = await find(person);
      await found?.pool.api.deleteUser(found.user);
    },
    async endSessions(person) {
      const found = await find(person);
      await found?.pool.api.signOutUser(found.user);
    },
  };
}
