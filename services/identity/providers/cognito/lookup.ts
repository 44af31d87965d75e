import type { Instant } from '../../core/records.ts';
import type { Provider } from '../provider.ts';
import type { CognitoApi } from './api.ts';
import { SEARCH_LAG_MS } from './pool.ts';
import {
  membershipRecord,
  organizationId,
  organizationRecord,
  type PoolConfig,
  userRecord,
} from './records.ts';

/** Reads one user, group or membership of a user pool. */
export function cognitoLookup(
  config: PoolConfig,
  api: CognitoApi,
  now: () => Instant = Date.now,
): Provider['lookup'] {
  const { userPoolId } = config;
  const groupsOfPool = `${userPoolId}/`;

  async function findUser(sub: string) {
    // The search may lag behind, and still show who is gone already; asking for their groups does not.
    const user = await api.findUser({ sub, exact: false });
    if (user === undefined) return undefined;
    const groups = await api.groupsOf(user);
    return groups && { user, groups: groups.map(({ name }) => name) };
  }

  return async (key) => {
    // Whoever is of another pool is asked for there.
    if (key.tenant !== '' && key.tenant !== userPoolId) return undefined;
    const clock = now();
    switch (key.kind) {
      case 'user': {
        const found = await findUser(key.id);
        if (found === undefined) return undefined;
        const { user, groups } = found;
        // What a webhook has brought in meanwhile must not be undone by a search that lags behind.
        const read = user.mayLag ? clock - SEARCH_LAG_MS : clock;
        return userRecord(user, { ...config, groups, clock: read });
      }
      case 'organization': {
        if (!key.id.startsWith(groupsOfPool)) return undefined;
        const group = await api.findGroup(key.id.slice(groupsOfPool.length));
        return group && organizationRecord(userPoolId, group, clock);
      }
      case 'membership': {
        const found = await findUser(key.userId);
        const isIn = found?.groups.some((name) => organizationId(userPoolId, name) === key.organizationId);
        return isIn === true
          ? membershipRecord(userPoolId, { organization: key.organizationId, sub: key.userId }, clock)
          : undefined;
      }
    }
  };
}
