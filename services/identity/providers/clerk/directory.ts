import type { ClerkClient } from '@clerk/backend';
import { z } from 'zod';
import type { IdentityRecord } from '../../core/records.ts';
import { readCursor } from '../cursor.ts';
import type { Directory, DirectoryPage } from '../provider.ts';
import { type ClerkAccess, connect, patiently } from './api.ts';
import { membershipRecord, organizationRecord, userRecord } from './records.ts';

/** Clerk's own limit. */
const PAGE = 500;
/**
 * Pages are counted off by position, and a deletion moves what follows one place forward. Each page
 * therefore begins some places before the end of the last one; what comes twice is merged.
 */
const OVERLAP = 10;

const PARTS = ['organizations', 'users', 'memberships'] as const;
const CURSOR = z.object({ part: z.enum(PARTS), offset: z.int().min(0) });
type Cursor = z.infer<typeof CURSOR>;

/** Everybody in a Clerk application, through its Backend API. */
export function clerkDirectory(access: ClerkAccess): Directory {
  return {
    async *pages({ cursor, signal } = {}): AsyncGenerator<DirectoryPage> {
      const clerk = await connect(access);
      let at: Cursor | undefined =
        cursor === undefined ? { part: PARTS[0], offset: 0 } : readCursor(CURSOR, cursor, 'Clerk');
      while (at !== undefined) {
        const { part, offset }: Cursor = at;
        const page: IdentityRecord[] = await patiently(
          () => fetchPage(clerk, access.instanceId, { part, offset }),
          signal,
        );
        at = page.length < PAGE ? startOfNext(part) : { part, offset: offset + PAGE - OVERLAP };
        // After the very last page the cursor points behind it, where an empty page is waiting.
        yield { records: page, cursor: JSON.stringify(at ?? { part, offset: offset + page.length }) };
      }
    },

    clock: 'state',
    ...(access.instanceId !== '' && { tenants: [access.instanceId] }),

    async total(signal) {
      const clerk = await connect(access);
      const one = { limit: 1 };
      const counts = await Promise.all([
        patiently(() => clerk.users.getCount(), signal),
        patiently(async () => (await clerk.organizations.getOrganizationList(one)).totalCount, signal),
        patiently(
          async () => (await clerk.organizations.getInstanceOrganizationMembershipList(one)).totalCount,
          signal,
        ),
      ]);
      return counts.reduce((sum, count) => sum + count, 0);
    },
  };
}

function startOfNext(part: Cursor['part']): Cursor | undefined {
  const next = PARTS[PARTS.indexOf(part) + 1];
  return next && { part: next, offset: 0 };
}

async function fetchPage(
  clerk: ClerkClient,
  tenant: string,
  { part, offset }: Cursor,
): Promise<IdentityRecord[]> {
  // Before it is asked for: what has happened since is not in it.
  const source = { tenant, toldAt: Date.now() };
  const page = { limit: PAGE, offset, orderBy: '+created_at' } as const;
  switch (part) {
    case 'organizations':
      return (await clerk.organizations.getOrganizationList(page)).data.map((one) =>
        organizationRecord(one.raw, source),
      );
    case 'users':
      return (await clerk.users.getUserList(page)).data.map((one) => userRecord(one.raw, source));
    case 'memberships':
      return (await clerk.organizations.getInstanceOrganizationMembershipList(page)).data.map((one) =>
        membershipRecord(one.raw, source),
      );
  }
}
