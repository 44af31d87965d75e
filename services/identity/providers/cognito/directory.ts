import { z } from 'zod';
import type { Instant } from '../../core/records.ts';
import { readCursor } from '../cursor.ts';
import type { Directory, DirectoryPage } from '../provider.ts';
import type { CognitoApi } from './api.ts';
import { SEARCH_LAG_MS } from './pool.ts';
import {
  membershipRecord,
  organizationId,
  organizationRecord,
  type PoolConfig,
  userRecord,
} from './records.ts';

/** As many memberships as a page of the other providers holds. */
const PAGE_OF_MEMBERSHIPS = 500;

const CURSOR = z.discriminatedUnion('part', [
  z.object({ part: z.literal('users'), start: z.string().optional() }),
  z.object({ part: z.literal('memberships') }),
]);
type Cursor = z.infer<typeof CURSOR>;

/**
 * Everybody in a user pool, and its groups.
 *
 * Cognito lists users without their groups, so who is in which group is read first, whole, and again
 * when a run is resumed. It is held in memory: some 100 bytes for each membership.
 */
export function cognitoDirectory(
  config: PoolConfig,
  api: CognitoApi,
  now: () => Instant = Date.now,
): Directory {
  const { userPoolId } = config;
  async function readMemberships(
    names: readonly string[],
    signal?: AbortSignal,
  ): Promise<Map<string, string[]>> {
    const groupsOf = new Map<string, string[]>();
    for (const name of names) {
      for await (const users of api.usersIn(name, signal)) {
        for (const { attributes } of users) {
          if (attributes.sub === undefined) continue;
          const groups = groupsOf.get(attributes.sub);
          if (groups === undefined) groupsOf.set(attributes.sub, [name]);
          else groups.push(name);
        }
      }
    }
    return groupsOf;
  }

  return {
    async *pages({ cursor, signal } = {}): AsyncGenerator<DirectoryPage> {
      const at: Cursor = cursor === undefined ? { part: 'users' } : readCursor(CURSOR, cursor, 'Cognito');
      // A user's record holds their groups, which are read before the user is: this instant covers both.
      // What a webhook brings in meanwhile must not be undone by a listing that lags behind.
      const clock = now() - SEARCH_LAG_MS;
      const names: string[] = [];
      for await (const groups of api.groups(signal)) {
        names.push(...groups.map(({ name }) => name));
        yield {
          records: groups.map((group) => organizationRecord(userPoolId, group, clock)),
          cursor: JSON.stringify(at),
        };
      }
      const groupsOf = await readMemberships(names, signal);

      if (at.part === 'users') {
        for await (const { users, next } of api.users({ start: at.start, signal })) {
          const records = users.flatMap((user) => {
            const groups = groupsOf.get(user.attributes.sub ?? '') ?? [];
            return userRecord(user, { ...config, groups, clock }) ?? [];
          });
          const after: Cursor = next === undefined ? { part: 'memberships' } : { part: 'users', start: next };
          yield { records, cursor: JSON.stringify(after) };
        }
      }

      const memberships = [...groupsOf].flatMap(([sub, groups]) =>
        groups.map((group) =>
          membershipRecord(userPoolId, { organization: organizationId(userPoolId, group), sub }, clock),
        ),
      );
      for (let from = 0; from < memberships.length; from += PAGE_OF_MEMBERSHIPS) {
        yield {
          records: memberships.slice(from, from + PAGE_OF_MEMBERSHIPS),
          // Groups change between two runs, so a position in their list would mean nothing later.
          cursor: JSON.stringify({ part: 'memberships' } satisfies Cursor),
        };
      }
    },

    clock: 'reading',
    tenants: [userPoolId],

    // Nothing tells how many memberships there are.
    total: (signal) => api.countUsers(signal),
  };
}
