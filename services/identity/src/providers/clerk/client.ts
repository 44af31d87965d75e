import { AsyncLocalStorage } from 'node:async_hooks';
import type { ClerkClient } from '@clerk/backend';
import { fetchWithoutRedirects } from '@latchkey/core/redirects';
import { z } from 'zod';
import type { Json } from '#core/records.ts';
import { ClerkRefusal, codesOf, notFound, parseAnswer, requestFailure, UnexpectedAnswer } from './request.ts';

/** One call of Clerk's client, and why it got no answer: the client itself keeps no cause. */
interface ClientCall {
  readonly signal: AbortSignal;
  failure?: Error;
}

const calls = new AsyncLocalStorage<ClientCall>();

/**
 * Makes a call once with Clerk's own client, which is loaded by the first.
 *
 * @param apiUrl where the Backend API is, without `/v1`
 * @param ask returns what of the client's answer is read: plain JSON, or an object of its own
 * @returns that answer as JSON, fit to be stored
 * @throws ClerkRefusal, NoAnswer, UnexpectedAnswer, RedirectError
 */
export async function askClient(
  access: { readonly secretKey: string; readonly apiUrl: string },
  ask: (clerk: ClerkClient) => Promise<unknown>,
  signal: AbortSignal,
): Promise<Json> {
  const { createClerkClient } = await loadClient();
  const call: ClientCall = { signal };
  let answer: unknown;
  try {
    answer = await calls.run(call, () =>
      ask(createClerkClient({ ...access, telemetry: { disabled: true } })),
    );
  } catch (error) {
    if (error instanceof ClerkRefusal) throw error;
    if (call.failure !== undefined) throw call.failure;
    const { status, retryAfter } = CLIENT_ERROR.safeParse(error).data ?? {};
    if (status !== undefined) throw new ClerkRefusal(status, codesOf(error), retryAfter);
    // Without the client's error, which may quote the answer.
    throw new UnexpectedAnswer('something that Clerk’s client does not understand');
  }
  return parseAnswer(JSON.stringify(answer ?? null)) ?? null;
}

/** What the client's errors tell, beside codes. */
const CLIENT_ERROR = z.object({ status: z.number(), retryAfter: z.number().optional().catch(undefined) });

/**
 * An id for one of the client's calls, which puts it into the path as it is.
 *
 * @throws ClerkRefusal for what leads elsewhere; Clerk has given none of these to anybody
 */
export function pathId(id: string): string {
  if (!/^\w{1,255}$/.test(id)) throw notFound();
  return id;
}

let client: Promise<typeof import('@clerk/backend')> | undefined;

/** Only what people do with their account needs it, and it takes a while to load. */
function loadClient(): Promise<typeof import('@clerk/backend')> {
  client ??= loadWithOwnFetch();
  return client;
}

/**
 * The client takes no `fetch` as an option, but the global one as it is when it is loaded. By that it would
 * follow redirects, wait forever and hide why nothing answers. So the global one is replaced; what is
 * no call of {@link askClient} goes through it unchanged.
 */
function loadWithOwnFetch(): Promise<typeof import('@clerk/backend')> {
  const platformFetch = globalThis.fetch;
  const send = fetchWithoutRedirects('CLERK_API_URL', platformFetch);
  globalThis.fetch = async (input, init) => {
    const call = calls.getStore();
    if (call === undefined) return platformFetch(input, init);
    try {
      const response = await send(input, { ...init, signal: call.signal });
      // The whole answer, for the connection may break off within it.
      await response.clone().arrayBuffer();
      return response;
    } catch (error) {
      call.failure = requestFailure(error);
      throw error;
    }
  };
  return import('@clerk/backend');
}
