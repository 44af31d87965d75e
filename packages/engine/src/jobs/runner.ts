/** What delivers events, runs what is due or calls handlers: at least once each, whichever engine takes it. */
import type { Pool } from 'pg';
import type { Logger } from '#base/log.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import { createLoop } from './loop.ts';
import { persistently } from './persistently.ts';
import { createPresence, type Presence } from './presence.ts';

export interface RunnerOptions {
  /** The type of its lines in the log. */
  readonly logType: string;
  /** No more than so many are under way. */
  readonly limit: number;
  /**
   * Takes what there is, under the engine's key, and starts it; gives the milliseconds to pause for before
   * the next turn. The first turn begins at once.
   */
  turn(inFlight: Pick<InFlight, 'free' | 'start'>, presence: Pick<Presence, 'key'>): Promise<number>;
  /** Lets other engines take these, which were not finished. */
  giveBack(ids: string[]): Promise<unknown>;
}

export interface Runner {
  /** Begins the next turn now. */
  wake(): void;
  /** Writes an outcome, again and again if need be; ends without success only when the engine closes. */
  persist(write: () => Promise<void>): Promise<void>;
  /** Lets what is under way finish for `graceMs`; what does not is given back. */
  close(graceMs: number): Promise<void>;
}

export function createRunner(pool: Pool, log: Logger, options: RunnerOptions): Runner {
  const presence = createPresence(pool);
  const inFlight = createInFlight(options.limit);
  let closed = false;
  const failed = (error: unknown) => {
    if (!closed)
      log.error(options.logType, { error: error instanceof Error ? error.message : String(error) });
  };
  const loop = createLoop(() => options.turn(inFlight, presence), failed);
  return {
    wake: loop.wake,
    persist: (write) => persistently(write, failed, () => closed),
    async close(graceMs) {
      closed = true;
      await loop.close();
      const left = await inFlight.close(graceMs);
      await options.giveBack(left).catch(() => {});
      presence.close();
    },
  };
}
