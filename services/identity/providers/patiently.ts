import { setTimeout as sleep } from 'node:timers/promises';

const MOST_ATTEMPTS = 8;
const LONGEST_WAIT_SECONDS = 30;

/** A failure that may not happen again, and how long the provider asks to wait, in seconds. */
export interface Passing {
  readonly retryAfter?: number | undefined;
}

/**
 * Makes a call of a provider's API, again and again while its failures are passing ones: as long
 * apart as the provider says, and a while longer each time where it says nothing: 1, 2, 4… seconds.
 *
 * @param passing what it makes of an error; undefined where it is for good
 * @throws the last error
 */
export async function patiently<T>(
  call: () => Promise<T>,
  passing: (error: unknown) => Passing | undefined,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      const failure = passing(error);
      if (failure === undefined || attempt === MOST_ATTEMPTS) throw error;
      const seconds = failure.retryAfter ?? Math.min(2 ** (attempt - 1), LONGEST_WAIT_SECONDS);
      await sleep(seconds * 1000, undefined, signal && { signal });
    }
  }
}
