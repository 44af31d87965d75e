import { join } from 'node:path';
import { LatchkeyError } from '@latchkey/core/errors';
import { type Child, startChild } from '@latchkey/local/processes/processes';
import { type ReconcileBench, startReconcileBench } from '@latchkey/tests/support/reconcile';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Directory } from '#providers/provider.ts';
import { backfill, drift, repair } from '#sync/reconcile.ts';
import { driftOf } from '#sync/report.ts';

const PROGRAM = join(import.meta.dirname, '../../../../scripts/latchkey.ts');

let bench: ReconcileBench;
beforeAll(async () => {
  bench = await startReconcileBench();
});
afterAll(() => bench.close());
beforeEach(() => bench.reset());

const runs = () =>
  bench.query('SELECT task, finished_at, cursor, counts, error FROM identity.reconciles ORDER BY started_at');
const keptRows = async () => (await bench.query('SELECT FROM identity.reconcile_keys')).length;
const called = (path: RegExp) => bench.directory.calls.filter((call) => path.test(call.path));
const lists = () => called(/^\/v1\/(users|organizations|organization_memberships)$/);
const offsets = () =>
  called(/^\/v1\/users$/)
    .filter(({ query }) => !query.has('user_id'))
    .map(({ query }) => query.get('offset') ?? '0');
const asked = () => called(/^\/v1\/users\/user_/).map(({ path }) => path.split('/').at(-1));

/** 600 users that the tables hold too; then one of the first page and one of the last are deleted. */
async function diverge() {
  const { users, organizations } = bench.populate({ users: 600, organizations: 1, members: 10 });
  await backfill(bench.context);
  await bench.later();
  const gone = [users[20] ?? '', users[550] ?? ''];
  bench.directory.change(() => {
    for (const id of gone) bench.directory.clerk.directory.deleteUser(id);
  });
  bench.directory.calls.length = 0;
  return { users, organizations, gone, left: users.filter((id) => !gone.includes(id)).toSorted() };
}

/** Stops a repair when Clerk is asked for something. */
async function stopAt(isThere: (path: string, query: URLSearchParams) => boolean): Promise<void> {
  const stopped = new AbortController();
  bench.directory.intercept = ({ path, query }) => {
    if (isThere(path, query)) stopped.abort(new Error('stopped'));
    return undefined;
  };
  await expect(repair({ ...bench.context, signal: stopped.signal })).rejects.toThrow('stopped');
  bench.directory.intercept = () => undefined;
  bench.directory.calls.length = 0;
}
const lastPage = (path: string, query: URLSearchParams) =>
  path === '/v1/users' && query.get('offset') === '490';

function startRepair(...args: string[]): Promise<Child> {
  const { endpoint, adminSecret } = bench.project.config;
  return startChild({
    name: 'the repair',
    command: process.execPath,
    args: [PROGRAM, 'sync', 'repair', ...args],
    env: {
      PATH: process.env.PATH,
      ...bench.directory.environment,
      HASURA_GRAPHQL_ENDPOINT: endpoint,
      HASURA_GRAPHQL_ADMIN_SECRET: adminSecret,
    },
  });
}

test('a repair that was killed goes on at its cursor, and deletes exactly who is gone', async () => {
  const { gone, left } = await diverge();
  const reached = Promise.withResolvers<void>();
  const isGone = Promise.withResolvers<void>();
  bench.directory.intercept = async ({ path, query }) => {
    if (!lastPage(path, query)) return undefined;
    reached.resolve();
    await isGone.promise;
    return undefined;
  };
  const child = await startRepair();
  await reached.promise;
  const cursor = async () => (await runs()).at(-1)?.cursor;
  await expect.poll(cursor, { timeout: 20_000 }).toContain('490');
  process.kill(-child.pid, 'SIGKILL');
  expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
  isGone.resolve();
  await child.stop();
  expect((await runs()).at(-1)).toMatchObject({ finished_at: null });
  expect((await bench.live()).users).toHaveLength(600);

  bench.directory.calls.length = 0;
  bench.directory.intercept = () => undefined;
  const second = await startRepair('--take-over', '--json');
  expect(await second.exited, second.tail()).toEqual({ code: 0, signal: null });
  await second.stop();
  expect(offsets()).toEqual(['490']);
  // Whoever the first process had listed need not be asked for.
  expect(asked().toSorted()).toEqual(gone.toSorted());
  expect((await bench.live()).users).toEqual(left);
  expect((await runs()).at(-1)).toMatchObject({
    task: 'repair',
    finished_at: expect.any(Date),
    cursor: null,
    error: null,
    counts: { listed: { user: 598, organization: 1, membership: 10 }, deleted: { user: 2 } },
  });
  expect(await keptRows()).toBe(0);
  expect(driftOf(await drift(bench.context))).toBe(0);
});

test('one that was stopped while it deleted does not list again', async () => {
  const { gone, left } = await diverge();
  await stopAt((path) => path === `/v1/users/${gone[0]}`);
  expect((await runs()).at(-1)).toMatchObject({ finished_at: null, cursor: 'listed', error: 'stopped' });
  await repair(bench.context);
  expect(lists().filter(({ query }) => !query.has('user_id'))).toEqual([]);
  expect((await bench.live()).users).toEqual(left);
});

test('what came while it was interrupted is left alone, and nobody asks for it', async () => {
  const { left } = await diverge();
  await stopAt(lastPage);
  // Organizations have been listed by then.
  const { result: late, messages } = bench.directory.change(() =>
    bench.directory.clerk.directory.createOrganization({ name: 'Late' }),
  );
  for (const message of messages) await bench.directory.deliver(bench.writer, message);
  await repair(bench.context);
  expect(called(/^\/v1\/organizations/)).toEqual([]);
  const live = await bench.live();
  expect(live.organizations).toContain(late.id);
  expect(live.users).toEqual(left);
});

test('where less is kept than was listed, everything is listed again', async () => {
  const { gone, left } = await diverge();
  await stopAt(lastPage);
  expect(await keptRows()).toBeGreaterThan(0);
  await bench.query('DELETE FROM identity.reconcile_keys');
  await repair(bench.context);
  expect(offsets()).toEqual(['0', '490']);
  expect(asked().toSorted()).toEqual(gone.toSorted());
  expect((await bench.live()).users).toEqual(left);
});

test('a listing of hours ago is not gone on with, nor is one where --restart says so', async () => {
  await diverge();
  await stopAt(lastPage);
  await bench.query("UPDATE identity.reconciles SET started_at = now() - interval '7 hours'");
  await repair(bench.context);
  expect(offsets()).toEqual(['0', '490']);
  expect(await keptRows()).toBe(0);

  await stopAt(lastPage);
  await repair(bench.context, { restart: true });
  expect(offsets()).toEqual(['0', '490']);
  expect(await keptRows()).toBe(0);
});

test('one that was refused is not gone on with', async () => {
  const { users } = await diverge();
  bench.directory.change(() => {
    for (const id of users.slice(100, 300)) bench.directory.clerk.directory.deleteUser(id);
  });
  const refused = expect.objectContaining({ code: 'repair-refused' });
  await expect(repair(bench.context)).rejects.toThrow(refused);
  expect((await runs()).at(-1)).toMatchObject({ finished_at: expect.any(Date) });
  bench.directory.calls.length = 0;
  await expect(repair(bench.context)).rejects.toThrow(refused);
  expect(offsets()[0]).toBe('0');
});

test('a cursor that the provider has forgotten is a listing from the beginning', async () => {
  const { left } = await diverge();
  await stopAt(lastPage);
  const { provider } = bench.context;
  const cursors: (string | undefined)[] = [];
  const directory: Directory = {
    ...provider.directory,
    async *pages(options = {}) {
      cursors.push(options.cursor);
      if (options.cursor !== undefined) throw new LatchkeyError('request-invalid', 'It is forgotten.');
      yield* provider.directory.pages(options);
    },
  };
  await repair({ ...bench.context, provider: { ...provider, directory } });
  expect(cursors).toEqual([expect.stringContaining('users'), undefined]);
  expect((await bench.live()).users).toEqual(left);
});
