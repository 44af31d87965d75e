import { setTimeout as sleep } from 'node:timers/promises';

export interface TurnOptions<Message> {
  /** How many may be under way at once. */
  concurrency: number;
  /** How often the queue is looked into; whatever comes goes out at once without it. */
  pollMs?: number | undefined;
  /** Which of those that wait goes first, where the queue is looked into. */
  compare?: (one: Message, other: Message) => number;
}

/** Who may send when: a provider's queue, without its retries. */
export interface Turns<Message> {
  /** Settles when it is this message's turn, with what to call when it is over. */
  take(message: Message): Promise<() => void>;
}

/** @param closing lets everybody out, for what is left is given up */
export function createTurns<Message>(
  { concurrency, pollMs, compare = () => 0 }: TurnOptions<Message>,
  closing: AbortSignal,
): Turns<Message> {
  type Waiting = { message: Message; call: (over: () => void) => void };
  let arrived: Waiting[] = [];
  const ready: Waiting[] = [];
  let busy = 0;
  let isPolling = false;

  function next(): void {
    while (busy < concurrency || closing.aborted) {
      const waiting = ready.shift();
      if (waiting === undefined) return;
      busy += 1;
      let isOver = false;
      waiting.call(() => {
        if (isOver) return;
        isOver = true;
        busy -= 1;
        next();
      });
    }
  }

  function letIn(): void {
    ready.push(...arrived.sort((one, other) => compare(one.message, other.message)));
    arrived = [];
    next();
  }

  async function poll(): Promise<void> {
    if (isPolling) return;
    isPolling = true;
    while (arrived.length > 0) {
      await sleep(pollMs, undefined, { signal: closing }).catch(() => {});
      if (ready.length === 0 || closing.aborted) letIn();
    }
    isPolling = false;
  }

  return {
    take(message) {
      return new Promise((call) => {
        arrived.push({ message, call });
        if (pollMs === undefined) letIn();
        else void poll();
      });
    },
  };
}
