import { z } from 'zod';
import type { IdentityRecord, Instant, ProviderName, RecordKey } from '#core/records.ts';
import type { DirectoryPage, UnreadableItem } from '#providers/provider.ts';
import type { Task } from './reconcile-run.ts';

/** A number for each kind of thing. */
export type Tally = Record<IdentityRecord['kind'], number>;

/**
 * How tables and provider differ
 * - `missing`: the provider has it, the tables do not
 * - `stale`: the tables have an earlier state of it
 * - `extra`: the tables have it, the provider does not
 * - `orphaned`: a membership that neither its provider has, nor a live user or organization here
 */
export const PROBLEMS = ['missing', 'stale', 'extra', 'orphaned'] as const;
export type Problem = (typeof PROBLEMS)[number];

/** What a reconcile found and did. Ids alone, nothing personal. */
export interface Report {
  readonly provider: ProviderName;
  readonly task: Task;
  readonly startedAt: Instant;
  /** What the provider listed; what came on two pages counts twice. */
  readonly listed: Tally;
  /** The live rows of the provider, before anything was deleted. A backfill does not look. */
  readonly stored: Tally;
  readonly drift: Record<Problem, Tally>;
  /** Records handed to the database; it keeps those that are newer than their rows. */
  readonly written: Tally;
  readonly deleted: Tally;
  /** Records that the database does not take, or whose id is that of somebody else there. */
  readonly refused: Tally;
  /** What of the listing could not be read and was passed over. With any of it nothing is deleted. */
  unreadable: number;
  /** The first few of them. */
  readonly unreadableExamples: UnreadableItem[];
  /** What to know of the listing besides, each text once. */
  readonly notices: string[];
  /** The first few of each problem. */
  readonly examples: { problem: Problem | 'refused'; key: RecordKey; reason?: string }[];
}

const MAX_EXAMPLES = 10;
/** Each needs somebody to look at it. */
const MAX_REFUSED_EXAMPLES = 100;

/** A report of nothing yet, which is filled in on the way. */
export function newReport(provider: ProviderName, task: Task, startedAt: Instant): Report {
  return {
    provider,
    task,
    startedAt,
    listed: newTally(),
    stored: newTally(),
    drift: { missing: newTally(), stale: newTally(), extra: newTally(), orphaned: newTally() },
    written: newTally(),
    deleted: newTally(),
    refused: newTally(),
    unreadable: 0,
    unreadableExamples: [],
    notices: [],
    examples: [],
  };
}

const TALLY = z.object({ organization: z.int(), user: z.int(), membership: z.int() }).partial().catch({});
const SAVED = z.object({
  counts: z
    .object({ listed: TALLY, written: TALLY, deleted: TALLY, refused: TALLY, unreadable: z.int() })
    .partial()
    .catch({}),
  drift: z.object({ missing: TALLY, stale: TALLY }).partial().catch({}),
});

/**
 * Adds what another process has counted until it was cut off. What is found only after everything has
 * been listed is looked for, and so counted, anew.
 */
export function resumeReport(report: Report, saved: { counts: unknown; drift?: unknown }): void {
  const { counts, drift } = SAVED.parse(saved);
  for (const kind of ['listed', 'written', 'deleted', 'refused'] as const) {
    Object.assign(report[kind], counts[kind]);
  }
  report.unreadable += counts.unreadable ?? 0;
  for (const problem of ['missing', 'stale'] as const) Object.assign(report.drift[problem], drift[problem]);
}

function newTally(): Tally {
  return { organization: 0, user: 0, membership: 0 };
}

export function sum(tally: Tally): number {
  return tally.organization + tally.user + tally.membership;
}

/** All differences found. */
export function driftOf({ drift }: Report): number {
  return PROBLEMS.reduce((total, problem) => total + sum(drift[problem]), 0);
}

/** Adds what a page of a listing left out, and its notice. */
export function addPage(
  report: Report,
  { unreadable = [], notice }: Pick<DirectoryPage, 'unreadable' | 'notice'>,
): void {
  report.unreadable += unreadable.length;
  report.unreadableExamples.push(...unreadable.slice(0, MAX_EXAMPLES - report.unreadableExamples.length));
  if (notice !== undefined && !report.notices.includes(notice)) report.notices.push(notice);
}

export function addExample(
  { examples }: Report,
  problem: Problem | 'refused',
  key: RecordKey,
  reason?: string,
): void {
  const most = problem === 'refused' ? MAX_REFUSED_EXAMPLES : MAX_EXAMPLES;
  if (examples.filter((one) => one.problem === problem).length >= most) return;
  const { tenant } = key;
  const bare: RecordKey =
    key.kind === 'membership'
      ? { kind: key.kind, tenant, organizationId: key.organizationId, userId: key.userId }
      : { kind: key.kind, tenant, id: key.id };
  examples.push({ problem, key: bare, ...(reason !== undefined && { reason }) });
}
