import { LatchkeyError } from '@latchkey/core/errors';
import { z } from 'zod';
import type { Instant } from '#core/records.ts';
import type { StoredState } from '#core/stored-state.ts';
import { readCursor } from '#providers/cursor.ts';
import type { DirectoryPage, Listing, UnreadableItem } from '#providers/provider.ts';
import type { CasdoorApi, Page, PageOptions } from './api.ts';
import { groupRecord, membershipRecords, organizationRecord, userRecord } from './records.ts';
import { rolesHeld } from './role-names.ts';
import type { CasdoorConfig } from './settings.ts';
import type { CasdoorOrganization, Items } from './shapes.ts';
import { createSharedIdCheck } from './shared-ids.ts';

/** A user takes about 5 KB of Casdoor's JSON. */
const PAGE = 500;
/** Named in a message; more of them would be no help. */
const MOST_NAMED = 10;

const CURSOR = z.object({ organization: z.string(), page: z.int().min(1), total: z.int().min(0) });
type Cursor = z.infer<typeof CURSOR>;

/**
 * Everybody in the organizations of a Casdoor server that are kept in step, and their groups.
 *
 * Lists of users carry no roles, so each organization's roles are read before its users are, and the
 * records' clock is the instant at which that began.
 */
export function casdoorListing(
  config: Pick<CasdoorConfig, 'organizations' | 'properties'>,
  api: CasdoorApi,
  stored: Pick<StoredState, 'hasTenant'>,
  now: () => Instant = Date.now,
): Listing {
  const { organizations: wanted } = config;

  /** @throws LatchkeyError `configuration-invalid` where one is wanted that never was */
  async function readOrganizations(
    signal?: AbortSignal,
  ): Promise<Items<CasdoorOrganization> & { notice?: string }> {
    const all: CasdoorOrganization[] = [];
    const unreadable: UnreadableItem[] = [];
    for await (const page of everyPage((options) => api.organizations(options), { signal })) {
      all.push(...page.items);
      unreadable.push(...page.unreadable);
    }
    const kept = all.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
    // Each once, in an order of our own: a cursor names one, and the others are before or after it.
    const byName = new Map(kept.map((organization) => [organization.name, organization]));
    const missing = wanted.filter((name) => !byName.has(name));
    const known = await Promise.all(
      missing.map((tenant) => stored.hasTenant({ provider: 'casdoor', tenant })),
    );
    const unknown = missing.find((_, index) => known[index] === false);
    // One of those that cannot be read may be it, and then nothing is deleted.
    if (unknown !== undefined && unreadable.length === 0) throw noSuchOrganization(unknown, all);
    return {
      items: [...byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1)),
      unreadable,
      ...(missing.length > 0 && { notice: noticeOf(missing) }),
    };
  }

  return {
    async *pages({ cursor, signal } = {}): AsyncGenerator<DirectoryPage> {
      const at: Cursor | undefined = cursor === undefined ? undefined : readCursor(CURSOR, cursor, 'Casdoor');
      const clock = now();
      const { items: organizations, unreadable, notice } = await readOrganizations(signal);
      yield {
        records: organizations.map((organization) => organizationRecord(organization, clock)),
        unreadable,
        ...(notice !== undefined && { notice }),
        cursor: JSON.stringify(at ?? startOf('')),
        isReadAnew: true,
      };

      for (const { name } of organizations) {
        if (at !== undefined && name < at.organization) continue;
        const start = at?.organization === name ? at : startOf(name);
        const began = now();
        const groups = new Set<string>();
        for await (const page of everyPage((options) => api.groups(name, options), { signal })) {
          const records = page.items.map((group) => groupRecord(group, began));
          for (const { id } of records) groups.add(id);
          yield {
            records,
            unreadable: page.unreadable,
            cursor: JSON.stringify(start),
            isReadAnew: true,
          };
        }
        const roles = await api.roles(name, signal);
        if (roles.unreadable.length > 0) {
          const { unreadable } = roles;
          yield { records: [], unreadable, cursor: JSON.stringify(start), isReadAnew: true };
        }
        const rolesOf = rolesHeld(roles.items);
        const withoutShared = createSharedIdCheck();
        const pages = everyPage((options) => api.users(name, options), { ...start, signal });
        for await (const { page, total, ...listed } of pages) {
          const { items, unreadable } = withoutShared(listed);
          yield {
            records: items.flatMap((user) => [
              userRecord(config, { ...user, roles: rolesOf(user) }, began),
              ...membershipRecords(user, began, (group) => groups.has(group)),
            ]),
            unreadable,
            cursor: JSON.stringify({ organization: name, page, total } satisfies Cursor),
          };
        }
      }
    },

    clock: 'reading',

    async total(signal) {
      const { items: organizations } = await readOrganizations(signal);
      const one = { page: 1, size: 1, signal };
      let total = organizations.length;
      for (const { name } of organizations) {
        const [groups, users] = await Promise.all([api.groups(name, one), api.users(name, one)]);
        // Each user brings the membership of their organization along.
        total += groups.total + 2 * users.total;
      }
      return total;
    },
  };
}

function startOf(organization: string): Cursor {
  return { organization, page: 1, total: 0 };
}

/** A name that was mistyped would look like an organization in which nobody is left. */
function noSuchOrganization(name: string, all: readonly CasdoorOrganization[]): LatchkeyError {
  const names = all.map((organization) => organization.name).sort();
  const more = names.length > MOST_NAMED ? `, and ${names.length - MOST_NAMED} more` : '';
  return new LatchkeyError(
    'configuration-invalid',
    `CASDOOR_ORGANIZATIONS names ${name}, and Casdoor has no such organization: it has ${names.slice(0, MOST_NAMED).join(', ')}${more}. Upper and lower case count.`,
  );
}

function noticeOf(gone: readonly string[]): string {
  const [them, they] = gone.length === 1 ? ['its', 'it was'] : ['their', 'they were'];
  return `Casdoor has no organization ${gone.join(', ')} of CASDOOR_ORGANIZATIONS any more: ${they} deleted or renamed there, and ${them} users count as gone. If renamed, set CASDOOR_ORGANIZATIONS to the new name before anything is repaired; if deleted, remove the old one.`;
}

/**
 * Pages are counted off by position, so what follows a deletion moves forward, past the reader. Where
 * the total has shrunk, as many pages are read again; what comes twice is merged.
 *
 * @param start.total how many there were when the page before this one was read
 * @returns each page, and where to go on after it
 */
async function* everyPage<T>(
  read: (options: PageOptions) => Promise<Page<T>>,
  start: { page?: number; total?: number; signal?: AbortSignal | undefined },
): AsyncGenerator<Page<T> & { page: number }> {
  const { signal } = start;
  let { page = 1, total: before = 0 } = start;
  for (;;) {
    const { items, unreadable, total } = await read({ page, size: PAGE, signal });
    const moved = Math.ceil(Math.max(0, before - total) / PAGE);
    page = moved > 0 ? Math.max(1, page - moved) : page + 1;
    before = total;
    yield { items, unreadable, page, total };
    // Casdoor answers a page behind the last one with the last one again, so the total must tell.
    if (page > Math.max(1, Math.ceil(total / PAGE))) return;
  }
}
