import type { RecordKey } from '@latchkey/identity/core/records';
import { driftOf, PROBLEMS, type Report, sum, type Tally } from '@latchkey/identity/sync/report';

const KINDS = ['user', 'organization', 'membership'] as const;

/** A report as people read it: a table, and the first few of each problem. */
export function reportText(report: Report): string {
  const { provider, task, drift, examples } = report;
  const rows: [string, Tally][] = [[`${provider} lists`, report.listed]];
  if (task !== 'backfill') {
    rows.push(['stored', report.stored]);
    for (const problem of PROBLEMS) rows.push([problem, drift[problem]]);
  }
  if (task !== 'drift') rows.push(['written', report.written]);
  if (task === 'repair') rows.push(['deleted', report.deleted]);
  if (sum(report.refused) > 0) rows.push(['refused', report.refused]);

  const lines = rows.map(([name, tally]) => [
    name,
    ...KINDS.map((kind) => tally[kind].toLocaleString('en-US')),
  ]);
  const table = [['', 'users', 'organizations', 'memberships'], ...lines];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  return [
    ...table.map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    ),
    ...(examples.length + report.unreadableExamples.length === 0 ? [] : ['']),
    ...examples.map(
      ({ problem, key, reason }) =>
        `${problem} ${describeKey(key)}${reason === undefined ? '' : `: ${reason}`}`,
    ),
    ...report.unreadableExamples.map(({ name, reason }) => `not read ${name}: ${reason}`),
    '',
    ...report.notices,
    verdict(report),
  ].join('\n');
}

/** As `--json` prints it. */
export function reportJson(report: Report): object {
  return {
    ...report,
    startedAt: new Date(report.startedAt).toISOString(),
    ...(report.task !== 'backfill' && { differences: driftOf(report) }),
  };
}

function verdict(report: Report): string {
  const { provider, task } = report;
  const differences = driftOf(report);
  if (report.unreadable > 0) {
    const rest = task === 'repair' ? ', and nothing was deleted' : '';
    return `${report.unreadable} of what ${provider} lists could not be read; all else was${rest}: correct those at ${provider}, then run this again.`;
  }
  if (sum(report.refused) > 0) {
    return `${sum(report.refused)} of what ${provider} lists is not taken: correct those at ${provider}, then run this again.`;
  }
  if (task === 'backfill') return `Everything ${provider} lists has been written.`;
  if (differences === 0) return `The tables are what ${provider} holds.`;
  return task === 'drift'
    ? `Differences: ${differences}. Fix them by latchkey sync repair --provider ${provider}.`
    : `Differences found and fixed: ${differences}.`;
}

function describeKey(key: RecordKey): string {
  return key.kind === 'membership'
    ? `membership of ${key.userId} in ${key.organizationId}`
    : `${key.kind} ${key.tenant === '' ? '' : `${key.tenant} `}${key.id}`;
}
