import { setTimeout as sleep } from 'node:timers/promises';
import type { ClerkClient } from '@clerk/backend';
import { z } from 'zod';
import { LatchkeyError } from '../../core/errors.ts';
import { type Passing, patiently as persist } from '../patiently.ts';
import { loadClerkClient, REDIRECTED } from './load-client.ts';

export interface ClerkAccess {
  /** `sk_…`; without it nothing can be read. */
  readonly secretKey: string | undefined;
  readonly apiUrl: string;
  /** The tenant of all that is read; empty where it is not known. */
  readonly instanceId: string;
}

const FAILURE = z.object({
  status: z.number().optional(),
  retryAfter: z.number().optional(),
  errors: z.array(z.object({ code: z.string(), message: z.string().catch('') })).catch([]),
});

/** @throws LatchkeyError `configuration-invalid` where there is no secret key */
export async function connect({
  secretKey,
  apiUrl,
}: Pick<ClerkAccess, 'secretKey' | 'apiUrl'>): Promise<ClerkClient> {
  if (secretKey === undefined) {
    throw new LatchkeyError(
      'configuration-invalid',
      'CLERK_SECRET_KEY is missing: copy it from Clerk’s dashboard, Configure → API keys.',
    );
  }
  // Only what reads from Clerk needs its client, and it takes a while to load.
  const { createClerkClient } = await loadClerkClient(apiUrl);
  return createClerkClient({ secretKey, apiUrl });
}

/**
 * Makes a call, and again where Clerk limits the rate or does not answer.
 *
 * @throws LatchkeyError `provider-unreachable`
 */
export async function patiently<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await persist(call, passing, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof z.ZodError) throw failed('answers in another shape than expected', error);
    throw unreachable(error);
  }
}

function passing(error: unknown): Passing | undefined {
  const { status = 0, retryAfter } = FAILURE.safeParse(error).data ?? {};
  const isPassing = status === 429 || status === 0 || status >= 500;
  return isPassing && !(error instanceof z.ZodError) ? { retryAfter } : undefined;
}

function unreachable(error: unknown): LatchkeyError {
  const { status = 0, errors = [] } = FAILURE.safeParse(error).data ?? {};
  const redirect = errors.find(({ code }) => code === REDIRECTED);
  if (redirect === undefined) return failed(`answers with status ${status}`, error);
  return new LatchkeyError('provider-unreachable', `${redirect.message}.`, { cause: error });
}

function failed(what: string, cause: unknown): LatchkeyError {
  return new LatchkeyError(
    'provider-unreachable',
    `Clerk’s Backend API ${what}: check CLERK_SECRET_KEY and CLERK_API_URL, then run this again.`,
    { cause },
  );
}

/** How long somebody waits for an action, in milliseconds; Hasura gives up after 30 seconds. */
const LONGEST_WAIT_MS = 8_000;
/** What Clerk answers to a request that it understands and does not grant. */
const NOT_TAKEN = [400, 403, 409, 422];

/**
 * Makes a call once, for somebody who is waiting.
 *
 * @throws LatchkeyError `request-invalid` where Clerk does not take what it says, `provider-unreachable`
 */
export async function promptly<T>(call: () => Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = sleep(LONGEST_WAIT_MS, undefined, { signal: done.signal }).then(() => {
    throw new Error('no answer in time');
  });
  try {
    return await Promise.race([call(), late]);
  } catch (error) {
    const { status = 0, errors = [] } = FAILURE.safeParse(error).data ?? {};
    if (!NOT_TAKEN.includes(status)) throw unreachable(error);
    const codes = errors.map(({ code }) => code).join(', ') || `status ${status}`;
    throw new LatchkeyError('request-invalid', `Clerk does not take this: ${codes}.`, { cause: error });
  } finally {
    done.abort();
  }
}

/** That a thing is not there is an answer and no failure. */
export async function orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (FAILURE.safeParse(error).data?.status === 404) return undefined;
    throw error;
  }
}
