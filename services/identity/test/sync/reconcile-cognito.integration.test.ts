import { setTimeout as sleep } from 'node:timers/promises';
import { POOL } from '@latchkey/tests/support/cognito';
import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createHasuraClient, type HasuraClient } from '#hasura/client.ts';
import { createCognito } from '#providers/cognito/index.ts';
import type { CognitoConfig } from '#providers/cognito/settings.ts';
import { backfill, drift, repair } from '#sync/reconcile.ts';
import type { ReconcileContext } from '#sync/reconcile-context.ts';
import { driftOf } from '#sync/report.ts';
import { createWriter, type Writer } from '#sync/writer.ts';
import { type Answer, type Call, configAt, serveCognito } from '../support/cognito.ts';
import { answerFrom, type Pools } from '../support/cognito-pools.ts';

const OTHER = 'us-east-1_Other9';
const AUTOMATIC = `${POOL}_Google`;

let project: EmbeddedProject;
let engine: HasuraClient;
let writer: Writer;
let server: Awaited<ReturnType<typeof serveCognito>>;
/** What the pools hold, and what is done before a call is answered. */
let pools: Pools;
let intercept: (call: Call) => Answer | 'never' | undefined;
beforeAll(async () => {
  const answer = (call: Call) => intercept(call) ?? answerFrom(pools)(call);
  [project, server] = await Promise.all([startEmbedded(), serveCognito(answer)]);
  engine = createHasuraClient(project.config);
  writer = createWriter(engine, { inFlight: 2, queueLimit: 1000 });
});
afterAll(async () => {
  await writer?.close();
  await server?.close();
  await project?.close();
});
beforeEach(async () => {
  intercept = () => undefined;
  await project.database.query(
    'TRUNCATE public.users, public.organizations, identity.deliveries, identity.reconciles CASCADE',
  );
});

const contextOf = (settings: Partial<CognitoConfig> = {}): ReconcileContext => ({
  provider: createCognito(configAt(server.url, settings), engine),
  engine,
  writer,
});
const anyNumber = { deletionLimit: { share: 1, rows: 0 } };
const live = async (table: 'users' | 'organizations', more = '') => {
  const sql = `SELECT id FROM public.${table} WHERE deleted_at IS NULL ${more} ORDER BY id`;
  return (await project.database.query(sql)).map(({ id }) => id);
};

/** Waits until no more rows come. */
async function untilWritten(): Promise<void> {
  const rows = async () => {
    const sql = `SELECT (SELECT count(*) FROM public.users) + (SELECT count(*) FROM public.organizations)
      + (SELECT count(*) FROM public.organization_memberships) AS rows`;
    return Number((await project.database.query(sql))[0]?.rows);
  };
  for (let [before, same] = [-1, 0]; same < 4; ) {
    const now = await rows();
    same = now === before ? same + 1 : 0;
    before = now;
    await sleep(5);
  }
}

test('a backfill that is cut off at any call and resumed counts everything once', async () => {
  pools = {
    [POOL]: { ada: { groups: ['a', 'b'] }, ben: { groups: ['b'] }, cam: {} },
    [OTHER]: { dee: { groups: ['a'] }, eve: { groups: ['a', 'c'] } },
  };
  const context = contextOf({ userPoolIds: [POOL, OTHER] });
  const whole = await backfill(context);
  const expected = { organization: 4, user: 5, membership: 6 };
  expect([whole.listed, whole.written]).toEqual([expected, expected]);
  const calls = server.calls.length;

  for (let cut = 1; cut <= calls; cut += 1) {
    await project.database.query('TRUNCATE public.users, public.organizations, identity.reconciles CASCADE');
    const stopped = new AbortController();
    let asked = 0;
    intercept = () => {
      asked += 1;
      if (asked !== cut) return undefined;
      // Whatever came before has its time to be written.
      void untilWritten().then(() => stopped.abort(new Error('stopped')));
      return 'never';
    };
    await expect(backfill({ ...context, signal: stopped.signal })).rejects.toThrow('stopped');
    const report = await backfill(context);
    expect(report.listed, `cut off at call ${cut} of ${calls}`).toEqual(expected);
    expect(await live('users')).toHaveLength(5);
  }
});

test('automatic groups of federated users are not missing; rows of them are extra, and removed', async () => {
  pools = {
    [POOL]: {
      ada: { name: 'Google_1', groups: [AUTOMATIC, 'editors'] },
      ben: { name: 'Google_2', groups: [AUTOMATIC] },
    },
  };
  await backfill(contextOf({ keepsFederatedGroups: true }));
  expect(await live('organizations')).toContain(`${POOL}/${AUTOMATIC}`);

  const found = await drift(contextOf());
  expect(found.drift).toMatchObject({
    extra: { organization: 1, membership: 2 },
    missing: { organization: 0, user: 0, membership: 0 },
    stale: { user: 2 },
  });
  await repair(contextOf(), anyNumber);
  expect(await live('organizations')).toEqual([`${POOL}/editors`]);
  expect(await project.database.query('SELECT roles FROM public.users ORDER BY id')).toEqual([
    { roles: ['editors'] },
    { roles: [] },
  ]);
  expect(driftOf(await drift(contextOf()))).toBe(0);
});

test('who has not confirmed their sign-up is neither missing nor written, nor kept where they are asked out', async () => {
  pools = { [POOL]: { ada: {}, mallory: { UserStatus: 'UNCONFIRMED', groups: ['editors'] } } };
  await repair(contextOf());
  expect(await live('users')).toEqual(['ada']);
  expect(driftOf(await drift(contextOf()))).toBe(0);

  await repair(contextOf({ keepsUnconfirmedUsers: true }));
  expect(await live('users')).toEqual(['ada', 'mallory']);
  expect((await drift(contextOf())).drift.extra).toMatchObject({ user: 1 });
  await repair(contextOf(), anyNumber);
  expect(await live('users')).toEqual(['ada']);
});

test('whom Cognito keeps out is found and mirrored without any event, and back', async () => {
  pools = { [POOL]: { ada: {}, ben: {} } };
  await backfill(contextOf());
  for (const Enabled of [false, true]) {
    pools = { [POOL]: { ada: { Enabled }, ben: {} } };
    expect((await drift(contextOf())).drift.stale).toMatchObject({ user: 1 });
    await repair(contextOf());
    expect(await live('users', 'AND disabled_at IS NOT NULL')).toEqual(Enabled ? [] : ['ada']);
    expect(driftOf(await drift(contextOf()))).toBe(0);
  }
});

test('a listing with anything odd in it deletes nothing, and all else is written', async () => {
  pools = { [POOL]: { ada: {}, gone: {} } };
  await backfill(contextOf());
  pools = { [POOL]: { ada: { attributes: { name: 'Ada' } }, odd: { attributes: { sub: '' } } } };
  const report = await repair(contextOf(), anyNumber);
  expect(report).toMatchObject({
    unreadable: 1,
    unreadableExamples: [{ name: 'user odd', reason: 'its sub is not one that Cognito gives' }],
    deleted: { user: 0 },
  });
  expect(await live('users')).toEqual(['ada', 'gone']);
  expect(await live('users', "AND name = 'Ada'")).toEqual(['ada']);
});

test('a second pool’s user of the same sub is refused and named, and the first one’s row stays theirs', async () => {
  pools = {
    [POOL]: { both: { attributes: { name: 'First' } } },
    [OTHER]: { both: { attributes: { name: 'Second' } } },
  };
  const context = contextOf({ userPoolIds: [POOL, OTHER] });
  const report = await backfill(context);
  expect(report.refused).toMatchObject({ user: 1 });
  expect(report.examples).toContainEqual(
    expect.objectContaining({ problem: 'refused', key: { kind: 'user', tenant: OTHER, id: 'both' } }),
  );
  expect(await project.database.query('SELECT tenant, name FROM public.users')).toEqual([
    { tenant: POOL, name: 'First' },
  ]);
  expect((await drift(context)).refused).toMatchObject({ user: 1 });
});

test('the rows of a pool that is not listed are left alone', async () => {
  pools = { [POOL]: { ada: {} }, [OTHER]: { ben: {} } };
  await backfill(contextOf({ userPoolIds: [POOL, OTHER] }));
  const report = await repair(contextOf({ userPoolIds: [POOL] }), anyNumber);
  expect(report.stored).toMatchObject({ user: 1 });
  expect(await live('users')).toEqual(['ada', 'ben']);
});
