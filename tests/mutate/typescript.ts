/** Mutants of TypeScript: all of an area's sources at once, each test file once for each mutant that it asks for. */
import { copyFileSync, existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Area } from './areas.ts';
import { instrument } from './instrument.ts';
import { type Mutant, sample } from './mutant.ts';
import { startRunner } from './runner.ts';
import { createSandbox, removeSandbox } from './sandbox.ts';
import { type Coverage, readCoverage, remove, writeDryRun, writeTrial } from './wrappers.ts';

export type Result = { mutant: Mutant; noticedBy: string | undefined };
export type Options = {
  sample: number;
  seed: number;
  /** Whether the unit tier alone is asked, which takes seconds. */
  unitOnly: boolean;
  log: (line: string) => void;
};

/** How many mutants go into one run of Vitest. */
const AT_ONCE = 25;

export async function tryTypeScript(
  area: Area,
  options: Options,
): Promise<{ all: number; results: Result[] }> {
  const { log } = options;
  const root = createSandbox(area.name);
  const runtime = join(root, 'mutate-runtime.js');
  copyFileSync(join(import.meta.dirname, 'runtime.js'), runtime);
  const mutants = area.sources
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .toSorted()
    .reduce<Mutant[]>((all, file) => {
      const path = join(root, file);
      const made = instrument(readFileSync(path, 'utf8'), file, all.length + 1, runtime);
      writeFileSync(path, made.code);
      return all.concat(made.mutants);
    }, []);
  const chosen = sample(mutants, options.sample, options.seed);
  log(`${area.name}: ${chosen.length} of ${mutants.length} mutants`);
  const noticed = new Map<number, string>();
  const runner = await startRunner(root);
  try {
    const covering = await dryRuns(testsOf(area, root, options.unitOnly));
    log(`${covering.length} test files ask for them`);
    for (const { file, coverage } of covering) {
      const left = chosen.filter(({ id }) => !noticed.has(id)).map(({ id }) => id);
      const asked = new Set([coverage.loading, coverage.setUp, ...Object.values(coverage.tests)].flat());
      // Those that are there while sources are loaded come last: each has them loaded anew.
      const atLoading = new Set(coverage.loading);
      const fitting = left
        .filter((id) => asked.has(id))
        .toSorted((a, b) => Number(atLoading.has(a)) - Number(atLoading.has(b)) || a - b);
      if (fitting.length === 0) continue;
      for (let at = 0; at < fitting.length; at += AT_ONCE) {
        await tryAll(file, coverage, fitting.slice(at, at + AT_ONCE));
      }
      log(
        `${file}: ${left.length - chosen.filter(({ id }) => !noticed.has(id)).length} of ${fitting.length} noticed`,
      );
    }
  } finally {
    await runner.close();
    removeSandbox(root);
  }
  return {
    all: mutants.length,
    results: chosen.map((mutant) => ({ mutant, noticedBy: noticed.get(mutant.id) })),
  };

  /** Test files that ask for a chosen mutant at all, the quickest first. */
  async function dryRuns(
    files: readonly string[],
  ): Promise<{ file: string; coverage: Coverage; ms: number }[]> {
    const found: { file: string; coverage: Coverage; ms: number }[] = [];
    const ids = new Set(chosen.map(({ id }) => id));
    for (const file of files) {
      const report = join(root, 'mutate-coverage.json');
      remove(root, ['mutate-coverage.json']);
      const wrapper = writeDryRun(root, file, runtime, report);
      const [outcome] = await runner.run([wrapper]);
      remove(root, [wrapper]);
      if (outcome?.passed !== true || !existsSync(report)) {
        log(`${file} is left out: it fails without a mutant (${outcome?.failure})`);
        continue;
      }
      const coverage = readCoverage(report);
      const asked = [coverage.loading, coverage.setUp, ...Object.values(coverage.tests)].flat();
      if (asked.some((id) => ids.has(id))) found.push({ file, coverage, ms: outcome.ms });
    }
    return found.toSorted((a, b) => a.ms - b.ms);
  }

  async function tryAll(file: string, coverage: Coverage, ids: readonly number[]): Promise<void> {
    // Several share a process, the last without a mutant: where it fails, each is tried in a process of its own.
    const wrappers = (ids.length > 1 ? [...ids, 0] : ids).map((id) =>
      writeTrial(root, file, runtime, id, coverage),
    );
    const outcomes = await runner.run(wrappers);
    remove(root, wrappers);
    const failures = outcomes.flatMap(({ file: path, passed, failure }) =>
      passed ? [] : [{ id: Number(/mutate-(\d+)\.test\.ts$/.exec(path)?.[1]), failure }],
    );
    if (!failures.some(({ id }) => id === 0)) {
      for (const { id, failure } of failures) noticed.set(id, `${file} > ${failure}`);
    } else {
      for (const { id } of failures.filter(({ id }) => id !== 0)) await tryAll(file, coverage, [id]);
    }
  }
}

function testsOf(area: Area, root: string, unitOnly: boolean): string[] {
  const files = new Set(area.tests.flatMap((pattern) => globSync(pattern, { cwd: root })));
  const tierOf = (file: string): number => (file.endsWith('.integration.test.ts') ? 1 : 0);
  return [...files]
    .filter((file) => !unitOnly || tierOf(file) === 0)
    .toSorted((a, b) => tierOf(a) - tierOf(b) || a.localeCompare(b));
}
