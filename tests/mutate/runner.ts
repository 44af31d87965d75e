import { join } from 'node:path';
import { createVitest, type Reporter, type TestModule, type Vitest } from 'vitest/node';

export type Outcome = {
  /** From the sandbox's root. */
  file: string;
  passed: boolean;
  /** The first test that failed, or why the file did not run. */
  failure: string | undefined;
  /** How long its tests and hooks took. */
  ms: number;
};

export type TestRunner = {
  /** Runs these files one after the other in one process, in which what they import is loaded once. */
  run(files: readonly string[]): Promise<Outcome[]>;
  close(): Promise<void>;
};

/** Vitest on a sandbox, with its PostgreSQL started once for all runs. */
export async function startRunner(root: string): Promise<TestRunner> {
  let done: readonly TestModule[] = [];
  const reporter: Reporter = {
    onTestRunEnd(modules) {
      done = modules;
    },
  };
  const vitest: Vitest = await createVitest(
    'test',
    {
      config: false,
      root,
      include: ['**/*.test.ts'],
      watch: false,
      update: 'none',
      isolate: false,
      fileParallelism: false,
      maxWorkers: 1,
      globalSetup: [join(root, 'tests/support/global-setup.ts')],
      dangerouslyIgnoreUnhandledErrors: true,
      passWithNoTests: true,
      silent: true,
      reporters: [reporter],
      testTimeout: 30_000,
      hookTimeout: 60_000,
    },
    { logLevel: 'silent' },
  );
  await vitest.standalone();
  const [project] = vitest.projects;
  if (project === undefined) throw new Error('Vitest has no project.');
  return {
    async run(files) {
      done = [];
      await vitest.runTestSpecifications(files.map((file) => project.createSpecification(join(root, file))));
      return done.map((module) => outcomeOf(module, root));
    },
    close: () => vitest.close(),
  };
}

function outcomeOf(module: TestModule, root: string): Outcome {
  const failed = [...module.children.allTests()].find((test) => test.result().state === 'failed');
  const passed = module.state() === 'passed';
  return {
    file: module.moduleId.slice(root.length + 1),
    passed,
    failure: passed ? undefined : (failed?.fullName ?? module.errors()[0]?.message ?? 'no test ran'),
    ms: module.diagnostic().duration,
  };
}
