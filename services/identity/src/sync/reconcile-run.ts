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

/** What is written down of a run: for whoever looks, and so that another process can go on with it. */
export interface Progress {
  readonly cursor?: string;
  readonly counts: object;
  readonly drift?: object;
}

/** What an earlier process has written down of this run. */
export interface Resumed {
  readonly cursor: string;
  /** As {@link Progress} told it. */
  readonly counts: unknown;
  readonly drift: unknown;
  /** What was kept with {@link Run.keep}. */
  kept(): AsyncIterable<Buffer>;
}

export interface Run {
  /** When the run began, whichever process began it. */
  readonly startedAt: Instant;
  /** Where the process before this one stopped. */
  readonly resumed: Resumed | undefined;
  /** Aborted when the caller's signal is, or when another process has taken the run over. */
  readonly signal: AbortSignal;
  /** Notes how far it is. Written down every few seconds. */
  reached(progress: Progress): void;
  /** Adds to what is written down beside the progress, in the same transaction. */
  keep(bytes: Buffer): void;
}

const NOTE_EVERY_MS = 2_000;
/** Longer than the engine may be away for a restart, and shorter than anybody's patience. */
const SILENT_AFTER_MS = 30_000;
const MOST_ATTEMPTS = 3;
/** A listing that has been going on for longer says too little of what is there now. */
const LONGEST_REPAIR_MS = 6 * 3_600_000;
const NO_ID = '00000000-0000-0000-0000-000000000000';
/** Each is some 100 KB of a large directory. */
const KEPT_AT_ONCE = 20;

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
  engine: Pick<HasuraClient, 'ask'>,
  options: RunOptions,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  const holder = randomUUID();
  const { id, startedAt, resumed } = await begin(engine, options, holder);
  const lost = new AbortController();
  const signals = [lost.signal, ...(options.signal === undefined ? [] : [options.signal])];
  // Nothing is noted before there is news: what the process before this one noted stands.
  let progress: Partial<Progress> = {};
  let unkept: Buffer[] = [];

  async function note(set: NoteRunMutationVariables['set']): Promise<void> {
    // Nobody goes on with a run that has ended.
    const kept = set.finished_at === undefined ? unkept : [];
    unkept = [];
    const keys = Buffer.concat(kept).toString('base64');
    const noted = await engine
      .ask(NoteRunDocument, {
        id,
        holder,
        set: { heard_at: iso(), ...set },
        keys: keys === '' ? [] : [{ reconcile_id: id, keys }],
      })
      .catch((error: unknown) => {
        // It goes with the next note, together with the progress that counts on it.
        unkept = [...kept, ...unkept];
        throw error;
      });
    if (noted.update_identity_reconciles?.affected_rows === 1) return;
    throw new LatchkeyError(
      'reconcile-under-way',
      `Another process has taken the ${options.task} of ${options.provider} over: this one stops.`,
    );
  }

  let noting: Promise<void> | undefined;
  const timer = setInterval(() => {
    noting ??= note(progress)
      .catch((error: unknown) => {
        // An engine that is away for a moment is no reason to stop; the next note tells.
        if (!(error instanceof LatchkeyError && error.retriable)) lost.abort(error);
      })
      .finally(() => {
        noting = undefined;
      });
  }, NOTE_EVERY_MS);
  const stopNoting = async (): Promise<void> => {
    clearInterval(timer);
    await noting;
  };

  try {
    const result = await work({
      startedAt,
      resumed,
      signal: AbortSignal.any(signals),
      reached(reached) {
        progress = reached;
      },
      keep(bytes) {
        unkept.push(bytes);
      },
    });
    await stopNoting();
    await note({ ...progress, finished_at: iso(), cursor: null });
    return result;
  } catch (error) {
    await stopNoting();
    const reason = error instanceof LatchkeyError ? error.message : 'stopped';
    const hasCursor = progress.cursor !== undefined || resumed !== undefined;
    const isRefusal = error instanceof LatchkeyError && error.code === 'repair-refused';
    const isResumable = options.task === 'backfill' || (hasCursor && !isRefusal);
    await note({
      error: reason,
      ...progress,
      // A heartbeat at the epoch: nobody need wait to go on from here.
      ...(isResumable ? { heard_at: iso(0) } : { finished_at: iso() }),
    }).catch(() => {
      // Then it stays unfinished, and is taken over when it has been silent for long enough.
    });
    throw lost.signal.aborted ? lost.signal.reason : error;
  }
}

/** Writes down a run that holds nothing and has ended already. */
export async function recordRun(
  engine: Pick<HasuraClient, 'ask'>,
  { provider, task }: Pick<RunOptions, 'provider' | 'task'>,
  startedAt: Instant,
  { counts, drift = {} }: Progress,
): Promise<void> {
  const run = { provider, task, started_at: iso(startedAt), finished_at: iso(), counts, drift };
  await engine.ask(BeginRunDocument, { run });
}

async function begin(
  engine: Pick<HasuraClient, 'ask'>,
  { provider, task, takeOver = false, restart = false }: RunOptions,
  holder: string,
): Promise<{ id: string; startedAt: Instant; resumed: Resumed | undefined }> {
  for (let attempt = 1; ; attempt += 1) {
    const startedAt = Date.now();
    const run = { provider, task, holder, started_at: iso(startedAt), heard_at: iso(startedAt) };
    try {
      const { insert_identity_reconciles_one: begun } = await engine.ask(BeginRunDocument, { run });
      if (begun !== null) return { id: begun.id, startedAt, resumed: undefined };
    } catch (error) {
      const isTaken = error instanceof LatchkeyError && error.code === 'record-refused';
      if (!isTaken || attempt === MOST_ATTEMPTS) throw error;
    }

    const [other] = (await engine.ask(UnfinishedRunDocument, { provider })).identity_reconciles;
    // It has finished just now.
    if (other === undefined) continue;
    const silentFor = Date.now() - Date.parse(other.heard_at);
    if (!takeOver && silentFor < SILENT_AFTER_MS) throw underWay(provider, other, silentFor);
    const startedBefore = Date.parse(other.started_at);
    const cursor = CURSOR.parse(other.cursor ?? undefined);
    const isWorthIt =
      task === 'backfill' || (cursor !== undefined && startedAt - startedBefore < LONGEST_REPAIR_MS);
    const resumes = task === other.task && isWorthIt && !restart;
    const taken = await engine.ask(TakeRunDocument, {
      id: other.id,
      // It may have come back to life meanwhile.
      silentSince: takeOver ? iso(Date.now() + SILENT_AFTER_MS) : other.heard_at,
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
        cursor === undefined ? undefined : { counts, drift, cursor, kept: () => keptOf(engine, other.id) },
    };
  }
}

async function* keptOf(engine: Pick<HasuraClient, 'ask'>, id: string): AsyncGenerator<Buffer> {
  let after = NO_ID;
  for (;;) {
    const { identity_reconcile_keys: rows } = await engine.ask(KeysOfRunDocument, {
      id,
      after,
      limit: KEPT_AT_ONCE,
    });
    for (const { keys } of rows) yield Buffer.from(keys, 'base64');
    const last = rows.at(-1);
    if (last === undefined || rows.length < KEPT_AT_ONCE) return;
    after = last.id;
  }
}

function underWay(
  provider: ProviderName,
  other: { task: string; started_at: string },
  silentFor: number,
): LatchkeyError {
  return new LatchkeyError(
    'reconcile-under-way',
    `A ${other.task} of ${provider} is under way since ${other.started_at} (its process was alive ${Math.round(silentFor / 1000)} s ago): let it end. If that process is gone, wait ${SILENT_AFTER_MS / 1000} s or use --take-over.`,
  );
}

function iso(instant: Instant = Date.now()): string {
  return new Date(instant).toISOString();
}
