import { LatchkeyError } from '../core/errors.ts';
import type { IdentityRecord, Instant } from '../core/records.ts';
import type { Engine } from '../hasura/graphql.ts';
import type { DirectoryPage, Provider } from '../providers/provider.ts';
import { compare } from './compare.ts';
import { convey } from './conveyor.ts';
import { deletionOf, keyOf } from './keys.ts';
import { type Progress, recordRun, withRun } from './reconcile-run.ts';
import { addExample, newReport, type Report, sum, type Tally } from './report.ts';
import { createSeen, type Seen } from './seen.ts';
import { type Unlisted, walkUnlisted } from './unlisted.ts';
import { writeAll } from './write-all.ts';
import type { Writer } from './writer.ts';

/** What a reconcile works with, in the service as in a command. */
export interface Reconciled {
  readonly provider: Pick<Provider, 'name' | 'directory' | 'lookup'>;
  readonly engine: Pick<Engine, 'ask'>;
  readonly writer: Pick<Writer, 'write'>;
  readonly signal?: AbortSignal | undefined;
  /** Called after each page. */
  readonly onProgress?: ((progress: Reached) => void) | undefined;
}

export interface Reached {
  readonly phase: 'reading' | 'looking for what is gone' | 'deleting';
  /** Done in this phase. When a run is resumed, what was done before counts too. */
  readonly rows: number;
  /** About how many there are, where that is known. */
  readonly total: number | undefined;
}

export interface RunSettings {
  /** Whether a run that is alive, or was a moment ago, may be pushed aside. */
  readonly takeOver?: boolean | undefined;
}

/** Pages compared or written at once: enough to keep the engine busy while the next one is fetched. */
const PAGES_AT_ONCE = 4;
const LOOKUPS_AT_ONCE = 8;
/** The share of a kind's live rows that a repair may delete at once. */
export const MOST_VANISHING = 0.1;

/**
 * Writes everything the provider holds, page by page, in flat memory. Ended early, by a crash too, it
 * goes on at its cursor the next time. It deletes nothing.
 *
 * @throws LatchkeyError `reconcile-under-way`, and what the directory and the writer throw
 */
export function backfill(
  context: Reconciled,
  settings: RunSettings & { readonly restart?: boolean | undefined } = {},
): Promise<Report> {
  const { provider, engine } = context;
  const options = { provider: provider.name, task: 'backfill', signal: context.signal, ...settings } as const;
  return withRun(engine, options, async ({ startedAt, resumed, signal, reached }) => {
    const report = newReport(provider.name, 'backfill', startedAt);
    Object.assign(report.listed, resumed?.counts);
    const tell = teller(context, signal);
    await convey(
      provider.directory.pages({ ...(resumed?.cursor !== undefined && { cursor: resumed.cursor }), signal }),
      PAGES_AT_ONCE,
      async ({ records }) => {
        signal.throwIfAborted();
        await write(context, report, records, signal);
      },
      ({ records, cursor }) => {
        for (const { kind } of records) report.listed[kind] += 1;
        reached({ cursor, counts: { ...report.listed } });
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
export async function drift(context: Reconciled): Promise<Report> {
  const { provider, engine } = context;
  const signal = context.signal ?? new AbortController().signal;
  const report = newReport(provider.name, 'drift', Date.now());
  const tell = teller(context, signal);
  const seen = await list(context, report, { signal, tell, heal: async () => {} });
  await look(context, report, { seen, signal, tell });
  await recordRun(engine, report, report.startedAt, progressOf(report));
  return report;
}

/**
 * Makes the tables what the provider holds: writes what is missing or stale, and marks as deleted what
 * a complete listing did not name, as of the instant the listing began. A row with a later clock is
 * left alone, so a repair never undoes what a webhook wrote meanwhile.
 *
 * @param settings.mostVanishing the share (0 to 1) of a kind's live rows that may be deleted at once;
 * 1 allows for all of them
 * @throws LatchkeyError `repair-refused` where more would be deleted (nothing is, then),
 * `reconcile-under-way`, and what the provider's API and the writer throw
 */
export function repair(
  context: Reconciled,
  settings: RunSettings & { readonly mostVanishing?: number | undefined } = {},
): Promise<Report> {
  const { provider, engine } = context;
  const { takeOver, mostVanishing = MOST_VANISHING } = settings;
  const options = { provider: provider.name, task: 'repair', takeOver, signal: context.signal } as const;
  return withRun(engine, options, async ({ startedAt: began, signal, reached }) => {
    const report = newReport(provider.name, 'repair', began);
    const tell = teller(context, signal, () => reached(progressOf(report)));
    const heal = async (records: readonly IdentityRecord[]) => write(context, report, records, signal);
    const seen = await list(context, report, { signal, tell, heal });
    const vanishing = await look(context, report, { seen, signal, tell });
    refuseMassDeletion(report, vanishing, mostVanishing);
    if (sum(report.drift.extra) + sum(report.drift.orphaned) > 0) {
      await remove(context, report, { seen, signal, tell });
    }
    reached(progressOf(report));
    return report;
  });
}

type Tell = (phase: Reached['phase'], rows: number) => void;

/** Reads the whole directory, and hands on what is not in the tables as it is there. */
async function list(
  context: Reconciled,
  report: Report,
  {
    signal,
    tell,
    heal,
  }: { signal: AbortSignal; tell: Tell; heal: (records: IdentityRecord[]) => Promise<void> },
): Promise<Seen> {
  const { directory } = context.provider;
  const seen = createSeen();
  const work = async ({ records }: DirectoryPage): Promise<void> => {
    signal.throwIfAborted();
    const fresh = records.filter((record) => {
      const isFresh = !seen.has(keyOf(record));
      seen.add(keyOf(record));
      return isFresh;
    });
    const compared = await compare(context.engine, fresh, directory.clock);
    for (const { record, verdict } of compared) {
      if (verdict !== 'missing' && verdict !== 'stale') continue;
      report.drift[verdict][record.kind] += 1;
      addExample(report, verdict, record);
    }
    await heal(compared.flatMap(({ record, verdict }) => (verdict === 'same' ? [] : [record])));
    for (const { kind } of fresh) report.listed[kind] += 1;
  };
  await convey(directory.pages({ signal }), PAGES_AT_ONCE, work, () => tell('reading', sum(report.listed)));
  return seen;
}

interface Sweep {
  readonly seen: Seen;
  readonly signal: AbortSignal;
  readonly tell: Tell;
}

/** @returns how many would vanish by themselves, and not with their user or organization */
async function look(context: Reconciled, report: Report, { seen, signal, tell }: Sweep): Promise<Tally> {
  const vanishing = { organization: 0, user: 0, membership: 0 };
  const place = { provider: report.provider, seen, began: report.startedAt };
  for await (const { kind, live, unlisted } of walkUnlisted(context.engine, place)) {
    signal.throwIfAborted();
    report.stored[kind] += live;
    for (const { key, problem, isImplied } of unlisted) {
      report.drift[problem][kind] += 1;
      addExample(report, problem, key);
      if (!isImplied) vanishing[kind] += 1;
    }
    tell('looking for what is gone', sum(report.stored));
  }
  return vanishing;
}

function refuseMassDeletion(report: Report, vanishing: Tally, most: number): void {
  const { provider, stored } = report;
  const kinds = ['user', 'organization', 'membership'] as const;
  const tooMany = kinds.filter(
    (kind) => most < 1 && vanishing[kind] > 0 && vanishing[kind] >= most * stored[kind],
  );
  if (tooMany.length === 0) return;
  const numbers = tooMany.map((kind) => `${vanishing[kind]} of ${stored[kind]} ${kind}s`);
  const largest = Math.max(...tooMany.map((kind) => vanishing[kind] / stored[kind]));
  const enough = Math.min(100, Math.floor(largest * 100) + 1);
  throw new LatchkeyError(
    'repair-refused',
    `${provider} lists no more ${numbers.join(', ')}: fewer than ${most * 100} % may be deleted at once, so nothing was deleted. Make sure that the settings name the right ${provider}; if this is meant, allow it once: latchkey sync repair --provider ${provider} --max-vanish ${enough}%`,
  );
}

/** Marks as deleted what was not listed, once the provider, asked for it by name, does not have it. */
async function remove(context: Reconciled, report: Report, { seen, signal, tell }: Sweep): Promise<void> {
  const { provider } = context;
  const began: Instant = report.startedAt;
  const isGone = async ({ key, problem }: Unlisted): Promise<IdentityRecord> => {
    const found = problem === 'orphaned' ? undefined : await provider.lookup(key, signal);
    return found ?? deletionOf(provider.name, key, began);
  };
  for await (const { unlisted } of walkUnlisted(context.engine, { provider: provider.name, seen, began })) {
    for (let from = 0; from < unlisted.length; from += LOOKUPS_AT_ONCE) {
      signal.throwIfAborted();
      const records = await Promise.all(unlisted.slice(from, from + LOOKUPS_AT_ONCE).map(isGone));
      await write(context, report, records, signal);
      tell('deleting', sum(report.deleted));
    }
  }
}

async function write(
  { writer }: Reconciled,
  report: Report,
  records: readonly IdentityRecord[],
  signal: AbortSignal,
): Promise<void> {
  const refused = await writeAll(writer, records, signal);
  for (const { kind, deleted } of records) report[deleted ? 'deleted' : 'written'][kind] += 1;
  for (const { record, reason } of refused) {
    report[record.deleted ? 'deleted' : 'written'][record.kind] -= 1;
    report.refused[record.kind] += 1;
    addExample(report, 'refused', record, reason);
  }
}

/** Tells how far it is, and out of how many as soon as the provider has said so. */
function teller(
  { provider, onProgress }: Reconciled,
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

function progressOf({ listed, stored, written, deleted, refused, drift }: Report): Progress {
  return { counts: { listed, stored, written, deleted, refused }, drift };
}
