import { setImmediate as nextTurn } from 'node:timers/promises';
import { LatchkeyError } from '@latchkey/core/errors';
import type { DeliveryStatus, LedgerEntry } from '#core/deliveries.ts';
import type { IdentityRecord } from '#core/records.ts';
import type { HasuraClient } from '#hasura/client.ts';
import { splitOptional } from './optional-records.ts';
import { batchOf, type Entry } from './rows.ts';

/** How an entry ended, once that is committed. */
export interface Settlement {
  readonly status: DeliveryStatus;
  /** Why it is dead or ignored or, of an applied one, what was left out of it. */
  readonly error: string | null;
}

export interface Writer {
  /**
   * Writes an entry together with everything else that is waiting. Fulfilled only after the commit.
   *
   * @throws LatchkeyError `queue-full`, `shutting-down`, what the {@link HasuraClient} throws, and
   * `record-refused` for an entry without a delivery; nothing may be taken as stored then
   */
  write(entry: Entry): Promise<Settlement>;
  /** Takes no more, and ends when all that was taken is settled. */
  close(): Promise<void>;
}

export interface WriterOptions {
  /** Mutations under way at once. */
  readonly inFlight: number;
  /** Entries that may wait. */
  readonly queueLimit: number;
  /**
   * How long an entry may wait for its turn, in milliseconds. With the engine's own time it stays below
   * what senders wait: who gives up by themselves wait much longer before they come back.
   */
  readonly longestWaitMs?: number;
}

/**
 * Larger ones are hardly faster by themselves and hold their locks for longer, and those who wait for them
 * send nothing meanwhile: of many smaller ones some are written while others are read and answered.
 */
const MOST_ROWS = 128;
/** Of payloads in one mutation, and of payloads waiting in memory, where some take ten times as much. */
const MOST_BATCH_BYTES = 4 * 1024 * 1024;
const MOST_QUEUED_BYTES = 16 * 1024 * 1024;
const MOST_ATTEMPTS = 3;
/** Answered at once: what is sent to the engine gets out between two lots of answers. */
const MOST_ANSWERS = 16;

/** Clerk's sender gives up after 15 seconds, of which Hasura may take 10. */
const LONGEST_WAIT_MS = 4_000;

interface Waiting {
  readonly entry: Entry;
  /** On the clock of `performance.now()`. */
  readonly since: number;
  readonly rows: number;
  readonly bytes: number;
  resolve(settlement: Settlement): void;
  reject(error: unknown): void;
}

/** Tells one that waited how it ended. */
type Answer = () => void;

/**
 * Group commit: while a mutation is under way new entries gather, and when it returns all of them go
 * out as the next one. Alone, an entry costs one round trip; under load the batches grow by themselves.
 *
 * A batch that is refused for its data is split until the bad entry stands alone; the rest are committed.
 * Of that one the organizations are left out that are refused by themselves; if it does not stand without
 * them, it is kept in the ledger as `dead`.
 */
export function createWriter(
  engine: Pick<HasuraClient, 'writeBatch'>,
  { inFlight, queueLimit, longestWaitMs = LONGEST_WAIT_MS }: WriterOptions,
): Writer {
  let queue: Waiting[] = [];
  let queuedBytes = 0;
  let underWay = 0;
  let isClosed = false;
  let onIdle: (() => void) | undefined;
  let expiry: NodeJS.Timeout | undefined;

  function pump(): void {
    while (underWay < inFlight && queue.length > 0) {
      underWay += 1;
      void writeAndAnswer(takeBatch());
    }
    if (underWay === 0) onIdle?.();
  }

  async function writeAndAnswer(batch: readonly Waiting[]): Promise<void> {
    const answers: Answer[] = [];
    try {
      await settle(batch, answers);
    } catch (error) {
      // Those of the batch that were settled before this error stay settled.
      for (const { reject } of batch) answers.push(() => reject(error));
      if (isSilence(error)) giveUpWaiting(error);
    }
    underWay -= 1;
    // First the engine gets something to do: answering takes about as long as what it does meanwhile.
    pump();
    for (let answered = 0; answered < answers.length; answered += MOST_ANSWERS) {
      if (answered > 0) await nextTurn();
      for (const answer of answers.slice(answered, answered + MOST_ANSWERS)) answer();
    }
  }

  /** Turns away who has waited too long, and looks again when the next one will have. */
  function expire(): void {
    expiry = undefined;
    const now = performance.now();
    const firstInTime = queue.findIndex(({ since }) => now - since < longestWaitMs);
    const late = firstInTime === -1 ? queue : queue.slice(0, firstInTime);
    queue = firstInTime === -1 ? [] : queue.slice(firstInTime);
    for (const { bytes, reject } of late) {
      queuedBytes -= bytes;
      reject(new LatchkeyError('queue-full', 'It could not be written in time: send it again.'));
    }
    watchWaiting();
  }

  function watchWaiting(): void {
    const [oldest] = queue;
    if (oldest === undefined || expiry !== undefined) return;
    expiry = setTimeout(expire, Math.max(1, oldest.since + longestWaitMs - performance.now())).unref();
  }

  /** Behind an engine that does not answer each batch would wait its whole time in turn. */
  function giveUpWaiting(error: LatchkeyError): void {
    const given = queue;
    queue = [];
    queuedBytes = 0;
    for (const { reject } of given) reject(error);
  }

  function takeBatch(): Waiting[] {
    let rows = 0;
    let bytes = 0;
    let count = 0;
    for (const waiting of queue) {
      rows += waiting.rows;
      bytes += waiting.bytes;
      if (count > 0 && (rows > MOST_ROWS || bytes > MOST_BATCH_BYTES)) break;
      queuedBytes -= waiting.bytes;
      count += 1;
    }
    const batch = queue.slice(0, count);
    queue = queue.slice(count);
    return batch;
  }

  async function settle(batch: readonly Waiting[], answers: Answer[]): Promise<void> {
    try {
      await commit(batch.map(({ entry }) => entry));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const [first] = batch;
      if (batch.length === 1 && first !== undefined) return settleAlone(first, error, answers);
      const middle = Math.ceil(batch.length / 2);
      await settle(batch.slice(0, middle), answers);
      await settle(batch.slice(middle), answers);
      return;
    }
    for (const { entry, resolve } of batch) {
      const { status = 'applied', error = null } = entry.delivery ?? {};
      answers.push(() => resolve({ status, error }));
    }
  }

  async function commit(entries: readonly Entry[]): Promise<void> {
    const variables = batchOf(entries);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await engine.writeBatch(variables);
        return;
      } catch (error) {
        const isInTheWay = error instanceof LatchkeyError && error.code === 'engine-busy';
        if (!isInTheWay || attempt === MOST_ATTEMPTS) throw error;
      }
    }
  }

  async function settleAlone(
    { entry: { delivery, records }, resolve, reject }: Waiting,
    why: LatchkeyError,
    answers: Answer[],
  ): Promise<void> {
    if (delivery === undefined) {
      answers.push(() => reject(why));
      return;
    }
    const { core, parts } = splitOptional(records, delivery.subject);
    let reason = why.message;
    if (parts.length > 0) {
      try {
        const leftOut = await writeParts(parts);
        const error = leftOut.length === 0 ? null : `Left out: ${leftOut.join('; ')}`;
        await commit([{ records: core, delivery: { ...delivery, error } }]);
        answers.push(() => resolve({ status: delivery.status, error }));
        return;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        reason = error.message;
      }
    }
    await markDead(delivery, reason);
    answers.push(() => resolve({ status: 'dead', error: reason }));
  }

  /** @returns of each part that is refused by itself, why */
  async function writeParts(parts: readonly (readonly IdentityRecord[])[]): Promise<string[]> {
    try {
      await commit([{ records: parts.flat() }]);
      return [];
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (parts.length === 1) return [error.message];
      const middle = Math.ceil(parts.length / 2);
      return [...(await writeParts(parts.slice(0, middle))), ...(await writeParts(parts.slice(middle)))];
    }
  }

  async function markDead(delivery: LedgerEntry, reason: string): Promise<void> {
    const dead = { ...delivery, status: 'dead', error: reason } as const;
    try {
      await commit([{ records: [], delivery: dead }]);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // It is the payload itself that cannot be stored.
      await commit([{ records: [], delivery: { ...dead, payload: null } }]);
    }
  }

  return {
    write(entry) {
      if (isClosed) {
        return Promise.reject(new LatchkeyError('shutting-down', 'The service is stopping: send it again.'));
      }
      const { rows, bytes } = sizeOf(entry);
      if (queue.length >= queueLimit || (queue.length > 0 && queuedBytes + bytes > MOST_QUEUED_BYTES)) {
        return Promise.reject(
          new LatchkeyError('queue-full', 'Too much is waiting to be written: send it again.'),
        );
      }
      return new Promise((resolve, reject) => {
        queue.push({ entry, since: performance.now(), rows, bytes, resolve, reject });
        queuedBytes += bytes;
        pump();
        watchWaiting();
      });
    },
    async close() {
      isClosed = true;
      if (underWay > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
        });
      }
    },
  };
}

function isRefusal(error: unknown): error is LatchkeyError {
  return error instanceof LatchkeyError && error.code === 'record-refused';
}

function isSilence(error: unknown): error is LatchkeyError {
  return error instanceof LatchkeyError && error.code === 'engine-unreachable';
}

/** A membership brings its parents' rows along. */
function sizeOf({ records, delivery }: Entry): { rows: number; bytes: number } {
  const rows = records.reduce((sum, { kind }) => sum + (kind === 'membership' ? 3 : 1), 0);
  return { rows: rows + (delivery === undefined ? 0 : 1), bytes: delivery?.bytes ?? 0 };
}
