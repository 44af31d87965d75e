import { defineConfig } from 'vitest/config';

const BESIDE_SOURCES = ['{packages,services}/*/test/**/*.test.ts', 'scripts/test/**/*.test.ts'];
const INTEGRATION = [
  '{packages,services}/*/test/**/*.integration.test.ts',
  'scripts/test/**/*.integration.test.ts',
];
const ACROSS_PACKAGES = 'tests/**/*.test.ts';

export default defineConfig({
  test: {
    reporters: ['default', 'tests/support/summary-reporter.ts'],
    // Vitest leaves one core to itself, which is half of a machine with two.
    maxWorkers: '100%',
    // A slow machine is no failure.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    // A file's name says its tier: a unit test that needs a process or PostgreSQL fails and is told the other name.
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: BESIDE_SOURCES,
          exclude: INTEGRATION,
          setupFiles: ['tests/support/unit-guard.ts'],
          // Loading what is tested costs more than the tests: a worker loads it once.
          isolate: false,
          restoreMocks: true,
          unstubEnvs: true,
          unstubGlobals: true,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: [...INTEGRATION, ACROSS_PACKAGES],
          globalSetup: ['tests/support/global-setup.ts'],
        },
      },
    ],
  },
});
