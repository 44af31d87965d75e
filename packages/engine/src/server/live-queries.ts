/**
 * Live queries and streams: one poll per shape of subscription answers all its clients. A client hears only
 * of answers that differ from the last one it got.
 */
import { createHash } from 'node:crypto';
import { type EngineError, toEngineError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { PollAnswer, Subscription } from '#execute/operation.ts';

export interface Listener {
  /** JSON text, `{"data":…}`. */
  next(body: string): void;
  /** @param isFirst there has been no answer before */
  error(error: EngineError, isFirst: boolean): void;
}

export interface PollingOptions {
  readonly refetchIntervalMs: number;
  /** How many cohorts one statement answers at most. */
  readonly batchSize: number;
}

export interface LiveQueries {
  /** Starts answering `listener`; the first answer comes at once. Returns what stops it. */
  subscribe(subscription: Subscription, listener: Listener): () => void;
  close(): void;
}

interface Cohort {
  readonly subscription: Subscription;
  readonly listeners: Set<Listener>;
  /** Those that have had no answer yet. */
  readonly fresh: Set<Listener>;
  /** Digest of the last answer: answers may be large, and there may be many. */
  last: string | undefined;
  cursor: unknown;
}

interface Poller {
  readonly cohorts: Map<string, Cohort>;
  timer: NodeJS.Timeout | undefined;
  /** Polls of one shape run one after the other, so that answers keep their order. */
  queue: Promise<void>;
}

export function createLiveQueries(
  options: { readonly live: PollingOptions; readonly streaming: PollingOptions },
  log: Logger,
): LiveQueries {
  const pollers = new Map<string, Poller>();
  let serial = 0;

  const poll = async (poller: Poller, cohorts: readonly Cohort[], batchSize: number) => {
    for (let start = 0; start < cohorts.length; start += batchSize) {
      const batch = cohorts.slice(start, start + batchSize).filter(({ listeners }) => listeners.size > 0);
      const [first] = batch;
      if (first === undefined) continue;
      const answers = await first.subscription
        .poll(batch.map(({ subscription, cursor }) => ({ subscription, cursor })))
        .catch((thrown: unknown): readonly PollAnswer[] => {
          const error = toEngineError(thrown);
          log.error('subscription', { error: error.message, internal: error.internal });
          return batch.map(() => ({ error }));
        });
      for (const [index, cohort] of batch.entries()) deliver(cohort, answers[index]);
    }
    if (poller.cohorts.size === 0 && poller.timer !== undefined) clearTimeout(poller.timer);
  };

  const schedule = (poller: Poller, { refetchIntervalMs, batchSize }: PollingOptions) => {
    poller.timer = setTimeout(() => {
      poller.queue = poller.queue
        .then(() => poll(poller, [...poller.cohorts.values()], batchSize))
        .then(() => {
          if (poller.cohorts.size > 0) schedule(poller, { refetchIntervalMs, batchSize });
        });
    }, refetchIntervalMs);
  };

  return {
    subscribe(subscription, listener) {
      const { shape, streaming } = subscription;
      const polling = streaming ? options.streaming : options.live;
      let poller = pollers.get(shape);
      if (poller === undefined) {
        poller = { cohorts: new Map(), timer: undefined, queue: Promise.resolve() };
        pollers.set(shape, poller);
        schedule(poller, polling);
      }
      const mine = poller;
      serial += 1;
      // Every stream has a cursor of its own.
      const key = streaming ? `${subscription.cohort}\0${serial}` : subscription.cohort;
      const cohort = mine.cohorts.get(key) ?? {
        subscription,
        listeners: new Set(),
        fresh: new Set(),
        last: undefined,
        cursor: undefined,
      };
      mine.cohorts.set(key, cohort);
      cohort.listeners.add(listener);
      cohort.fresh.add(listener);
      mine.queue = mine.queue.then(() =>
        cohort.fresh.has(listener) ? poll(mine, [cohort], polling.batchSize) : undefined,
      );
      return () => {
        cohort.listeners.delete(listener);
        cohort.fresh.delete(listener);
        if (cohort.listeners.size > 0 || mine.cohorts.get(key) !== cohort) return;
        mine.cohorts.delete(key);
        if (mine.cohorts.size > 0 || pollers.get(shape) !== mine) return;
        clearTimeout(mine.timer);
        pollers.delete(shape);
      };
    },
    close() {
      for (const poller of pollers.values()) {
        clearTimeout(poller.timer);
        poller.cohorts.clear();
      }
      pollers.clear();
    },
  };
}

function deliver(cohort: Cohort, answer: PollAnswer | undefined): void {
  if (answer === undefined) return;
  if ('error' in answer) {
    const digest = `error ${answer.error.code} ${answer.error.message}`;
    const fresh = new Set(cohort.fresh);
    for (const listener of targets(cohort, digest)) listener.error(answer.error, fresh.has(listener));
    return;
  }
  if (answer.cursor !== undefined) cohort.cursor = answer.cursor;
  const { body } = answer;
  if (body === undefined) return;
  // A stream's answers are news by themselves.
  const digest = cohort.subscription.streaming ? undefined : createHash('sha1').update(body).digest('base64');
  for (const listener of targets(cohort, digest)) listener.next(body);
}

/** Everyone where the answer is new, else those that have had none. */
function targets(cohort: Cohort, digest: string | undefined): Listener[] {
  const changed = digest === undefined || digest !== cohort.last;
  const list = [...(changed ? cohort.listeners : cohort.fresh)];
  cohort.last = digest;
  cohort.fresh.clear();
  return list;
}
