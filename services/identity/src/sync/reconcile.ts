import type { IdentityRecord } from '#core/records.ts';
import { DELETION_LIMIT, type DeletionLimit } from '#core/settings/deletion-limit.ts';
import {
  compareListing,
  PAGE_CONCURRENCY,
  pagesFrom,
  type ReportProgress,
  type StepOptions,
} from './compare-listing.ts';
import { checkDeletionLimit } from './deletion-limit.ts';
import { findUnlisted, type Listing, type UnlistedRow } from './find-unlisted.ts';
import { createKeySet, HASH_BYTES, hashKeys, type KeySet } from './key-set.ts';
import { deletionOf, keyOf } from './keys.ts';
import { mapInOrder } from './map-in-order.ts';
import type { ReconcileContext } from './reconcile-context.ts';
import { type Progress, type ResumePoint, recordRun, withRun } from './reconcile-run.ts';
import { addExample, addPage, newReport, type Report, resumeReport, sum, type Tally } from './report.ts';
import { writeAndCount } from './write-and-count.ts';

export interface RunSettings {
  /** Whether a run that is alive, or was a moment ago, may be pushed aside. */
  readonly takeOver?: boolean | undefined;
  /** Whether to begin anew where an earlier one was cut off. */
  readonly restart?: boolean | undefined;
}

const LOOKUP_CONCURRENCY = 8;

/**
 * Writes everything the provider holds, page by page, in flat memory. Ended early, by a crash too, it
 * goes on at its cursor the next time. It deletes nothing.
 *
 * @throws LatchkeyError `reconcile-under-way`, and what the directory and the writer throw
 */
export function backfill(context: ReconcileContext, settings: RunSettings = {}): Promise<Report> {
  const { provider, engine } = context;
  const options = { provider: provider.name, task: 'backfill', signal: context.signal, ...settings } as const;
  return withRun(engine, options, async ({ startedAt, resumed, signal, saveProgress, saveKeys }) => {
    const report = newReport(provider.name, 'backfill', startedAt);
    if (resumed !== undefined) resumeReport(report, resumed);
    const reportProgress = progressReporter(context, signal);
    // What is read anew at each cursor has been written and counted once already.
    const writtenKeys = createKeySet();
    for await (const hashes of resumed?.savedKeys() ?? []) writtenKeys.addHashes(hashes);
    await mapInOrder(
      pagesFrom(provider.directory, resumed?.cursor, signal),
      PAGE_CONCURRENCY,
      async ({ records, isReadAnew }) => {
        signal.throwIfAborted();
        const fresh = isReadAnew === true ? records.filter((one) => !writtenKeys.has(keyOf(one))) : records;
        await writeAndCount(context, report, fresh, signal);
        return fresh;
      },
      (page, fresh) => {
        for (const { kind } of fresh) report.listed[kind] += 1;
        if (page.isReadAnew === true) saveKeys(hashKeys(fresh.map(keyOf)));
        addPage(report, page);
        saveProgress({ cursor: page.cursor, ...progressOf(report) });
        reportProgress('reading', sum(report.listed));
      },
    );
    return report;
  });
}

/**
 * Compares what the provider holds with its rows, and changes nothing. A provider that changes
 * meanwhile, and whose webhooks are still on their way, differs for that moment.
 */
export async function drift(context: ReconcileContext): Promise<Report> {
  const { provider, engine } = context;
  const signal = context.signal ?? new AbortController().signal;
  const report = newReport(provider.name, 'drift', Date.now());
  const reportProgress = progressReporter(context, signal);
  const listedKeys = createKeySet();
  await compareListing(context, report, { listedKeys, signal, reportProgress });
  await countUnlisted(context, report, { listedKeys, signal, reportProgress });
  await recordRun(engine, report, report.startedAt, progressOf(report));
  return report;
}

/**
 * Makes the tables what the provider holds: writes what is missing or stale, and marks as deleted what
 * a complete listing did not name, as of the instant the listing began. A row with a later clock is
 * left alone, so a repair never undoes what a webhook wrote meanwhile. Ended early, by a crash too, it
 * goes on at its cursor the next time: what was listed until then is kept beside the cursor, so that
 * both parts together are the complete listing.
 *
 * @throws LatchkeyError `repair-refused` where more would be deleted (nothing is, then),
 * `reconcile-under-way`, and what the provider's API and the writer throw
 */
export function repair(
  context: ReconcileContext,
  {
    deletionLimit = DELETION_LIMIT,
    ...settings
  }: RunSettings & { deletionLimit?: DeletionLimit | undefined } = {},
): Promise<Report> {
  const { provider, engine } = context;
  const options = { provider: provider.name, task: 'repair', signal: context.signal, ...settings } as const;
  return withRun(engine, options, async (run) => {
    const { startedAt, signal } = run;
    const report = newReport(provider.name, 'repair', startedAt);
    const { listedKeys, cursor: start } = await resume(report, run.resumed);
    let cursor = start;
    const saveProgress = () =>
      run.saveProgress({ ...(cursor !== undefined && { cursor }), ...progressOf(report) });
    const reportProgress = progressReporter(context, signal, saveProgress);
    const step = { listedKeys, signal, reportProgress };
    if (cursor !== LISTED) {
      await compareListing(context, report, {
        ...step,
        cursor,
        write: (records) => writeAndCount(context, report, records, signal),
        onPage: (page) => {
          cursor = page.cursor;
          run.saveKeys(hashKeys(page.records.map(keyOf)));
        },
      });
      cursor = LISTED;
      saveProgress();
    }
    const deletions = await countUnlisted(context, report, step);
    // What could not be read may be just what is missing from the listing.
    if (report.unreadable > 0) {
      saveProgress();
      return report;
    }
    checkDeletionLimit(report, deletions, deletionLimit);
    if (sum(report.drift.extra) + sum(report.drift.orphaned) > 0) await deleteUnlisted(context, report, step);
    saveProgress();
    return report;
  });
}

/** The cursor of a repair that has listed everything. No provider's cursor is like it. */
const LISTED = 'listed';

/**
 * Takes up what an earlier process has found.
 *
 * @returns what it has listed, and where to go on; nothing, for the beginning
 */
async function resume(
  report: Report,
  resumed: ResumePoint | undefined,
): Promise<{ listedKeys: KeySet; cursor?: string }> {
  const listedKeys = createKeySet();
  if (resumed === undefined) return { listedKeys };
  let kept = 0;
  for await (const hashes of resumed.savedKeys()) {
    listedKeys.addHashes(hashes);
    kept += hashes.length / HASH_BYTES;
  }
  const found = newReport(report.provider, report.task, report.startedAt);
  resumeReport(found, resumed);
  // With less than was listed, what is there would be taken for gone.
  if (kept < sum(found.listed)) return { listedKeys: createKeySet() };
  resumeReport(report, resumed);
  return { listedKeys, cursor: resumed.cursor };
}

/** @returns how many would be deleted by themselves, and not with their user or organization */
async function countUnlisted(
  context: ReconcileContext,
  report: Report,
  { listedKeys, signal, reportProgress }: StepOptions,
): Promise<Tally> {
  const deletions = { organization: 0, user: 0, membership: 0 };
  for await (const { kind, liveRows, unlisted } of findUnlisted(
    context.engine,
    listingOf(context, report, listedKeys),
  )) {
    signal.throwIfAborted();
    report.stored[kind] += liveRows;
    for (const { key, problem, isImplied } of unlisted) {
      report.drift[problem][kind] += 1;
      addExample(report, problem, key);
      if (!isImplied) deletions[kind] += 1;
    }
    reportProgress('looking for what is gone', sum(report.stored));
  }
  return deletions;
}

/** Marks as deleted what was not listed, after a look-up at the provider has not found it either. */
async function deleteUnlisted(
  context: ReconcileContext,
  report: Report,
  { listedKeys, signal, reportProgress }: StepOptions,
): Promise<void> {
  const { provider } = context;
  const listing = listingOf(context, report, listedKeys);
  const isGone = async ({ key, problem }: UnlistedRow): Promise<IdentityRecord> => {
    const found = problem === 'orphaned' ? undefined : await provider.directory.lookup(key, signal);
    return found ?? deletionOf(provider.name, key, listing.startedAt);
  };
  for await (const { unlisted } of findUnlisted(context.engine, listing)) {
    for (let from = 0; from < unlisted.length; from += LOOKUP_CONCURRENCY) {
      signal.throwIfAborted();
      const records = await Promise.all(unlisted.slice(from, from + LOOKUP_CONCURRENCY).map(isGone));
      await writeAndCount(context, report, records, signal);
      reportProgress('deleting', sum(report.deleted));
    }
  }
}

function listingOf(
  { provider }: ReconcileContext,
  { provider: name, startedAt }: Report,
  listedKeys: KeySet,
): Listing {
  return { provider: name, tenants: provider.directory.tenants, keys: listedKeys, startedAt };
}

/** Reports how far it is, and out of how many as soon as the provider has said so. */
function progressReporter(
  { provider, onProgress }: ReconcileContext,
  signal: AbortSignal,
  onReport: () => void = () => {},
): ReportProgress {
  let total: number | undefined;
  if (onProgress !== undefined) {
    // Not knowing it is no reason to fail.
    provider.directory.total?.(signal).then(
      (found) => {
        total = found;
      },
      () => {},
    );
  }
  return (phase, rows) => {
    onReport();
    onProgress?.({ phase, rows, total: phase === 'reading' ? total : undefined });
  };
}

function progressOf({ listed, stored, written, deleted, refused, unreadable, drift }: Report): Progress {
  return { counts: { listed, stored, written, deleted, refused, unreadable }, drift };
}
