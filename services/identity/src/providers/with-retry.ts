import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const MOST_ATTEMPTS = 8;
const LONGEST_WAIT_SECONDS = 30;

/** A failure that may not happen again, and how long the provider asks to wait, in seconds. */
export interface TransientFailure {
  readonly retryAfter?: number | undefined;
  /** Why, for whoever watches: `status 503`, `the connection is refused`. */
  readonly reason?: string | undefined;
  /** How many attempts it is worth at most, where they are fewer than usual. */
  readonly attempts?: number | undefined;
}

/** A wait between two attempts. */
export interface Wait {
  readonly seconds: number;
  /** The attempt that has failed, from 1, and how many there will be at most. */
  readonly attempt: number;
  readonly attempts: number;
  readonly reason: string;
}

const watchers = new AsyncLocalStorage<(wait: Wait) => void>();

/** Runs `body`; each wait of a {@link withRetry} within it is told, so that nobody waits in silence. */
export function observeRetries<T>(onWait: (wait: Wait) => void, body: () => T): T {
  return watchers.run(onWait, body);
}

/**
 * Makes a call of a provider's API, again and again while its failures are passing ones: as long
 * apart as the provider says, and a while longer each time where it says nothing: 1, 2, 4… seconds.
 *
 * @param passing what it makes of an error; undefined where it is for good
 * @throws the last error
 */
export async function withRetry<T>(
  call: () => Promise<T>,
  passing: (error: unknown) => TransientFailure | undefined,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      const failure = passing(error);
      const attempts = Math.min(failure?.attempts ?? MOST_ATTEMPTS, MOST_ATTEMPTS);
      if (failure === undefined || attempt >= attempts) throw error;
      const seconds = failure.retryAfter ?? Math.min(2 ** (attempt - 1), LONGEST_WAIT_SECONDS);
      const reason = failure.reason ?? 'it does not answer';
      watchers.getStore()?.({ seconds, attempt, attempts, reason });
      await sleep(seconds * 1000, undefined, signal && { signal });
    }
  }
}
