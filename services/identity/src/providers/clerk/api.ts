import type { ClerkClient } from '@clerk/backend';
import { LatchkeyError } from '@latchkey/core/errors';
import { networkCause } from '@latchkey/core/network-cause';
import { RedirectError } from '@latchkey/core/redirects';
import { z } from 'zod';
import type { Json } from '#core/records.ts';
import { type TransientFailure, withRetry } from '#providers/with-retry.ts';
import { askClient } from './client.ts';
import { ClerkRefusal, type ClerkRequest, NoAnswer, sendRequest, UnexpectedAnswer } from './request.ts';

export interface ClerkAccess {
  /** `sk_…`; without it nothing can be read. */
  readonly secretKey: string | undefined;
  readonly apiUrl: string;
  /** The tenant of all that is read; empty where it is not known. */
  readonly instanceId: string;
}

/** What is made of an answer; throws ZodError or UnexpectedAnswer for what is not the one that was asked for. */
export type ReadAnswer<T> = (answer: Json) => T;

type Send = (to: { secretKey: string; apiUrl: string }, signal: AbortSignal) => Promise<Json>;

/** Clerk's Backend API. */
export interface ClerkApi {
  /**
   * Reads, and again where Clerk limits the rate or does not answer.
   *
   * @throws LatchkeyError `configuration-invalid` where there is no secret key, or one of another instance,
   * `provider-unreachable`
   */
  withRetry<T>(request: ClerkRequest, read: ReadAnswer<T>, signal?: AbortSignal): Promise<T>;
  /**
   * Makes a call once with Clerk's own client, for somebody who is waiting.
   *
   * @param ask returns what of the client's answer is read
   * @param signal until when they wait, where this is one of several calls
   * @throws LatchkeyError `configuration-invalid`, `request-invalid` where Clerk does not take what it says,
   *   `provider-unreachable`
   */
  once<T>(
    ask: (clerk: ClerkClient) => Promise<unknown>,
    read: ReadAnswer<T>,
    signal?: AbortSignal,
  ): Promise<T>;
}

/** How long one call of a listing may take, in milliseconds. */
const LONGEST_CALL_MS = 30_000;
/** How long somebody waits for an action, in milliseconds; Hasura gives up after 30 seconds. */
const LONGEST_WAIT_MS = 8_000;
/** What Clerk answers to a request that it understands and does not grant. */
const NOT_TAKEN = [400, 403, 409, 422];

/** A list; some calls tell its length beside it. Of its items nothing is known yet. */
export function readList(answer: Json): readonly Json[] {
  return LIST.parse(answer);
}
const ITEMS = z.custom<Json[]>(Array.isArray);
const LIST = z.union([ITEMS, z.object({ data: ITEMS }).transform(({ data }) => data)]);

export function createClerkApi({ secretKey, apiUrl, instanceId }: ClerkAccess): ClerkApi {
  const api = `Clerk’s Backend API at ${new URL(apiUrl).origin}`;
  let isOfInstance = instanceId === '';

  async function call<T>(send: Send, read: ReadAnswer<T>, signal: AbortSignal): Promise<T> {
    if (secretKey === undefined) {
      throw new LatchkeyError(
        'configuration-invalid',
        'CLERK_SECRET_KEY is missing: copy it from Clerk’s dashboard, Configure → API keys.',
      );
    }
    const to = { secretKey, apiUrl };
    try {
      if (!isOfInstance) {
        requireInstance(await sendRequest(to, INSTANCE_REQUEST, signal).catch(notTold), instanceId);
      }
      isOfInstance = true;
      return read(await send(to, signal));
    } catch (cause) {
      if (!(cause instanceof z.ZodError)) throw cause;
      throw new UnexpectedAnswer('another shape than Clerk’s', { cause });
    }
  }

  function passing(error: unknown): TransientFailure | undefined {
    if (error instanceof NoAnswer) return { reason: `${api} ${describeNoAnswer(error)}` };
    if (!(error instanceof ClerkRefusal && isBusy(error))) return undefined;
    return { retryAfter: error.retryAfter, reason: `${api} answers with ${error.message}` };
  }

  function failed(error: unknown): LatchkeyError {
    if (error instanceof LatchkeyError) return error;
    const text = error instanceof RedirectError ? error.message : `${api} ${describe(error)}`;
    return new LatchkeyError('provider-unreachable', `${text}, then run this again.`, { cause: error });
  }

  return {
    async withRetry(request, read, signal) {
      try {
        const send: Send = (to, within) => sendRequest(to, request, within);
        const attempt = () => call(send, read, within(LONGEST_CALL_MS, signal));
        return await withRetry(attempt, passing, signal);
      } catch (error) {
        signal?.throwIfAborted();
        throw failed(error);
      }
    },
    async once(ask, read, signal = waitingTime()) {
      try {
        return await call((to, within) => askClient(to, ask, within), read, signal);
      } catch (error) {
        if (!(error instanceof ClerkRefusal) || !NOT_TAKEN.includes(error.status)) throw failed(error);
        const codes = error.codes.join(', ') || error.message;
        throw new LatchkeyError('request-invalid', `Clerk does not take this: ${codes}.`, { cause: error });
      }
    },
  };
}

const INSTANCE_REQUEST: ClerkRequest = { path: ['instance'] };
const INSTANCE = z.object({ id: z.string().regex(/^ins_\w{1,100}$/) });

/** That this is not there says nothing of what is asked for next. */
function notTold(error: unknown): never {
  if (!(error instanceof ClerkRefusal && error.status === 404)) throw error;
  throw new UnexpectedAnswer('nothing to /v1/instance, which CLERK_INSTANCE_ID is compared with', {
    cause: error,
  });
}

/** With a key of another instance its users would be taken for those of this one, and these for gone. */
function requireInstance(answer: Json, instanceId: string): void {
  const { id } = INSTANCE.parse(answer);
  if (id === instanceId) return;
  throw new LatchkeyError(
    'configuration-invalid',
    `CLERK_SECRET_KEY is a key of the instance ${id}, and CLERK_INSTANCE_ID is ${instanceId}: correct the one that is wrong.`,
  );
}

/** As long as somebody waits, from now. */
export function waitingTime(): AbortSignal {
  return AbortSignal.timeout(LONGEST_WAIT_MS);
}

/** That a thing is not there is an answer and no failure, if it is Clerk that says so. */
export async function orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal?.status === 404 && refusal.codes.length > 0) return undefined;
    throw error;
  }
}

/** Whether a call failed because Organizations are switched off, as they are in every new application. */
export function isWithoutOrganizations(error: unknown): boolean {
  return refusalOf(error)?.codes.includes('organization_not_enabled_in_instance') === true;
}

function refusalOf(error: unknown): ClerkRefusal | undefined {
  const cause = error instanceof LatchkeyError ? error.cause : undefined;
  return cause instanceof ClerkRefusal ? cause : undefined;
}

function within(milliseconds: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(milliseconds);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}

function isBusy({ status }: ClerkRefusal): boolean {
  return status === 429 || status >= 500;
}

function describeNoAnswer(error: NoAnswer): string {
  return `does not answer: ${networkCause(error) ?? 'the request failed'}`;
}

/** What is wrong and what to do, as a sentence that begins with the API. */
function describe(error: unknown): string {
  if (error instanceof NoAnswer) return `${describeNoAnswer(error)}; check CLERK_API_URL and the way to it`;
  if (error instanceof UnexpectedAnswer) {
    return `answers with ${error.message}: check CLERK_API_URL and what stands between`;
  }
  if (!(error instanceof ClerkRefusal)) return 'cannot be asked: check CLERK_API_URL';
  const answer = `answers with ${error.message}`;
  if (isBusy(error)) return `${answer}: wait a while`;
  if (error.status === 404) return `${answer}: check CLERK_API_URL`;
  return `${answer}: check CLERK_SECRET_KEY and CLERK_API_URL`;
}
