/** Delivers events, runs what is due or calls handlers: at least once each, by whichever engine locks it first. */
import type { Pool } from 'pg';
import type { Logger } from '#base/log.ts';
import { type AdvisoryLockOwner, createAdvisoryLockOwner } from './advisory-lock-owner.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import { createLoop } from './loop.ts';
import { retryUntilClosed } from './retry-until-closed.ts';

export interface RunnerOptions {
  /** The type of its lines in the log. */
  readonly logType: string;
  /** How many may be in progress at most. */
  readonly limit: number;
  /**
   * Locks what is due under the engine's key and starts it; returns the milliseconds to pause for before the next
   * turn. The first turn begins at once.
   */
  turn(inFlight: Pick<InFlight, 'free' | 'start'>, owner: Pick<AdvisoryLockOwner, 'key'>): Promise<number>;
  /** Unlocks what was not finished, for other engines. */
  release(ids: string[]): Promise<unknown>;
}

export interface Runner {
  /** Starts the next turn now. */
  wake(): void;
  /** Writes an outcome, with retries; ends without success only when the engine closes. */
  persist(write: () => Promise<void>): Promise<void>;
  /** Lets deliveries in progress finish for `graceMs`; the others are unlocked. */
  close(graceMs: number): Promise<void>;
}

export function createRunner(pool: Pool, log: Logger, options: RunnerOptions): Runner {
  const owner = createAdvisoryLockOwner(pool);
  const inFlight = createInFlight(options.limit);
  let closed = false;
  const failed = (error: unknown) => {
    if (!closed)
      log.error(options.logType, { error: error instanceof Error ? error.message : String(error) });
  };
  const loop = createLoop(() => options.turn(inFlight, owner), failed);
  return {
    wake: loop.wake,
    persist: (write) => retryUntilClosed(write, failed, () => closed),
    async close(graceMs) {
      closed = true;
      await loop.close();
      const left = await inFlight.close(graceMs);
      await options.release(left).catch(() => {});
      owner.close();
    },
  };
}
