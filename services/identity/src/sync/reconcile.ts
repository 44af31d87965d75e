import type { IdentityRecord } from '#core/records.ts';
import { DELETION_LIMIT, type DeletionLimit } from '#core/settings/deletion-limit.ts';
import { checkDeletionLimit } from './deletion-limit.ts';
import { createKeySet, HASH_BYTES, hashKeys, type KeySet } from './key-set.ts';
import { deletionOf, keyOf } from './keys.ts';
import { list, PAGES_AT_ONCE, pagesFrom, type Sweep, type Tell } from './listing.ts';
import { mapInOrder } from './map-in-order.ts';
import type { ReconcileContext } from './reconcile-context.ts';
import { type Progress, type Resumed, recordRun, withRun } from './reconcile-run.ts';
import { addExample, addPage, newReport, type Report, resumeReport, sum, type Tally } from './report.ts';
import { type Listed, type Unlisted, walkUnlisted } from './unlisted.ts';
import { writeListed } from './write-listed.ts';

export interface RunSettings {
  /** Whether a run that is alive, or was a moment ago, may be pushed aside. */
  readonly takeOver?: boolean | undefined;
  /** Whether to begin anew where an earlier one was cut off. */
  readonly restart?: boolean | undefined;
}

const LOOKUPS_AT_ONCE = 8;

/**
 * Writes everything the provider holds, page by page, in flat memory. Ended early, by a crash too, it
 * goes on at its cursor the next time. It deletes nothing.
 *
 * @throws LatchkeyError `reconcile-under-way`, and what the directory and the writer throw
 */
export function backfill(context: ReconcileContext, settings: RunSettings = {}): Promise<Report> {
  const { provider, engine } = context;
  const options = { provider: provider.name, task: 'backfill', signal: context.signal, ...settings } as const;
  return withRun(engine, options, async ({ startedAt, resumed, signal, reached, keep }) => {
    const report = newReport(provider.name, 'backfill', startedAt);
    if (resumed !== undefined) resumeReport(report, resumed);
    const tell = teller(context, signal);
    // What is read anew at each cursor has been written and counted once already.
    const done = createKeySet();
    for await (const hashes of resumed?.kept() ?? []) done.addHashes(hashes);
    await mapInOrder(
      pagesFrom(provider.directory, resumed?.cursor, signal),
      PAGES_AT_ONCE,
      async ({ records, isReadAnew }) => {
        signal.throwIfAborted();
        const fresh = isReadAnew === true ? records.filter((one) => !done.has(keyOf(one))) : records;
        await writeListed(context, report, fresh, signal);
        return fresh;
      },
      (page, fresh) => {
        for (const { kind } of fresh) report.listed[kind] += 1;
        if (page.isReadAnew === true) keep(hashKeys(fresh.map(keyOf)));
        addPage(report, page);
        reached({ cursor: page.cursor, ...progressOf(report) });
        tell('reading', sum(report.listed));
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
  const tell = teller(context, signal);
  const seen = createKeySet();
  await list(context, report, { seen, signal, tell });
  await look(context, report, { seen, signal, tell });
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
    const { seen, cursor: start } = await resume(report, run.resumed);
    let cursor = start;
    const note = () => run.reached({ ...(cursor !== undefined && { cursor }), ...progressOf(report) });
    const tell = teller(context, signal, note);
    const sweep = { seen, signal, tell };
    if (cursor !== LISTED) {
      await list(context, report, {
        ...sweep,
        cursor,
        heal: (records) => writeListed(context, report, records, signal),
        listed: (page) => {
          cursor = page.cursor;
          run.keep(hashKeys(page.records.map(keyOf)));
        },
      });
      cursor = LISTED;
      note();
    }
    const deletions = await look(context, report, sweep);
    // What could not be read may be just what is missing from the listing.
    if (report.unreadable > 0) {
      note();
      return report;
    }
    checkDeletionLimit(report, deletions, deletionLimit);
    if (sum(report.drift.extra) + sum(report.drift.orphaned) > 0) await remove(context, report, sweep);
    note();
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
  resumed: Resumed | undefined,
): Promise<{ seen: KeySet; cursor?: string }> {
  const seen = createKeySet();
  if (resumed === undefined) return { seen };
  let kept = 0;
  for await (const hashes of resumed.kept()) {
    seen.addHashes(hashes);
    kept += hashes.length / HASH_BYTES;
  }
  const found = newReport(report.provider, report.task, report.startedAt);
  resumeReport(found, resumed);
  // With less than was listed, what is there would be taken for gone.
  if (kept < sum(found.listed)) return { seen: createKeySet() };
  resumeReport(report, resumed);
  return { seen, cursor: resumed.cursor };
}

/** @returns how many would be deleted by themselves, and not with their user or organization */
async function look(
  context: ReconcileContext,
  report: Report,
  { seen, signal, tell }: Sweep,
): Promise<Tally> {
  const deletions = { organization: 0, user: 0, membership: 0 };
  for await (const { kind, live, unlisted } of walkUnlisted(
    context.engine,
    listedBy(context, report, seen),
  )) {
    signal.throwIfAborted();
    report.stored[kind] += live;
    for (const { key, problem, isImplied } of unlisted) {
      report.drift[problem][kind] += 1;
      addExample(report, problem, key);
      if (!isImplied) deletions[kind] += 1;
    }
    tell('looking for what is gone', sum(report.stored));
  }
  return deletions;
}

/** Marks as deleted what was not listed, once the provider, asked for it by name, does not have it. */
async function remove(
  context: ReconcileContext,
  report: Report,
  { seen, signal, tell }: Sweep,
): Promise<void> {
  const { provider } = context;
  const listed = listedBy(context, report, seen);
  const isGone = async ({ key, problem }: Unlisted): Promise<IdentityRecord> => {
    const found = problem === 'orphaned' ? undefined : await provider.lookup(key, signal);
    return found ?? deletionOf(provider.name, key, listed.began);
  };
  for await (const { unlisted } of walkUnlisted(context.engine, listed)) {
    for (let from = 0; from < unlisted.length; from += LOOKUPS_AT_ONCE) {
      signal.throwIfAborted();
      const records = await Promise.all(unlisted.slice(from, from + LOOKUPS_AT_ONCE).map(isGone));
      await writeListed(context, report, records, signal);
      tell('deleting', sum(report.deleted));
    }
  }
}

function listedBy(
  { provider }: ReconcileContext,
  { provider: name, startedAt }: Report,
  seen: KeySet,
): Listed {
  return { provider: name, tenants: provider.directory.tenants, seen, began: startedAt };
}

/** Tells how far it is, and out of how many as soon as the provider has said so. */
function teller(
  { provider, onProgress }: ReconcileContext,
  signal: AbortSignal,
  also: () => void = () => {},
): Tell {
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
    also();
    onProgress?.({ phase, rows, total: phase === 'reading' ? total : undefined });
  };
}

function progressOf({ listed, stored, written, deleted, refused, unreadable, drift }: Report): Progress {
  return { counts: { listed, stored, written, deleted, refused, unreadable }, drift };
}
