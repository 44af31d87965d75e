import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export type Tier = 'A' | 'B';
export type Count = { ran: number; passed: number; exact: number; skipped: number };
export type Tally = { suites: Map<string, Count>; tiers: Record<Tier, Count>; durationMs: number };

/** Percentages of the cases that ran, below which a run fails. */
const floorSchema = z.record(
  z.enum(['A', 'B']),
  z.strictObject({ pass: z.number().min(0).max(100), exact: z.number().min(0).max(100) }),
);
export type Floor = z.infer<typeof floorSchema>;

const reportSchema = z.object({
  durationMs: z.number(),
  cases: z.array(
    z.object({
      suite: z.string(),
      result: z.enum(['passed', 'failed', 'skipped']),
      pass: z.boolean().optional(),
      exact: z.boolean().optional(),
    }),
  ),
});

const suiteSchema = z.object({ suite: z.string(), tier: z.enum(['A', 'B']) });

/** The floor that was committed. @throws {z.ZodError} for a file of another shape */
export function readFloor(file: string | URL): Floor {
  return floorSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** Which tier each suite of a corpus is of. */
export function readTiers(corpus: string): Map<string, Tier> {
  const files = readdirSync(corpus).filter((name) => name.endsWith('.json'));
  return new Map(
    files.map((name) => {
      const { suite, tier } = suiteSchema.parse(JSON.parse(readFileSync(join(corpus, name), 'utf8')));
      return [suite, tier];
    }),
  );
}

/** Adds up a report that the runner wrote (`--json`), by suite and by tier. */
export function tally(report: unknown, tierOf: ReadonlyMap<string, Tier>): Tally {
  const { cases, durationMs } = reportSchema.parse(report);
  const suites = new Map<string, Count>();
  const tiers = { A: none(), B: none() };
  for (const one of cases) {
    const suite = suites.get(one.suite) ?? none();
    suites.set(one.suite, suite);
    for (const count of [suite, tiers[tierOf.get(one.suite) ?? 'B']]) {
      if (one.result === 'skipped') count.skipped += 1;
      else count.ran += 1;
      if (one.pass === true) count.passed += 1;
      if (one.exact === true) count.exact += 1;
    }
  }
  return { suites, tiers, durationMs };
}

/** Each tier's figures that are below the floor, as sentences; none where all is well. */
export function belowFloor({ tiers }: Tally, floor: Floor): string[] {
  return (['A', 'B'] as const).flatMap((tier) => {
    const { ran, passed, exact } = tiers[tier];
    if (ran === 0) return [`Tier ${tier}: no case ran.`];
    return [
      ['pass', passed, floor[tier].pass] as const,
      ['answer exactly as recorded', exact, floor[tier].exact] as const,
    ]
      .filter(([, count, least]) => (count * 100) / ran < least)
      .map(
        ([what, count, least]) =>
          `Tier ${tier}: ${percent(count, ran)} of the cases ${what}, at least ${least} % must.`,
      );
  });
}

/** A line for each suite that is not wholly exact and one for each tier. */
export function table({ suites, tiers, durationMs }: Tally, tierOf: ReadonlyMap<string, Tier>): string {
  const header = ['', 'tier', 'cases', 'pass', 'exact', 'skipped'];
  const rows = [...suites]
    .filter(([, { ran, exact }]) => exact < ran)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, count]) => [name, tierOf.get(name) ?? '?', ...figures(count)]);
  const complete = [...suites.values()].filter(({ ran, exact }) => ran > 0 && exact === ran).length;
  const lines = align([
    header,
    ...rows,
    ...(['A', 'B'] as const).map((tier) => [`all of tier ${tier}`, tier, ...figures(tiers[tier], true)]),
  ]);
  return [
    ...lines,
    `${complete} more suites answer exactly as recorded. ${Math.round(durationMs / 1000)} s.`,
  ].join('\n');
}

function figures({ ran, passed, exact, skipped }: Count, withPercent = false): string[] {
  const figure = (count: number) => (withPercent ? `${count} (${percent(count, ran)})` : String(count));
  return [String(ran), figure(passed), figure(exact), String(skipped)];
}

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function percent(count: number, of: number): string {
  return of === 0 ? '–' : `${((count * 100) / of).toFixed(1)} %`;
}

function none(): Count {
  return { ran: 0, passed: 0, exact: 0, skipped: 0 };
}
