import { setTimeout as sleep } from 'node:timers/promises';
import type { ClerkClient } from '@clerk/backend';
import { z } from 'zod';
import { LatchkeyError } from '../../core/errors.ts';
import type { IdentityRecord } from '../../core/records.ts';
import type { Directory, DirectoryPage } from '../provider.ts';
import { membershipRecord, organizationRecord, userRecord } from './records.ts';

/** Clerk's own limit. */
const PAGE = 500;
/**
 * Pages are counted off by position, and a deletion moves what follows one place forward. Each page
 * therefore begins some places before the end of the last one; what comes twice is merged.
 */
const OVERLAP = 10;
const MOST_ATTEMPTS = 6;

const PARTS = ['organizations', 'users', 'memberships'] as const;
const CURSOR = z.object({ part: z.enum(PARTS), offset: z.int().min(0) });
type Cursor = z.infer<typeof CURSOR>;

const FAILURE = z.object({ status: z.number().optional(), retryAfter: z.number().optional() });

interface ClerkApi {
  /** `sk_…`; without it the directory cannot be read. */
  readonly secretKey: string | undefined;
  readonly apiUrl: string;
}

/** Everybody in a Clerk application, through its Backend API. */
export function clerkDirectory({ secretKey, apiUrl }: ClerkApi): Directory {
  async function connect(): Promise<ClerkClient> {
    if (secretKey === undefined) {
      throw new LatchkeyError(
        'configuration-invalid',
        'CLERK_SECRET_KEY is missing: copy it from Clerk’s dashboard, Configure → API keys.',
      );
    }
    // Only this needs Clerk's client, and it takes a while to load.
    const { createClerkClient } = await import('@clerk/backend');
    return createClerkClient({ secretKey, apiUrl });
  }

  return {
    async *pages({ cursor, signal } = {}): AsyncGenerator<DirectoryPage> {
      const clerk = await connect();
      let at: Cursor | undefined = cursor === undefined ? { part: PARTS[0], offset: 0 } : readCursor(cursor);
      while (at !== undefined) {
        const { part, offset }: Cursor = at;
        const page: IdentityRecord[] = await patiently(() => fetchPage(clerk, part, offset), signal);
        at = page.length < PAGE ? startOfNext(part) : { part, offset: offset + PAGE - OVERLAP };
        // After the very last page the cursor points behind it, where an empty page is waiting.
        yield { records: page, cursor: JSON.stringify(at ?? { part, offset: offset + page.length }) };
      }
    },
  };
}

function startOfNext(part: Cursor['part']): Cursor | undefined {
  const next = PARTS[PARTS.indexOf(part) + 1];
  return next && { part: next, offset: 0 };
}

async function fetchPage(
  clerk: ClerkClient,
  part: Cursor['part'],
  offset: number,
): Promise<IdentityRecord[]> {
  const page = { limit: PAGE, offset, orderBy: '+created_at' } as const;
  switch (part) {
    case 'organizations':
      return (await clerk.organizations.getOrganizationList(page)).data.map((one) =>
        organizationRecord(one.raw),
      );
    case 'users':
      return (await clerk.users.getUserList(page)).data.map((one) => userRecord(one.raw));
    case 'memberships':
      return (await clerk.organizations.getInstanceOrganizationMembershipList(page)).data.map((one) =>
        membershipRecord(one.raw),
      );
  }
}

/** Waits where Clerk says so, and a while longer each time where it says nothing: 1, 2, 4… seconds. */
async function patiently<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (error instanceof z.ZodError) throw failed('answers in another shape than expected', error);
      const { status = 0, retryAfter } = FAILURE.safeParse(error).data ?? {};
      const isPassing = status === 429 || status === 0 || status >= 500;
      if (!isPassing || attempt === MOST_ATTEMPTS) throw failed(`answers with status ${status}`, error);
      await sleep((retryAfter ?? Math.min(2 ** (attempt - 1), 30)) * 1000, undefined, signal && { signal });
    }
  }
}

function failed(what: string, cause: unknown): LatchkeyError {
  return new LatchkeyError(
    'provider-unreachable',
    `Clerk’s Backend API ${what}: check CLERK_SECRET_KEY and CLERK_API_URL, then run this again.`,
    { cause },
  );
}

function readCursor(text: string): Cursor {
  try {
    return CURSOR.parse(JSON.parse(text));
  } catch (cause) {
    throw new LatchkeyError('request-invalid', 'The cursor is not one of Clerk’s: start again without it.', {
      cause,
    });
  }
}
