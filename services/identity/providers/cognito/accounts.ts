import type { Instant, Person, UserRecord } from '../../core/records.ts';
import type { Accounts } from '../provider.ts';
import type { CognitoApi } from './api.ts';
import { type PoolConfig, userRecord } from './records.ts';

/** What users may do with their account in a user pool. */
export function cognitoAccounts(
  config: PoolConfig,
  api: CognitoApi,
  now: () => Instant = Date.now,
): Accounts {
  // The search lags behind, and these are asked for right after a change.
  const findUser = (sub: string) => api.findUser({ sub, exact: true });

  async function read({ id: sub }: Pick<Person, 'id'>): Promise<UserRecord | undefined> {
    const clock = now();
    const user = await findUser(sub);
    const groups = user && (await api.groupsOf(user));
    if (user === undefined || groups === undefined) return undefined;
    return userRecord(user, { ...config, groups: groups.map(({ name }) => name), clock });
  }

  return {
    read,
    async change({ id: sub }, { firstName, lastName, name }) {
      const user = await findUser(sub);
      if (user === undefined) return undefined;
      await api.updateUser(user, {
        ...(firstName !== undefined && { given_name: firstName }),
        ...(lastName !== undefined && { family_name: lastName }),
        ...(name !== undefined && { name }),
      });
      return read({ id: sub });
    },
    async remove({ id: sub }) {
      const user = await findUser(sub);
      if (user !== undefined) await api.deleteUser(user);
    },
  };
}
