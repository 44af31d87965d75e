import { join } from 'node:path';
import { LatchkeyError } from '@latchkey/core/errors';
import { type Child, startChild } from '@latchkey/local/processes/processes';
import { type ReconcileBench, startReconcileBench } from '@latchkey/tests/support/reconcile';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createHasuraClient } from '#hasura/client.ts';
import { backfill } from '#sync/reconcile.ts';
import type { ReconcilePosition } from '#sync/reconcile-context.ts';
import { createWriter } from '#sync/writer.ts';

const PROGRAM = join(import.meta.dirname, '../../../../scripts/latchkey.ts');

let bench: ReconcileBench;
beforeAll(async () => {
  bench = await startReconcileBench();
});
afterAll(() => bench.close());
beforeEach(() => bench.reset());

const runs = () =>
  bench.query('SELECT task, finished_at, cursor, counts, error FROM identity.reconciles ORDER BY started_at');
const offsets = () =>
  bench.directory.calls
    .filter(({ path }) => path === '/v1/users')
    // The first page is asked for without an offset.
    .map(({ query }) => query.get('offset') ?? '0');

function startBackfill(...args: string[]): Promise<Child> {
  return startProgram(PROGRAM, ...args);
}

function startProgram(program: string, ...args: string[]): Promise<Child> {
  const { endpoint, adminSecret } = bench.project.config;
  return startChild({
    name: 'the backfill',
    command: process.execPath,
    args: [program, 'sync', 'backfill', ...args],
    env: {
      PATH: process.env.PATH,
      ...bench.directory.environment,
      HASURA_GRAPHQL_ENDPOINT: endpoint,
      HASURA_GRAPHQL_ADMIN_SECRET: adminSecret,
    },
  });
}

test('everybody comes in, with their organizations and memberships', async () => {
  const { users, organizations } = bench.populate({ users: 5, organizations: 2, members: 3 });
  const report = await backfill(bench.context);
  expect(report.listed).toEqual({ organization: 2, user: 5, membership: 3 });
  expect(await bench.live()).toEqual({
    users: users.toSorted(),
    organizations: organizations.toSorted(),
    memberships: users
      .slice(0, 3)
      .map((user) => `${organizations[0]} ${user}`)
      .toSorted(),
  });
  expect(await runs()).toMatchObject([
    {
      task: 'backfill',
      finished_at: expect.any(Date),
      cursor: null,
      counts: { listed: { user: 5 }, unreadable: 0 },
      error: null,
    },
  ]);
});

test('a second one changes no row', async () => {
  bench.populate({ users: 3, organizations: 1, members: 3 });
  await backfill(bench.context);
  const rows = () => bench.query('SELECT * FROM public.users ORDER BY id');
  const before = await rows();
  await backfill(bench.context);
  expect(await rows()).toEqual(before);
});

test('progress tells rows and about how many there are', async () => {
  bench.populate({ users: 600, organizations: 1, members: 2 });
  const told: ReconcilePosition[] = [];
  await backfill({ ...bench.context, onProgress: (reached) => told.push(reached) });
  expect(told.at(-1)).toEqual({ phase: 'reading', rows: expect.any(Number), total: 603 });
  expect(told.at(-1)?.rows).toBeGreaterThanOrEqual(603);
  expect(told.map(({ rows }) => rows)).toEqual(told.map(({ rows }) => rows).toSorted((a, b) => a - b));
});

test('one that was stopped goes on at its cursor, in the same run', async () => {
  const { users } = bench.populate({ users: 1200 });
  const stopped = new AbortController();
  // Once something of it is done and noted.
  bench.directory.intercept = async ({ path, query }) => {
    if (path !== '/v1/users' || query.get('offset') !== '980') return undefined;
    await expect.poll(async () => (await runs())[0]?.cursor, { timeout: 20_000 }).toMatch(/490|980/);
    stopped.abort(new Error('stopped'));
    return undefined;
  };
  await expect(backfill({ ...bench.context, signal: stopped.signal })).rejects.toThrow('stopped');
  expect(await runs()).toMatchObject([{ finished_at: null, error: 'stopped' }]);

  bench.directory.calls.length = 0;
  bench.directory.intercept = () => undefined;
  await backfill(bench.context);
  expect(offsets()).not.toContain('0');
  expect((await bench.live()).users).toEqual(users.toSorted());
  expect(await runs()).toMatchObject([{ finished_at: expect.any(Date), cursor: null, error: null }]);
});

test('one that was killed goes on at its cursor, and nobody is left out', async () => {
  const { users } = bench.populate({ users: 1200, organizations: 1, members: 10 });
  // The last page does not come until the process is gone.
  const reached = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  bench.directory.intercept = async ({ path, query }) => {
    if (path !== '/v1/users' || query.get('offset') !== '980') return undefined;
    reached.resolve();
    await gone.promise;
    return undefined;
  };
  const child = await startBackfill();
  await reached.promise;
  await expect.poll(async () => (await runs())[0]?.cursor, { timeout: 20_000 }).toContain('980');
  process.kill(-child.pid, 'SIGKILL');
  expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
  gone.resolve();
  expect(await runs()).toMatchObject([{ finished_at: null }]);

  // Whether a silent process is gone or only slow is for the operator to know.
  await expect(backfill(bench.context)).rejects.toThrow(
    expect.objectContaining({ code: 'reconcile-under-way', message: expect.stringContaining('--take-over') }),
  );
  bench.directory.calls.length = 0;
  const second = await startBackfill('--take-over');
  expect(await second.exited, second.tail()).toEqual({ code: 0, signal: null });
  await second.stop();
  await child.stop();
  expect(offsets()).not.toContain('0');
  const live = await bench.live();
  expect(live.users).toEqual(users.toSorted());
  expect(live.memberships).toHaveLength(10);
  expect(await runs()).toMatchObject([{ finished_at: expect.any(Date), cursor: null }]);
});

test('one that was interrupted ends in order, and the next one goes on at once', async () => {
  const { users } = bench.populate({ users: 1200 });
  const reached = Promise.withResolvers<void>();
  const interrupted = Promise.withResolvers<void>();
  bench.directory.intercept = async ({ path, query }) => {
    if (path !== '/v1/users' || query.get('offset') !== '980') return undefined;
    reached.resolve();
    await interrupted.promise;
    return undefined;
  };
  const child = await startBackfill();
  await reached.promise;
  process.kill(child.pid, 'SIGINT');
  interrupted.resolve();
  expect(await child.exited).toMatchObject({ code: 3 });
  expect(child.tail()).toContain('was interrupted: run it again');
  await child.stop();

  bench.directory.calls.length = 0;
  await backfill(bench.context);
  expect(offsets()).not.toContain('0');
  expect((await bench.live()).users).toEqual(users.toSorted());
});

test('one whose launcher is killed does not go on behind it, and ends in order', async () => {
  bench.populate({ users: 600 });
  const reached = Promise.withResolvers<void>();
  const killed = Promise.withResolvers<void>();
  bench.directory.intercept = async ({ path, query }) => {
    if (path !== '/v1/users' || query.get('offset') !== '490') return undefined;
    reached.resolve();
    await killed.promise;
    return undefined;
  };
  const launcher = await startProgram(PROGRAM.replace(/\.ts$/, '.js'));
  await reached.promise;
  process.kill(launcher.pid, 'SIGKILL');
  await launcher.exited;
  killed.resolve();
  const ends = async () => (await runs()).map(({ error }) => error);
  await expect.poll(ends, { timeout: 20_000 }).toEqual([expect.stringContaining('was interrupted')]);
  await launcher.stop();
  expect(await runs()).toMatchObject([{ finished_at: null }]);
});

test('--restart begins at the beginning', async () => {
  bench.populate({ users: 600 });
  const stopped = new AbortController();
  bench.directory.intercept = ({ query }) => {
    if (query.get('offset') === '490') stopped.abort(new Error('stopped'));
    return undefined;
  };
  await expect(backfill({ ...bench.context, signal: stopped.signal })).rejects.toThrow('stopped');
  bench.directory.calls.length = 0;
  await backfill(bench.context, { restart: true });
  expect(offsets()).toContain('0');
  expect(await runs()).toMatchObject([{ error: expect.stringContaining('began anew') }, { error: null }]);
});

test('a limited rate is waited for as long as Clerk says, and costs nobody', async () => {
  const { users } = bench.populate({ users: 700 });
  let refusedAt: number | undefined;
  let cameBackAfter: number | undefined;
  bench.directory.intercept = ({ path, query }) => {
    if (path !== '/v1/users' || query.get('offset') !== '490') return undefined;
    if (refusedAt === undefined) {
      refusedAt = performance.now();
      return { status: 429, headers: { 'retry-after': '1' } };
    }
    cameBackAfter = performance.now() - refusedAt;
    return undefined;
  };
  await backfill(bench.context);
  // Timers may be a little early.
  expect(cameBackAfter).toBeGreaterThan(950);
  expect((await bench.live()).users).toEqual(users.toSorted());
});

test('a directory that refuses nearly everything is walked to its end all the same', async () => {
  const { users } = bench.populate({ users: 1100, organizations: 1, members: 5 });
  const asked = new Map<string, number>();
  bench.directory.intercept = ({ path, query }) => {
    const times = (asked.get(`${path}?${query}`) ?? 0) + 1;
    asked.set(`${path}?${query}`, times);
    return times > 4 ? undefined : { status: 429, headers: { 'retry-after': '0' } };
  };
  await backfill(bench.context);
  expect((await bench.live()).users).toEqual(users.toSorted());
});

test('what the database refuses is left out and told, and everybody else comes in', async () => {
  const { users } = bench.populate({ users: 40 });
  const foreign = users[17] ?? '';
  await bench.query(
    "INSERT INTO public.users (id, provider, source_updated_at) VALUES ($1, 'casdoor', now())",
    [foreign],
  );
  const report = await backfill(bench.context);
  expect(report.refused).toEqual({ organization: 0, user: 1, membership: 0 });
  expect(report.examples).toEqual([
    {
      problem: 'refused',
      key: { kind: 'user', tenant: '', id: foreign },
      reason: expect.stringContaining('belongs to provider casdoor'),
    },
  ]);
  expect((await bench.live()).users).toHaveLength(39);
});

test('characters that PostgreSQL refuses cost nobody their row', async () => {
  bench.populate({ users: 3 });
  bench.directory.change(() =>
    bench.directory.clerk.directory.signUp({
      firstName: 'a\u0000b\ud83dc',
      publicMetadata: { 'k\u0000': '\u0000' },
    }),
  );
  const report = await backfill(bench.context);
  expect(report.refused.user).toBe(0);
  expect(
    await bench.query("SELECT first_name, metadata FROM public.users WHERE first_name NOT LIKE 'User %'"),
  ).toEqual([{ first_name: 'a\uFFFDb\uFFFDc', metadata: { 'k\uFFFD': '\uFFFD' } }]);
});

test('an engine that is away for a moment is waited for', async () => {
  const { users } = bench.populate({ users: 30 });
  let refusals = 3;
  const writer = {
    write: async (records: Parameters<typeof bench.writer.write>[0]) => {
      if (refusals-- > 0) throw new LatchkeyError('engine-unreachable', 'It is away.');
      return bench.writer.write(records);
    },
  };
  await backfill({ ...bench.context, writer });
  expect((await bench.live()).users).toEqual(users.toSorted());
});

test('an engine that refuses from the start is told at once', async () => {
  const engine = createHasuraClient({ ...bench.project.config, adminSecret: 'wrong' });
  const writer = createWriter(engine, { inFlight: 1, queueLimit: 10 });
  await expect(backfill({ ...bench.context, engine, writer })).rejects.toThrow(
    expect.objectContaining({ code: 'engine-refused' }),
  );
  expect(bench.directory.calls).toEqual([]);
});
