import type { IdentityRecord, Instant, RecordKey } from '#core/records.ts';
import type { Directory } from '#providers/provider.ts';
import type { FoundUser } from './api.ts';
import { keepsGroup, keepsUser, SEARCH_LAG_MS } from './pool.ts';
import { type Pool, poolsOf } from './pools.ts';
import { membershipRecord, organizationId, organizationRecord, userRecord } from './records.ts';

/** Reads one user, group or membership of the pool that it is of. */
export function cognitoLookup(pools: readonly Pool[], now: () => Instant = Date.now): Directory['lookup'] {
  return async (key) => {
    // Whoever is of another pool is asked for there.
    for (const pool of poolsOf(pools, key.tenant)) {
      const found = await lookUp(pool, key, now);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

async function lookUp(pool: Pool, key: RecordKey, now: () => Instant): Promise<IdentityRecord | undefined> {
  const { config, patientApi: api } = pool;
  const { userPoolId } = config;
  const groupsOfPool = `${userPoolId}/`;
  const clock = now();
  switch (key.kind) {
    case 'user': {
      const found = await findUser(pool, key.id, false);
      if (found === undefined) return undefined;
      const { user, groups } = found;
      // What a webhook has brought in meanwhile must not be undone by a search that lags behind.
      return userRecord(user, { groups, clock: user.mayLag ? clock - SEARCH_LAG_MS : clock }, config);
    }
    case 'organization': {
      const name = key.id.startsWith(groupsOfPool) ? key.id.slice(groupsOfPool.length) : undefined;
      const group = name !== undefined && keepsGroup(config, name) ? await api.findGroup(name) : undefined;
      return group && organizationRecord(userPoolId, group, clock);
    }
    case 'membership': {
      if (!key.organizationId.startsWith(groupsOfPool)) return undefined;
      const found = await findUser(pool, key.userId, false);
      const isIn = found?.groups.some((name) => organizationId(userPoolId, name) === key.organizationId);
      return isIn === true
        ? membershipRecord(userPoolId, { organization: key.organizationId, sub: key.userId }, clock)
        : undefined;
    }
  }
}

async function findUser(
  pool: Pool,
  sub: string,
  exact: boolean,
): Promise<{ user: FoundUser; groups: readonly string[] } | undefined> {
  const { config, patientApi: api } = pool;
  const user = await api.findUser({ sub, exact });
  if (user === undefined) return undefined;
  if (!keepsUser(config, user)) {
    // Who has just confirmed their sign-up is unconfirmed to the search for a while.
    return user.mayLag ? findUser(pool, sub, true) : undefined;
  }
  // The search may also still show who is gone already; asking for their groups does not.
  const groups = await api.groupsOf(user);
  const names = groups?.flatMap(({ name }) => (keepsGroup(config, name) ? [name] : []));
  return names && { user, groups: names };
}
