import { setImmediate as nextTurn } from 'node:timers/promises';
import { LatchkeyError } from '@latchkey/core/errors';
import type { LedgerEntry } from '#core/deliveries.ts';
import type { IdentityRecord } from '#core/records.ts';
import type { HasuraClient } from '#hasura/client.ts';
import { splitOptional } from './optional-records.ts';
import { batchVariables } from './rows.ts';

/**
 * Writes to the tables and the ledger. What is written at the same time goes out together. Each method resolves
 * only after the commit, and throws LatchkeyError `queue-full`, `shutting-down` and what the
 * {@link HasuraClient} throws: then nothing may be taken as stored.
 */
export interface Writer {
  /** @throws LatchkeyError `record-refused` too, where the database does not take one of the records */
  write(records: readonly IdentityRecord[]): Promise<void>;
  /**
   * Writes a delivery's row of the ledger, and what it says, in one transaction.
   *
   * @returns the row as committed: `dead` where the database does not take the records; where it takes them
   * only in part, `error` says what is missing
   */
  writeDelivery(entry: LedgerEntry, records: readonly IdentityRecord[]): Promise<LedgerEntry>;
  /** Takes no more, and ends when all that was taken is committed. */
  close(): Promise<void>;
}

export interface WriterOptions {
  /** Mutations in flight at once. */
  readonly inFlight: number;
  /** Writes that may wait. */
  readonly queueLimit: number;
  /**
   * How long a write may wait for its turn, in milliseconds. With the engine's own time it stays below
   * what senders wait: a sender that gives up by itself waits much longer before it tries again.
   */
  readonly maxWaitMs?: number;
}

/**
 * Larger batches are hardly faster by themselves and hold their locks for longer, and their senders send
 * nothing meanwhile: of many smaller ones some are written while others are read and answered.
 */
const MAX_BATCH_ROWS = 128;
/** Of payloads in one mutation, and of payloads waiting in memory, where some take ten times as much. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;
const MAX_ATTEMPTS = 3;
/** Answered at once: what is sent to the engine gets out between two groups of answers. */
const ANSWERS_AT_ONCE = 16;
/** Clerk's sender gives up after 15 seconds, of which Hasura may take 10. */
const MAX_WAIT_MS = 4_000;

interface QueuedWrite {
  readonly records: readonly IdentityRecord[];
  /** Undefined where no delivery brought the records. */
  readonly entry: LedgerEntry | undefined;
  /** On the clock of `performance.now()`. */
  readonly since: number;
  readonly rows: number;
  readonly bytes: number;
  /** @param committed the row as committed; undefined as `entry` is */
  resolve(committed: LedgerEntry | undefined): void;
  reject(error: unknown): void;
}

/** Settles the promise of one write. */
type Answer = () => void;

/**
 * Group commit: while a mutation is in flight new writes gather, and when it returns all of them go out as
 * the next one. Alone, a write costs one round trip; under load the batches grow by themselves.
 *
 * A batch that is refused for its data is split until the bad write stands alone; the rest are committed.
 * If that one is a delivery, the organizations are left out that are refused by themselves; if it is still
 * refused, it is kept in the ledger as `dead`.
 */
export function createWriter(
  engine: Pick<HasuraClient, 'writeBatch'>,
  { inFlight, queueLimit, maxWaitMs = MAX_WAIT_MS }: WriterOptions,
): Writer {
  let queue: QueuedWrite[] = [];
  let queuedBytes = 0;
  let running = 0;
  let isClosed = false;
  let onIdle: (() => void) | undefined;
  let expiryTimer: NodeJS.Timeout | undefined;

  function enqueue(
    records: readonly IdentityRecord[],
    entry: LedgerEntry | undefined,
  ): Promise<LedgerEntry | undefined> {
    if (isClosed) {
      return Promise.reject(new LatchkeyError('shutting-down', 'The service is stopping: send it again.'));
    }
    const bytes = entry?.bytes ?? 0;
    if (queue.length >= queueLimit || (queue.length > 0 && queuedBytes + bytes > MAX_QUEUED_BYTES)) {
      return Promise.reject(
        new LatchkeyError('queue-full', 'Too much is waiting to be written: send it again.'),
      );
    }
    const rows = rowCount(records) + (entry === undefined ? 0 : 1);
    return new Promise((resolve, reject) => {
      queue.push({ records, entry, since: performance.now(), rows, bytes, resolve, reject });
      queuedBytes += bytes;
      sendBatches();
      watchQueue();
    });
  }

  function sendBatches(): void {
    while (running < inFlight && queue.length > 0) {
      running += 1;
      void writeAndAnswer(takeBatch());
    }
    if (running === 0) onIdle?.();
  }

  async function writeAndAnswer(batch: readonly QueuedWrite[]): Promise<void> {
    const answers: Answer[] = [];
    try {
      await writeOrSplit(batch, answers);
    } catch (error) {
      // Writes of the batch that were committed before this error keep their answers.
      for (const { reject } of batch) answers.push(() => reject(error));
      if (isUnreachable(error)) rejectQueue(error);
    }
    running -= 1;
    // First the engine gets something to do: answering takes about as long as what it does meanwhile.
    sendBatches();
    for (let answered = 0; answered < answers.length; answered += ANSWERS_AT_ONCE) {
      if (answered > 0) await nextTurn();
      for (const answer of answers.slice(answered, answered + ANSWERS_AT_ONCE)) answer();
    }
  }

  /** Rejects the writes that have waited too long, and looks again when the next one will have. */
  function expire(): void {
    expiryTimer = undefined;
    const now = performance.now();
    const firstInTime = queue.findIndex(({ since }) => now - since < maxWaitMs);
    const late = firstInTime === -1 ? queue : queue.slice(0, firstInTime);
    queue = firstInTime === -1 ? [] : queue.slice(firstInTime);
    for (const { bytes, reject } of late) {
      queuedBytes -= bytes;
      reject(new LatchkeyError('queue-full', 'It could not be written in time: send it again.'));
    }
    watchQueue();
  }

  function watchQueue(): void {
    const [oldest] = queue;
    if (oldest === undefined || expiryTimer !== undefined) return;
    expiryTimer = setTimeout(expire, Math.max(1, oldest.since + maxWaitMs - performance.now())).unref();
  }

  /** Behind an engine that does not answer, each batch would wait for its own timeout. */
  function rejectQueue(error: LatchkeyError): void {
    const rejected = queue;
    queue = [];
    queuedBytes = 0;
    for (const { reject } of rejected) reject(error);
  }

  function takeBatch(): QueuedWrite[] {
    let rows = 0;
    let bytes = 0;
    let count = 0;
    for (const write of queue) {
      rows += write.rows;
      bytes += write.bytes;
      if (count > 0 && (rows > MAX_BATCH_ROWS || bytes > MAX_BATCH_BYTES)) break;
      queuedBytes -= write.bytes;
      count += 1;
    }
    const batch = queue.slice(0, count);
    queue = queue.slice(count);
    return batch;
  }

  async function writeOrSplit(batch: readonly QueuedWrite[], answers: Answer[]): Promise<void> {
    try {
      const entries = batch.flatMap(({ entry }) => entry ?? []);
      await commit(
        batch.flatMap(({ records }) => records),
        entries,
      );
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const [first] = batch;
      if (batch.length === 1 && first !== undefined) return writeRefused(first, error, answers);
      const middle = Math.ceil(batch.length / 2);
      await writeOrSplit(batch.slice(0, middle), answers);
      await writeOrSplit(batch.slice(middle), answers);
      return;
    }
    for (const { entry, resolve } of batch) answers.push(() => resolve(entry));
  }

  async function commit(
    records: readonly IdentityRecord[],
    entries: readonly LedgerEntry[] = [],
  ): Promise<void> {
    const variables = batchVariables(records, entries);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await engine.writeBatch(variables);
        return;
      } catch (error) {
        const isConflict = error instanceof LatchkeyError && error.code === 'engine-busy';
        if (!isConflict || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** Writes as much as the database takes of a write that it refuses by itself. */
  async function writeRefused(
    { entry, records, resolve, reject }: QueuedWrite,
    refusal: LatchkeyError,
    answers: Answer[],
  ): Promise<void> {
    if (entry === undefined) {
      answers.push(() => reject(refusal));
      return;
    }
    const { core, parts } = splitOptional(records, entry.subject);
    let reason = refusal.message;
    if (parts.length > 0) {
      try {
        const leftOut = await writeParts(parts);
        const error = leftOut.length === 0 ? null : `Left out: ${leftOut.join('; ')}`;
        const partly = { ...entry, error };
        await commit(core, [partly]);
        answers.push(() => resolve(partly));
        return;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        reason = error.message;
      }
    }
    const dead = await markDead(entry, reason);
    answers.push(() => resolve(dead));
  }

  /** @returns of each part that is refused by itself, why */
  async function writeParts(parts: readonly (readonly IdentityRecord[])[]): Promise<string[]> {
    try {
      await commit(parts.flat());
      return [];
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (parts.length === 1) return [error.message];
      const middle = Math.ceil(parts.length / 2);
      return [...(await writeParts(parts.slice(0, middle))), ...(await writeParts(parts.slice(middle)))];
    }
  }

  async function markDead(entry: LedgerEntry, reason: string): Promise<LedgerEntry> {
    const dead = { ...entry, status: 'dead', error: reason } as const;
    try {
      await commit([], [dead]);
      return dead;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // It is the payload itself that cannot be stored.
      const withoutPayload = { ...dead, payload: null };
      await commit([], [withoutPayload]);
      return withoutPayload;
    }
  }

  return {
    async write(records) {
      await enqueue(records, undefined);
    },
    async writeDelivery(entry, records) {
      return (await enqueue(records, entry)) ?? entry;
    },
    async close() {
      isClosed = true;
      if (running > 0) {
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

function isUnreachable(error: unknown): error is LatchkeyError {
  return error instanceof LatchkeyError && error.code === 'engine-unreachable';
}

/** A membership brings its parents' rows along. */
function rowCount(records: readonly IdentityRecord[]): number {
  return records.reduce((sum, { kind }) => sum + (kind === 'membership' ? 3 : 1), 0);
}
