import { z } from 'zod';
import type { IdentityRecord, Json } from '#core/records.ts';
import { readCursor } from '#providers/cursor.ts';
import type { DirectoryPage, Listing } from '#providers/provider.ts';
import { type ClerkAccess, createClerkApi, isWithoutOrganizations, readList } from './api.ts';
import { readItems } from './read-items.ts';

/** Clerk's own limit. */
const PAGE = 500;
/**
 * Pages are counted off by position, and a deletion moves what follows one place forward. Each page
 * therefore begins some places before the end of the last one; what comes twice is merged.
 */
const OVERLAP = 10;

const PARTS = ['organizations', 'users', 'memberships'] as const;
type Part = (typeof PARTS)[number];
const CURSOR = z.object({ part: z.enum(PARTS), offset: z.int().min(0) });
type Cursor = z.infer<typeof CURSOR>;

const LISTS: Readonly<Record<Part, { readonly path: string; readonly kind: IdentityRecord['kind'] }>> = {
  organizations: { path: 'organizations', kind: 'organization' },
  users: { path: 'users', kind: 'user' },
  memberships: { path: 'organization_memberships', kind: 'membership' },
};

const SWITCHED_OFF =
  'Organizations are switched off in this Clerk application (organization_not_enabled_in_instance): users alone are listed.';

const COUNTED = z.object({ total_count: z.int() });
const countOf = (answer: Json): number => COUNTED.parse(answer).total_count;

/** Everybody in a Clerk application, through its Backend API. */
export function clerkListing(access: ClerkAccess): Listing {
  const api = createClerkApi(access);

  /** @returns undefined where Organizations are switched off */
  async function list({ part, offset }: Cursor, signal?: AbortSignal): Promise<readonly Json[] | undefined> {
    const query = { limit: String(PAGE), offset: String(offset), order_by: '+created_at' };
    const asked = api.withRetry({ path: [LISTS[part].path], query }, readList, signal);
    return part === 'users' ? asked : unlessSwitchedOff(asked);
  }

  async function count(path: string[], signal?: AbortSignal): Promise<number> {
    const asked = api.withRetry({ path, query: { limit: '1' } }, countOf, signal);
    return (await unlessSwitchedOff(asked)) ?? 0;
  }

  return {
    async *pages({ cursor, signal } = {}): AsyncGenerator<DirectoryPage> {
      let at: Cursor | undefined =
        cursor === undefined ? { part: PARTS[0], offset: 0 } : readCursor(CURSOR, cursor, 'Clerk');
      while (at !== undefined) {
        const { part, offset }: Cursor = at;
        // Before it is asked for: what has happened since is not in it.
        const source = { tenant: access.instanceId, toldAt: Date.now() };
        const items = await list({ part, offset }, signal);
        const length = items?.length ?? 0;
        at = length < PAGE ? startOfNext(part) : { part, offset: offset + PAGE - OVERLAP };
        yield {
          ...(items === undefined ? switchedOff(offset) : readItems(LISTS[part].kind, items, source)),
          // After the very last page the cursor points behind it, where an empty page is waiting.
          cursor: JSON.stringify(at ?? { part, offset: offset + length }),
        };
      }
    },

    clock: 'state',
    ...(access.instanceId !== '' && { tenants: [access.instanceId] }),

    async total(signal) {
      const counts = await Promise.all([
        count(['users', 'count'], signal),
        count(['organizations'], signal),
        count(['organization_memberships'], signal),
      ]);
      return counts.reduce((sum, one) => sum + one, 0);
    },
  };
}

function startOfNext(part: Part): Cursor | undefined {
  const next = PARTS[PARTS.indexOf(part) + 1];
  return next && { part: next, offset: 0 };
}

/** There is nothing to list; but where some had been listed already, the others have not been read. */
function switchedOff(offset: number): Pick<DirectoryPage, 'records' | 'notice' | 'unreadable'> {
  const rest = { name: `what follows the first ${offset}`, reason: SWITCHED_OFF };
  return { records: [], notice: SWITCHED_OFF, ...(offset > 0 && { unreadable: [rest] }) };
}

async function unlessSwitchedOff<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isWithoutOrganizations(error)) return undefined;
    throw error;
  }
}
