import { LatchkeyError } from '@latchkey/core/errors';
import { z } from 'zod';
import type { Instant } from '#core/records.ts';
import { readCursor } from '#providers/cursor.ts';
import type { DirectoryPage, Listing, UnreadableItem } from '#providers/provider.ts';
import { keepsGroup, keepsUser, SEARCH_LAG_MS } from './pool.ts';
import type { Pool } from './pools.ts';
import { membershipRecord, organizationId, organizationRecord, userRecord } from './records.ts';

/** As many memberships as a page of the other providers holds. */
const PAGE_OF_MEMBERSHIPS = 500;

const PLACE = z.discriminatedUnion('part', [
  z.object({ part: z.literal('users'), start: z.string().optional() }),
  z.object({ part: z.literal('memberships') }),
]);
type Place = z.infer<typeof PLACE>;
/** `pools` are all that are listed, in their order: of others the listing would not be whole. */
const CURSOR = z.object({ pools: z.array(z.string()), pool: z.string(), at: PLACE });

/**
 * Everybody in the user pools, and their groups: one pool after the other.
 *
 * Cognito lists users without their groups, so who is in which group of a pool is read first, whole, and
 * again when a run is resumed. It is held in memory: some 100 bytes for each membership.
 */
export function cognitoListing(pools: readonly Pool[], now: () => Instant = Date.now): Listing {
  const ids = pools.map(({ config }) => config.userPoolId);

  /** @returns the pools from there on, and where to begin in the first of them */
  function startAt(cursor: string | undefined): { rest: readonly Pool[]; at: Place } {
    const place: Place = { part: 'users' };
    if (cursor === undefined) return { rest: pools, at: place };
    const { pools: listed, pool, at } = readCursor(CURSOR, cursor, 'Cognito');
    const index = ids.indexOf(pool);
    if (index === -1 || listed.join() !== ids.join()) {
      throw new LatchkeyError(
        'request-invalid',
        'The cursor is of a listing of other user pools: start again without it.',
      );
    }
    return { rest: pools.slice(index), at };
  }

  return {
    async *pages({ cursor, signal } = {}) {
      const { rest, at } = startAt(cursor);
      for (const [index, pool] of rest.entries()) {
        yield* pagesOf(pool, { at: index === 0 ? at : { part: 'users' }, now, signal, pools: ids });
      }
    },

    clock: 'reading',
    tenants: ids,

    // Nothing tells how many memberships there are.
    async total(signal) {
      const counts = await Promise.all(pools.map(({ patientApi }) => patientApi.countUsers(signal)));
      return counts.reduce((sum, count) => sum + count, 0);
    },
  };
}

interface PoolWalk {
  readonly at: Place;
  readonly now: () => Instant;
  readonly pools: readonly string[];
  readonly signal: AbortSignal | undefined;
}

async function* pagesOf(pool: Pool, { at, now, pools, signal }: PoolWalk): AsyncGenerator<DirectoryPage> {
  const { config, patientApi: api } = pool;
  const { userPoolId } = config;
  const cursor = (place: Place): string =>
    JSON.stringify({ pools: [...pools], pool: userPoolId, at: place } satisfies z.infer<typeof CURSOR>);
  // A user's record holds their groups, which are read before the user is: this instant covers both.
  // What a webhook brings in meanwhile must not be undone by a listing that lags behind.
  const clock = now() - SEARCH_LAG_MS;
  const names: string[] = [];
  for await (const { items, unreadable } of api.groups(signal)) {
    const groups = items.filter(({ name }) => keepsGroup(config, name));
    names.push(...groups.map(({ name }) => name));
    yield {
      records: groups.map((group) => organizationRecord(userPoolId, group, clock)),
      unreadable,
      cursor: cursor(at),
      isReadAnew: true,
    };
  }
  const { groupsOf, unreadable: members } = await readMemberships(pool, names, signal);
  if (members.length > 0) yield { records: [], unreadable: members, cursor: cursor(at), isReadAnew: true };

  if (at.part === 'users') {
    for await (const { items, unreadable, next } of api.users({ start: at.start, signal })) {
      const users = items.filter((user) => keepsUser(config, user));
      const after: Place = next === undefined ? { part: 'memberships' } : { part: 'users', start: next };
      yield {
        records: users.map((user) =>
          userRecord(user, { groups: groupsOf.get(user.sub) ?? [], clock }, config),
        ),
        unreadable,
        cursor: cursor(after),
      };
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
      cursor: cursor({ part: 'memberships' }),
      isReadAnew: true,
    };
  }
}

/** Who is in which of the groups, by their subs, and what could not be read, each once. */
async function readMemberships(
  { config, patientApi: api }: Pool,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ groupsOf: ReadonlyMap<string, string[]>; unreadable: readonly UnreadableItem[] }> {
  const groupsOf = new Map<string, string[]>();
  const unreadable = new Map<string, UnreadableItem>();
  for (const group of names) {
    for await (const { items, unreadable: odd } of api.usersIn(group, signal)) {
      for (const { name, reason } of odd) {
        unreadable.set(name, { name: `membership of ${name} in ${group}`, reason });
      }
      for (const user of items) {
        if (!keepsUser(config, user)) continue;
        const groups = groupsOf.get(user.sub);
        if (groups === undefined) groupsOf.set(user.sub, [group]);
        else groups.push(group);
      }
    }
  }
  return { groupsOf, unreadable: [...unreadable.values()] };
}
