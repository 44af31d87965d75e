import { setTimeout as sleep } from 'node:timers/promises';

/** Gathers webhooks for a while, then lets out the last one first. */
export interface Reordering {
  /** A place in the line: when its turn has come, and what to call when it is over. */
  take(): { turn: Promise<void>; done(): void };
  /** Ends the wait at once. */
  release(): void;
}

/** One that hangs must not hold up those behind it for ever. */
const LONGEST_TURN_MS = 2_000;

/** @param gatherMs how long the first one waits for others */
export function createReordering(gatherMs: number): Reordering {
  let places: { call: () => void; over: Promise<void> }[] = [];
  let timer: NodeJS.Timeout | undefined;

  async function letOut(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const gathered = places.reverse();
    places = [];
    for (const { call, over } of gathered) {
      call();
      await Promise.race([over, sleep(LONGEST_TURN_MS, undefined, { ref: false })]);
    }
  }

  return {
    take() {
      const { promise: turn, resolve: call } = Promise.withResolvers<void>();
      const { promise: over, resolve: done } = Promise.withResolvers<void>();
      places.push({ call, over });
      timer ??= setTimeout(() => void letOut(), gatherMs);
      return { turn, done };
    },
    release: () => void letOut(),
  };
}
