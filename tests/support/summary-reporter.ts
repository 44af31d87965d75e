import type { Reporter, TestModule } from 'vitest/node';

/**
 * Closes a run with one plain line, `N passed, N failed` (and `, N skipped` if any were), for
 * programs that read it. A file that could not even be loaded counts as one failed test.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'failed') failedHere += 1;
        // A test that never came to run, as its file or a hook failed, has not passed.
        if (state === 'passed' || state === 'skipped') counts[state] += 1;
      }
      counts.failed += module.state() === 'failed' ? Math.max(failedHere, 1) : failedHere;
    }
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
    const line = `${counts.passed} passed, ${counts.failed} failed${skipped}\n`;
    // Other reporters write their own summary after this hook: ours is to be the last line.
    process.once('exit', () => process.stdout.write(line));
  }
}
