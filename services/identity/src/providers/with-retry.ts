import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const MAX_ATTEMPTS = 8;
const MAX_WAIT_SECONDS = 30;

/** A failure that may not happen again. */
export interface TransientFailure {
  /** How long the provider asks to wait, in seconds. */
  readonly retryAfter?: number | undefined;
  /** Why, for observers: `status 503`, `the connection is refused`. */
  readonly reason?: string | undefined;
  /** How many attempts at most, where they are fewer than usual. */
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

const observers = new AsyncLocalStorage<(wait: Wait) => void>();

/** Runs `body`; `onWait` is called before each wait of a {@link withRetry} within it. */
export function observeRetries<T>(onWait: (wait: Wait) => void, body: () => T): T {
  return observers.run(onWait, body);
}

/**
 * Makes a call of a provider's API, and repeats it while its failures are transient: after as long as the
 * provider asks for, or else after 1, 2, 4… seconds. (Not by p-retry: it has no delay of the provider's, and
 * gives up at errors of its own choice.)
 *
 * @param transientFailure undefined for an error that is final
 * @throws the last error
 */
export async function withRetry<T>(
  call: () => Promise<T>,
  transientFailure: (error: unknown) => TransientFailure | undefined,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      const failure = transientFailure(error);
      const attempts = Math.min(failure?.attempts ?? MAX_ATTEMPTS, MAX_ATTEMPTS);
      if (failure === undefined || attempt >= attempts) throw error;
      const seconds = failure.retryAfter ?? Math.min(2 ** (attempt - 1), MAX_WAIT_SECONDS);
      const reason = failure.reason ?? 'it does not answer';
      observers.getStore()?.({ seconds, attempt, attempts, reason });
      await sleep(seconds * 1000, undefined, signal && { signal });
    }
  }
}
