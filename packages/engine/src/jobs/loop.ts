/** A loop with pauses that can be ended early. */

export interface Loop {
  /** Ends the current pause, or the next one if a turn is running. */
  wake(): void;
  /** Starts no further turn; resolves when the current one is over. */
  close(): Promise<void>;
}

const AFTER_FAILURE_MS = 1000;

/** @param turn returns the milliseconds to pause for before the next turn */
export function createLoop(turn: () => Promise<number>, onError: (error: unknown) => void): Loop {
  let closed = false;
  let woken = false;
  let endPause: (() => void) | undefined;
  const wake = () => {
    woken = true;
    endPause?.();
  };
  const pause = async (milliseconds: number) => {
    if (closed || woken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    endPause = undefined;
  };
  const run = async () => {
    while (!closed) {
      woken = false;
      try {
        await pause(await turn());
      } catch (error) {
        onError(error);
        await pause(AFTER_FAILURE_MS);
      }
    }
  };
  const over = run();
  return {
    wake,
    async close() {
      closed = true;
      wake();
      await over;
    },
  };
}
