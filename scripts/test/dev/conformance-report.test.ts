import { describe, expect, test } from 'vitest';
import { belowFloor, readFloor, table, tally } from '../../dev/conformance-report.ts';

const tiers = new Map([
  ['query/basic', 'A'],
  ['explain', 'B'],
] as const);

const report = {
  durationMs: 61_000,
  cases: [
    { suite: 'query/basic', id: '1', result: 'passed', pass: true, exact: true },
    { suite: 'query/basic', id: '2', result: 'passed', pass: true, exact: false },
    { suite: 'query/basic', id: '3', result: 'failed', pass: false, exact: false },
    { suite: 'query/basic', id: '4', result: 'skipped', reason: 'needs postgis' },
    { suite: 'explain', id: '5', result: 'passed', pass: true, exact: true },
  ],
};

describe('the report of a conformance run', () => {
  test('counts cases by tier, skipped ones apart', () => {
    const { tiers: counts } = tally(report, tiers);
    expect(counts.A).toEqual({ ran: 3, passed: 2, exact: 1, skipped: 1 });
    expect(counts.B).toEqual({ ran: 1, passed: 1, exact: 1, skipped: 0 });
  });

  test('fails below either floor, and says by how much', () => {
    const counted = tally(report, tiers);
    const floor = { A: { pass: 66, exact: 33 }, B: { pass: 100, exact: 100 } };
    expect(belowFloor(counted, floor)).toEqual([]);
    expect(belowFloor(counted, { ...floor, A: { pass: 67, exact: 34 } })).toEqual([
      'Tier A: 66.7 % of the cases pass, at least 67 % must.',
      'Tier A: 33.3 % of the cases answer exactly as recorded, at least 34 % must.',
    ]);
  });

  test('fails where nothing ran at all', () => {
    const floor = { A: { pass: 0, exact: 0 }, B: { pass: 0, exact: 0 } };
    expect(belowFloor(tally({ durationMs: 0, cases: [] }, tiers), floor)).toEqual([
      'Tier A: no case ran.',
      'Tier B: no case ran.',
    ]);
  });

  test('lists the suites that differ and never prints a line that looks like a test count', () => {
    const text = table(tally(report, tiers), tiers);
    expect(text).toMatch(/^query\/basic\s+A\s+3\s+2\s+1\s+1$/m);
    expect(text).not.toMatch(/^explain/m);
    expect(text).not.toMatch(/\d+ passed/);
  });

  test('the committed floor is one, and no less than what was promised', () => {
    const floor = readFloor(new URL('../../dev/conformance-floor.json', import.meta.url));
    expect(floor.A.exact).toBeGreaterThanOrEqual(95);
    expect(floor.B.pass).toBeGreaterThanOrEqual(80);
  });
});
