import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from './endpoint.ts';
import type { Faults } from './faults.ts';
import type { StandInAttempt } from './provider.ts';
import { createTurns, type TurnOptions } from './turns.ts';

/** One attempt to deliver a message. */
export interface Attempt<Message> extends StandInAttempt {
  message: Message;
}

export interface DeliveryQueueOptions<Message> {
  /** One attempt; rejects, or settles with undefined, where there is no answer. Any 2xx counts as delivered. */
  attempt(message: Message, signal: AbortSignal): Promise<number | undefined>;
  /** The type of the event, in the provider's words. */
  typeOf(message: Message): string;
  /** The waits between attempts, in milliseconds: one attempt more than there are waits. */
  scheduleMs: readonly number[];
  /** How long one attempt may take. */
  timeoutMs: number;
  turns: TurnOptions<Message>;
  /** Nothing goes out before it is known. */
  endpoint: Endpoint;
  faults?: Faults | undefined;
  onAttempt?: ((attempt: Attempt<Message>) => void) | undefined;
}

export interface DeliveryQueue<Message> {
  /** Queues a message; settles when it is delivered (true) or given up (false). */
  send(message: Message): Promise<boolean>;
  /** Settles when each message was tried once, however it went, or is held back. */
  tried(): Promise<void>;
  /** Settles when nothing is queued or under way. */
  idle(): Promise<void>;
  /** Gives up what is left. */
  close(): Promise<void>;
}

/** Delivers at least once, as a provider does: by turns, each message again and again until it is taken. */
export function createDeliveryQueue<Message>(options: DeliveryQueueOptions<Message>): DeliveryQueue<Message> {
  const { attempt, typeOf, scheduleMs, timeoutMs, endpoint, faults, onAttempt } = options;
  const closing = new AbortController();
  const closed = new Promise<void>((resolve) => closing.signal.addEventListener('abort', () => resolve()));
  const turns = createTurns(options.turns, closing.signal);
  const underWay = new Set<Promise<boolean>>();
  const untried = new Set<Promise<void>>();

  async function once(message: Message): Promise<number | undefined> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]);
    return attempt(message, signal).catch(() => undefined);
  }

  async function deliver(message: Message, onTried: () => void): Promise<boolean> {
    const type = typeOf(message);
    if (endpoint.url() === undefined) {
      // Nobody waits for those: it may be long.
      onTried();
      await Promise.race([endpoint.known, closed]);
    }
    for (let number = 1; !closing.signal.aborted; number += 1) {
      const plan = faults?.onWebhook(type);
      if (plan?.held !== undefined) {
        onTried();
        await Promise.race([plan.held, closed]);
      }
      const over = await turns.take(message);
      let status: number | undefined;
      try {
        if (closing.signal.aborted) return false;
        const isSent = plan?.lost !== true && plan?.dropped !== true;
        if (isSent) status = await once(message);
        if (isSent && plan?.duplicated === true) await once(message);
      } finally {
        over();
        plan?.done();
      }
      const delivered = status !== undefined && status >= 200 && status < 300;
      const wait = plan?.lost === true ? undefined : scheduleMs[number - 1];
      const willRetry = !delivered && wait !== undefined && !closing.signal.aborted;
      onAttempt?.({ message, type, number, status, delivered, willRetry });
      onTried();
      if (delivered || wait === undefined) return delivered;
      await sleep(wait, undefined, { signal: closing.signal }).catch(() => {});
    }
    return false;
  }

  return {
    send(message) {
      const { promise: first, resolve: onTried } = Promise.withResolvers<void>();
      untried.add(first);
      const delivery = deliver(message, onTried).finally(() => {
        onTried();
        underWay.delete(delivery);
      });
      void first.then(() => untried.delete(first));
      underWay.add(delivery);
      return delivery;
    },
    async tried() {
      while (untried.size > 0) await Promise.all(untried);
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    async close() {
      closing.abort();
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
