import { z } from 'zod';
import type { CasdoorConfig } from '../../core/config.ts';
import type { Instant } from '../../core/records.ts';
import { readCursor } from '../cursor.ts';
import type { Directory, DirectoryPage } from '../provider.ts';
import type { CasdoorApi, CasdoorOrganization, Page, PageOptions } from './api.ts';
import { groupRecord, membershipRecords, organizationRecord, userRecord } from './records.ts';
import { roleNames } from './role-names.ts';

/** A user takes about 5 KB of Casdoor's JSON. */
const PAGE = 500;

const CURSOR = z.object({ organization: z.string(), page: z.int().min(1), total: z.int().min(0) });
type Cursor = z.infer<typeof CURSOR>;

/**
 * Everybody in the organizations of a Casdoor server that are kept in step, and their groups.
 *
 * Lists of users carry no roles, so each organization's roles are read before its users are, and the
 * records' clock is the instant at which that began.
 */
export function casdoorDirectory(
  { organizations: wanted }: Pick<CasdoorConfig, 'organizations'>,
  api: CasdoorApi,
  now: () => Instant = Date.now,
): Directory {
  async function organizationsOf(signal?: AbortSignal): Promise<CasdoorOrganization[]> {
    const all: CasdoorOrganization[] = [];
    for await (const { items } of everyPage((options) => api.organizations(options), { signal })) {
      all.push(...items);
    }
    const kept = all.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
    // Each once, in an order of our own: a cursor names one, and the others are before or after it.
    const byName = new Map(kept.map((organization) => [organization.name, organization]));
    return [...byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  return {
    async *pages({ cursor, signal } = {}): AsyncGenerator<DirectoryPage> {
      const at: Cursor | undefined = cursor === undefined ? undefined : readCursor(CURSOR, cursor, 'Casdoor');
      const clock = now();
      const organizations = await organizationsOf(signal);
      yield {
        records: organizations.map((organization) => organizationRecord(organization, clock)),
        cursor: JSON.stringify(at ?? startOf('')),
        isReadAnew: true,
      };

      for (const { name } of organizations) {
        if (at !== undefined && name < at.organization) continue;
        const start = at?.organization === name ? at : startOf(name);
        const began = now();
        for await (const { items } of everyPage((options) => api.groups(name, options), { signal })) {
          yield {
            records: items.map((group) => groupRecord(group, began)),
            cursor: JSON.stringify(start),
            isReadAnew: true,
          };
        }
        const rolesOf = roleNames(await api.roles(name, signal));
        const pages = everyPage((options) => api.users(name, options), { ...start, signal });
        for await (const { items, page, total } of pages) {
          yield {
            records: items.flatMap((user) => [
              userRecord(user, began, rolesOf(user)),
              ...membershipRecords(user, began),
            ]),
            cursor: JSON.stringify({ organization: name, page, total } satisfies Cursor),
          };
        }
      }
    },

    clock: 'reading',

    async total(signal) {
      const organizations = await organizationsOf(signal);
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
): AsyncGenerator<{ items: readonly T[]; page: number; total: number }> {
  const { signal } = start;
  let { page = 1, total: before = 0 } = start;
  for (;;) {
    const { items, total } = await read({ page, size: PAGE, signal });
    const moved = Math.ceil(Math.max(0, before - total) / PAGE);
    page = moved > 0 ? Math.max(1, page - moved) : page + 1;
    before = total;
    yield { items, page, total };
    // Casdoor answers a page behind the last one with the last one again, so the total must tell.
    if (page > Math.max(1, Math.ceil(total / PAGE))) return;
  }
}
