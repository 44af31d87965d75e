/** Something done over and over, with pauses that end early when there is reason to. */

export interface Loop {
  /** Ends the pause at hand, or the next one if a turn is under way. */
  wake(): void;
  /** No further turn begins; resolves when the one under way is over. */
  close(): Promise<void>;
}

const AFTER_FAILURE_MS = 1000;

/** @param turn gives the milliseconds to pause for before the next turn */
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
