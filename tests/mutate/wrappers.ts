/**
 * Files written beside a test file: each runs the whole of it once more, in a process that goes on, with another
 * mutant alive. So sources are loaded once, while hooks and tests run anew for each mutant.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** What a test file asks for, by the names of its tests. */
export type Coverage = {
  /** While it is loaded: to see such a mutant it must be loaded anew. */
  loading: number[];
  /** In hooks of the file or a suite. */
  setUp: number[];
  tests: Record<string, number[]>;
  /** How long all of it took, in milliseconds. */
  ms: number;
};

const wrapperOf = (file: string, suffix: string): string => file.replace(/\.test\.ts$/, `.${suffix}.test.ts`);
const HEAD = (runtime: string): string => `
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { activate, takeAsked } from ${JSON.stringify(runtime)};
const nameOf = (task) => (task.suite ? nameOf(task.suite) + ' > ' : '') + task.name;
`;

/** A file that notes in `report` which test asks for which mutants. */
export function writeDryRun(root: string, file: string, runtime: string, report: string): string {
  const path = wrapperOf(file, 'mutate-dry');
  const text = `${HEAD(runtime)}
const began = performance.now();
const coverage = { loading: [], setUp: [], tests: {} };
beforeEach(() => void coverage.setUp.push(...takeAsked()));
afterEach(({ task }) => void (coverage.tests[nameOf(task)] = takeAsked()));
afterAll(() => {
  coverage.setUp.push(...takeAsked());
  coverage.ms = Math.ceil(performance.now() - began);
  writeFileSync(${JSON.stringify(report)}, JSON.stringify(coverage));
});
activate(0);
takeAsked();
await import('./${basename(file)}?dry');
coverage.loading = takeAsked();
`;
  writeFileSync(join(root, path), text);
  return path;
}

/** A file that runs those tests that ask for this mutant, up to the first that fails. */
export function writeTrial(
  root: string,
  file: string,
  runtime: string,
  id: number,
  coverage: Coverage,
): string {
  const path = wrapperOf(file, `mutate-${id}`);
  const everywhere = id === 0 || coverage.setUp.includes(id) || coverage.loading.includes(id);
  const names = everywhere
    ? undefined
    : Object.keys(coverage.tests).filter((name) => coverage.tests[name]?.includes(id));
  const text = `${HEAD(runtime)}
const names = ${names === undefined ? 'undefined' : `new Set(${JSON.stringify(names)})`};
let failed = false;
beforeEach((context) => {
  if (failed || (names !== undefined && !names.has(nameOf(context.task)))) context.skip();
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') failed = true;
});
beforeAll(() => activate(${id}));
afterAll(() => activate(0));
activate(${id});
// Without an end to wait for, a test would wait for half a minute.
vi.setConfig({ testTimeout: ${Math.min(30_000, 3_000 + 3 * coverage.ms)} });
${coverage.loading.includes(id) || id === 0 ? 'vi.resetModules();' : ''}
await import('./${basename(file)}?${id}');
`;
  writeFileSync(join(root, path), text);
  return path;
}

export function readCoverage(report: string): Coverage {
  return JSON.parse(readFileSync(report, 'utf8'));
}

export function remove(root: string, paths: readonly string[]): void {
  for (const path of paths) rmSync(join(root, path), { force: true });
}
