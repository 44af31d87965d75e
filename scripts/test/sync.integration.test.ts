import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { backfill } from '@latchkey/identity/sync/reconcile';
import { type ReconcileBench, startReconcileBench } from '@latchkey/tests/support/reconcile';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { progressPrinter, progressText } from '../sync/progress.ts';

const PROGRAM = join(import.meta.dirname, '../latchkey.ts');

let bench: ReconcileBench;
beforeAll(async () => {
  bench = await startReconcileBench();
});
afterAll(() => bench.close());
beforeEach(() => bench.reset());

/** The local Clerk answers from this very process, so the command must not block it. */
function sync(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [PROGRAM, 'sync', ...args], {
    env: {
      PATH: process.env.PATH,
      ...bench.directory.environment,
      HASURA_GRAPHQL_ENDPOINT: bench.project.config.endpoint,
      HASURA_GRAPHQL_ADMIN_SECRET: bench.project.config.adminSecret,
    },
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      texts[name] += text;
    });
  }
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, ...texts })));
}

test('backfill, drift and repair say in a table what they found and did', async () => {
  const { users } = bench.populate({ users: 21, organizations: 1, members: 2 });
  const first = await sync('backfill');
  expect(first).toMatchObject({ status: 0, stderr: '' });
  expect(first.stdout).toMatch(
    /users +organizations +memberships\nclerk lists +21 +1 +2\nwritten +21 +1 +2\n/,
  );

  expect(await sync('drift')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('The tables are what clerk holds.'),
  });
  await bench.later();
  bench.directory.change(() => bench.directory.clerk.directory.deleteUser(users[20] ?? ''));
  const drifted = await sync('drift');
  expect(drifted.status).toBe(1);
  expect(drifted.stdout).toMatch(/^extra +1 +0 +0$/m);
  expect(drifted.stdout).toContain(`extra user ${users[20]}`);
  expect(drifted.stdout).toContain('latchkey sync repair --provider clerk');

  const repaired = await sync('repair', '--provider', 'clerk');
  expect(repaired).toMatchObject({ status: 0, stdout: expect.stringMatching(/^deleted +1 +0 +0$/m) });
  expect((await sync('drift')).status).toBe(0);
});

test('--json prints one JSON document for programs to read', async () => {
  const { users } = bench.populate({ users: 2 });
  const { status, stdout } = await sync('drift', '--json');
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toEqual([
    expect.objectContaining({
      provider: 'clerk',
      task: 'drift',
      differences: 2,
      startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      drift: expect.objectContaining({ missing: { user: 2, organization: 0, membership: 0 } }),
      examples: users.map((id) => ({ problem: 'missing', key: { kind: 'user', tenant: '', id } })),
    }),
  ]);
});

test('a repair that would delete too much says so, and --deletion-limit allows it', async () => {
  const { users } = bench.populate({ users: 8 });
  await backfill(bench.context);
  await bench.later();
  bench.directory.change(() => {
    for (const id of users.slice(0, 2)) bench.directory.clerk.directory.deleteUser(id);
  });
  expect(await sync('repair')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/2 of 8 users.*--deletion-limit 26%/),
  });
  expect((await sync('repair', '--deletion-limit', '25')).status).toBe(1);
  expect((await sync('repair', '--deletion-limit', '26%')).status).toBe(0);
  expect((await bench.live()).users).toHaveLength(6);
});

describe('what is wrong is refused in one line', () => {
  test.each([
    ['an unknown command', ['bacfill'], 2, /bacfill/],
    [
      'a provider that is not set up',
      ['drift', '--provider', 'cognito'],
      2,
      /--provider cognito is not set up/,
    ],
    [
      'a share that is none',
      ['repair', '--deletion-limit', 'all'],
      2,
      /--deletion-limit takes 0% to 100%, not all/,
    ],
    ['more than everybody', ['repair', '--deletion-limit', '101%'], 2, /not 101%/],
    ['an option of another', ['drift', '--deletion-limit', '5%'], 2, /--deletion-limit/],
  ])('%s', async (_what, args, status, message) => {
    const ended = await sync(...args);
    expect(ended).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(message) });
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
  });

  test('a provider that does not answer is another exit code', async () => {
    bench.directory.intercept = () => ({ status: 401 });
    expect(await sync('backfill')).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('CLERK_SECRET_KEY'),
    });
  });
});

test.each([[], ['backfill'], ['drift'], ['repair']])(
  '--help of sync %s tells what it does',
  async (...name) => {
    const { status, stdout } = await sync(...name, '--help');
    expect(status).toBe(0);
    expect(stdout).toContain(['latchkey sync', ...name].join(' '));
  },
);

describe('progress', () => {
  test('tells rows, rate and the time left', () => {
    const reached = { phase: 'reading', rows: 20_000, total: 100_000 } as const;
    expect(progressText(reached, 1_000)).toBe(
      'reading, 20,000 of about 100,000 rows, 1,000 rows/s, 1 min 20 s left',
    );
    expect(progressText({ ...reached, total: undefined }, 1_000)).toBe('reading, 20,000 rows, 1,000 rows/s');
    expect(progressText({ ...reached, rows: 101_000 }, 0)).toBe('reading, 101,000 of about 100,000 rows');
  });

  /** Shows `rows` rows each second from `from` on. */
  function printed(isTTY: boolean, seconds: number, from = 0): string {
    let at = 0;
    let text = '';
    const out = { isTTY, write: (more: string) => (text += more) };
    const printer = progressPrinter('clerk', out, () => at);
    for (let second = 0; second <= seconds; second += 1) {
      printer.show({ phase: 'reading', rows: from + second * 100, total: 10_000 });
      at += 1000;
    }
    printer.end();
    return text;
  }

  test('is one line that is written anew on a terminal, and a line now and then elsewhere', () => {
    const lines = printed(true, 3).split('\r\u001b[K').slice(1);
    expect(lines).toHaveLength(3);
    expect(lines.at(-1)).toBe('clerk: reading, 300 of about 10,000 rows, 100 rows/s, 1 min 37 s left\n');
    expect(printed(false, 12)).toBe(
      'clerk: reading, 500 of about 10,000 rows, 100 rows/s, 1 min 35 s left\n' +
        'clerk: reading, 1,000 of about 10,000 rows, 100 rows/s, 1 min 30 s left\n',
    );
  });

  test('does not take what an earlier run did for speed', () => {
    expect(printed(true, 3, 5_000)).toContain('5,300 of about 10,000 rows, 100 rows/s, 47 s left');
  });
});
