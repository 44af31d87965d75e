import { randomUUID } from 'node:crypto';
import { LatchkeyError } from '@latchkey/core/errors';
import { z } from 'zod';
import type { Instant, ProviderName } from '#core/records.ts';
import type { HasuraClient } from '#hasura/client.ts';
import {
  BeginRunDocument,
  KeysOfRunDocument,
  NoteRunDocument,
  type NoteRunMutationVariables,
  TakeRunDocument,
  UnfinishedRunDocument,
} from '#hasura/generated/documents.ts';

export type Task = 'backfill' | 'drift' | 'repair';

export interface RunOptions {
  readonly provider: ProviderName;
  readonly task: Task;
  /** Whether a run that is alive, or was a moment ago, may be pushed aside. */
  readonly takeOver?: boolean | undefined;
  /** Whether to begin anew where an earlier one was cut off. */
  readonly restart?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is saved of a run: for operators, and so that another process can go on with it. */
export interface Progress {
  readonly cursor?: string;
  readonly counts: object;
  readonly drift?: object;
}

/** What an earlier process has saved of this run. */
export interface ResumePoint {
  readonly cursor: string;
  /** As {@link Progress} told it. */
  readonly counts: unknown;
  readonly drift: unknown;
  /** What was saved with {@link Run.saveKeys}. */
  savedKeys(): AsyncIterable<Buffer>;
}

export interface Run {
  /** When the run began, whichever process began it. */
  readonly startedAt: Instant;
  /** Where the process before this one stopped. */
  readonly resumed: ResumePoint | undefined;
  /** Aborted when the caller's signal is, or when another process has taken the run over. */
  readonly signal: AbortSignal;
  /** How far it is: written to the run's row every few seconds. */
  saveProgress(progress: Progress): void;
  /** Adds keys that are written with the progress, in the same transaction. */
  saveKeys(bytes: Buffer): void;
}

const SAVE_INTERVAL_MS = 2_000;
/** Longer than the engine is away for a restart, and short enough for an operator to wait. */
const STALE_AFTER_MS = 30_000;
const MAX_ATTEMPTS = 3;
/** A listing that has been going on for longer says too little of what is there now. */
const MAX_REPAIR_MS = 6 * 3_600_000;
const NO_ID = '00000000-0000-0000-0000-000000000000';
/** Each is some 100 KB of a large directory. */
const KEY_ROWS_PER_PAGE = 20;

const CURSOR = z.string().optional().catch(undefined);

/**
 * Does a provider's reconcile under the one row that says so. The database refuses a second unfinished
 * row, so no two processes reconcile a provider at once; whoever holds the row says every few seconds
 * that it is alive. A backfill or repair that ends early stays unfinished, and the next one goes on at its
 * cursor; not where a repair was refused, or would go on with a listing of hours ago.
 *
 * @throws LatchkeyError `reconcile-under-way` where another process is at it, or takes over later
 */
export async function withRun<T>(
  engine: Pick<HasuraClient, 'request'>,
  options: RunOptions,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  const holder = randomUUID();
  const { id, startedAt, resumed } = await begin(engine, options, holder);
  const takenOver = new AbortController();
  const signals = [takenOver.signal, ...(options.signal === undefined ? [] : [options.signal])];
  // Nothing is saved before there is progress: what the process before this one saved stands.
  let progress: Partial<Progress> = {};
  let unsaved: Buffer[] = [];

  async function save(set: NoteRunMutationVariables['set']): Promise<void> {
    // Nobody goes on with a run that has ended.
    const savedKeys = set.finished_at === undefined ? unsaved : [];
    unsaved = [];
    const keys = Buffer.concat(savedKeys).toString('base64');
    const saved = await engine
      .request(NoteRunDocument, {
        id,
        holder,
        set: { heard_at: iso(), ...set },
        keys: keys === '' ? [] : [{ reconcile_id: id, keys }],
      })
      .catch((error: unknown) => {
        // The keys go with the next save, together with the progress that counts on them.
        unsaved = [...savedKeys, ...unsaved];
        throw error;
      });
    if (saved.update_identity_reconciles?.affected_rows === 1) return;
    throw new LatchkeyError(
      'reconcile-under-way',
      `Another process has taken the ${options.task} of ${options.provider} over: this one stops.`,
    );
  }

  let saving: Promise<void> | undefined;
  const timer = setInterval(() => {
    saving ??= save(progress)
      .catch((error: unknown) => {
        // An engine that is away for a moment is no reason to stop; the next save shows.
        if (!(error instanceof LatchkeyError && error.retriable)) takenOver.abort(error);
      })
      .finally(() => {
        saving = undefined;
      });
  }, SAVE_INTERVAL_MS);
  const stopSaving = async (): Promise<void> => {
    clearInterval(timer);
    await saving;
  };

  try {
    const result = await work({
      startedAt,
      resumed,
      signal: AbortSignal.any(signals),
      saveProgress(next) {
        progress = next;
      },
      saveKeys(bytes) {
        unsaved.push(bytes);
      },
    });
    await stopSaving();
    await save({ ...progress, finished_at: iso(), cursor: null });
    return result;
  } catch (error) {
    await stopSaving();
    const reason = error instanceof LatchkeyError ? error.message : 'stopped';
    const hasCursor = progress.cursor !== undefined || resumed !== undefined;
    const isRefusal = error instanceof LatchkeyError && error.code === 'repair-refused';
    const isResumable = options.task === 'backfill' || (hasCursor && !isRefusal);
    await save({
      error: reason,
      ...progress,
      // A heartbeat at the epoch: nobody need wait to go on from here.
      ...(isResumable ? { heard_at: iso(0) } : { finished_at: iso() }),
    }).catch(() => {
      // Then it stays unfinished, and is taken over when it has been silent for long enough.
    });
    throw takenOver.signal.aborted ? takenOver.signal.reason : error;
  }
}

/** Saves a run that locks nothing and has ended already. */
export async function recordRun(
  engine: Pick<HasuraClient, 'request'>,
  { provider, task }: Pick<RunOptions, 'provider' | 'task'>,
  startedAt: Instant,
  { counts, drift = {} }: Progress,
): Promise<void> {
  const run = { provider, task, started_at: iso(startedAt), finished_at: iso(), counts, drift };
  await engine.request(BeginRunDocument, { run });
}

async function begin(
  engine: Pick<HasuraClient, 'request'>,
  { provider, task, takeOver = false, restart = false }: RunOptions,
  holder: string,
): Promise<{ id: string; startedAt: Instant; resumed: ResumePoint | undefined }> {
  for (let attempt = 1; ; attempt += 1) {
    const startedAt = Date.now();
    const run = { provider, task, holder, started_at: iso(startedAt), heard_at: iso(startedAt) };
    try {
      const { insert_identity_reconciles_one: begun } = await engine.request(BeginRunDocument, { run });
      if (begun !== null) return { id: begun.id, startedAt, resumed: undefined };
    } catch (error) {
      const isTaken = error instanceof LatchkeyError && error.code === 'record-refused';
      if (!isTaken || attempt === MAX_ATTEMPTS) throw error;
    }

    const [other] = (await engine.request(UnfinishedRunDocument, { provider })).identity_reconciles;
    // It has finished just now.
    if (other === undefined) continue;
    const silentFor = Date.now() - Date.parse(other.heard_at);
    if (!takeOver && silentFor < STALE_AFTER_MS) throw underWayError(provider, other, silentFor);
    const startedBefore = Date.parse(other.started_at);
    const cursor = CURSOR.parse(other.cursor ?? undefined);
    const isWorthIt =
      task === 'backfill' || (cursor !== undefined && startedAt - startedBefore < MAX_REPAIR_MS);
    const resumes = task === other.task && isWorthIt && !restart;
    const taken = await engine.request(TakeRunDocument, {
      id: other.id,
      // It may have come back to life meanwhile.
      silentSince: takeOver ? iso(Date.now() + STALE_AFTER_MS) : other.heard_at,
      set: resumes
        ? { holder, heard_at: iso(), error: null }
        : { holder, finished_at: iso(), error: 'It was cut off, and another run began anew.' },
    });
    if (!resumes || taken.update_identity_reconciles?.affected_rows !== 1) continue;
    const { id, counts, drift } = other;
    return {
      id,
      startedAt: startedBefore,
      resumed:
        cursor === undefined
          ? undefined
          : { counts, drift, cursor, savedKeys: () => readSavedKeys(engine, other.id) },
    };
  }
}

async function* readSavedKeys(engine: Pick<HasuraClient, 'request'>, id: string): AsyncGenerator<Buffer> {
  let after = NO_ID;
  for (;;) {
    const { identity_reconcile_keys: rows } = await engine.request(KeysOfRunDocument, {
      id,
      after,
      limit: KEY_ROWS_PER_PAGE,
    });
    for (const { keys } of rows) yield Buffer.from(keys, 'base64');
    const last = rows.at(-1);
    if (last === undefined || rows.length < KEY_ROWS_PER_PAGE) return;
    after = last.id;
  }
}

function underWayError(
  provider: ProviderName,
  other: { task: string; started_at: string },
  silentFor: number,
): LatchkeyError {
  return new LatchkeyError(
    'reconcile-under-way',
    `A ${other.task} of ${provider} is under way since ${other.started_at} (its process was alive ${Math.round(silentFor / 1000)} s ago): let it end. If that process is gone, wait ${STALE_AFTER_MS / 1000} s or use --take-over.`,
  );
}

function iso(instant: Instant = Date.now()): string {
  return new Date(instant).toISOString();
}
