import { type LocalCasdoor, newRecord, startLocalCasdoor } from '@latchkey/local/stand-ins/casdoor';
import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { DELETION_LIMIT } from '#core/settings/deletion-limit.ts';
import { createHasuraClient, type HasuraClient } from '#hasura/client.ts';
import { buildApp } from '#http/app.ts';
import { createLogger } from '#http/logger.ts';
import { createCasdoor } from '#providers/casdoor/index.ts';
import { MOST_READ_AT_ONCE } from '#providers/casdoor/read-things.ts';
import { backfill, drift, repair } from '#sync/reconcile.ts';
import type { ReconcileContext } from '#sync/reconcile-context.ts';
import { driftOf } from '#sync/report.ts';
import { createWriter } from '#sync/writer.ts';
import { configOf } from '../support/casdoor.ts';

// What Casdoor does with client credentials, LDAP and SCIM no webhook tells: only a reconcile brings it.

let project: EmbeddedProject;
let engine: HasuraClient;
let casdoor: LocalCasdoor;
let context: ReconcileContext;
beforeAll(async () => {
  project = await startEmbedded();
  engine = createHasuraClient(project.config);
});
afterAll(() => project.close());
beforeEach(async () => {
  await project.database.query('TRUNCATE public.users, public.organizations CASCADE');
  casdoor = await startLocalCasdoor({ port: 0 });
  context = contextOf();
  return () => casdoor.close();
});

function contextOf(settings: Record<string, string> = {}): ReconcileContext {
  return {
    provider: createCasdoor(configOf(casdoor, settings), engine),
    engine,
    writer: createWriter(engine, { inFlight: 2, queueLimit: 1000 }),
  };
}
const query = (sql: string) => project.database.query(sql);
const live = async (table: string, column: string) =>
  (await query(`SELECT ${column} AS key FROM public.${table} WHERE deleted_at IS NULL ORDER BY 1`)).map(
    ({ key }) => key,
  );
const anyNumber = { deletionLimit: { share: 1, rows: 0 } };

/** Twenty users in acme beside its admin, all in its group, two of them editors; and one elsewhere. */
function populate(): void {
  const { directory } = casdoor;
  directory.addGroup('acme/staff');
  directory.addOrganization('other');
  directory.addUser('other/stranger');
  const names = Array.from({ length: 20 }, (_, index) => `acme/u${String(index).padStart(2, '0')}`);
  for (const name of names) directory.addUser(name, { groups: ['acme/staff'] });
  directory.addRole('acme/editor', { users: names.slice(0, 2), isEnabled: true });
}

test('a repair brings everything, and finds nothing to do when nothing has changed', async () => {
  populate();
  await repair(context);
  expect(await live('users', 'username')).toHaveLength(22);
  expect(await live('organizations', 'id')).toEqual(expect.arrayContaining(['acme', 'acme/staff', 'other']));
  expect(await query('SELECT username FROM public.users WHERE roles = \'["editor"]\' ORDER BY 1')).toEqual([
    { username: 'u00' },
    { username: 'u01' },
  ]);
  const again = await repair(context);
  expect(again.written).toEqual({ user: 0, organization: 0, membership: 0 });
  expect(driftOf(await drift(context))).toBe(0);
});

test('what no webhook told is found and fixed: a name, a role, a group, a deletion', async () => {
  populate();
  await backfill(context);
  const { directory } = casdoor;
  directory.updateUser('acme/u05', { displayName: 'Grace' });
  directory.updateRole('acme/editor', { users: ['acme/u01'] });
  directory.updateUser('acme/u06', { groups: [] });
  directory.deleteUser('acme/u07');
  const found = await drift(context);
  expect(found.drift).toMatchObject({ stale: { user: 2 }, extra: { user: 1, membership: 3 } });

  const report = await repair(context);
  // Two more go with their user.
  expect(report.deleted).toEqual({ user: 1, organization: 0, membership: 1 });
  expect(await live('users', 'username')).not.toContain('u07');
  expect(
    await query("SELECT roles, name FROM public.users WHERE username IN ('u00', 'u05') ORDER BY username"),
  ).toEqual([
    { roles: [], name: expect.anything() },
    { roles: [], name: 'Grace' },
  ]);
  expect(driftOf(await drift(context))).toBe(0);
});

test('with their organization its users go, whom Casdoor keeps and answers for with errors', async () => {
  populate();
  await backfill(context);
  casdoor.directory.deleteOrganization('other');
  await repair(context, anyNumber);
  expect(await live('organizations', 'id')).not.toContain('other');
  expect(await live('users', 'username')).not.toContain('stranger');
  expect(driftOf(await drift(context))).toBe(0);
});

test('an organization that is not kept in step any more goes, with everybody in it', async () => {
  populate();
  await backfill(context);
  const narrowed = contextOf({ CASDOOR_ORGANIZATIONS: 'acme' });
  await repair(narrowed, anyNumber);
  expect(await live('organizations', 'id')).toEqual(['acme', 'acme/staff']);
  expect(await live('users', 'username')).toHaveLength(20);
});

/** The service, so that Casdoor's webhooks reach it, and the reconciles that they begin. */
async function serve(settings: Record<string, string> = {}): Promise<void> {
  const provider = createCasdoor(configOf(casdoor, settings), engine);
  const app = buildApp({
    providers: new Map([['casdoor', provider]]),
    writer: createWriter(engine, { inFlight: 1, queueLimit: 1000 }),
    engine,
    engineSecrets: [],
    retentionDays: 30,
    deletionLimit: DELETION_LIMIT,
    logger: createLogger('silent'),
  });
  onTestFinished(() => app.close());
  casdoor.deliverTo(`${await app.listen({ host: '127.0.0.1', port: 0 })}/webhooks/casdoor`);
}

test('a role of more members than a webhook can bring reaches all of them at once, without a schedule', async () => {
  const crowd = Array.from({ length: MOST_READ_AT_ONCE + 10 }, (_, index) => `acme/member-${index}`);
  for (const name of crowd) casdoor.directory.addUser(name);
  await backfill(context);
  await serve();
  casdoor.actions.addRole('acme/crowd', { users: crowd });
  const holders = async () =>
    (await query(`SELECT count(*)::int AS n FROM public.users WHERE roles = '["crowd"]'`))[0]?.n;
  await expect.poll(holders, { timeout: 20_000 }).toBe(crowd.length);

  casdoor.actions.deleteRole('acme/crowd');
  await expect.poll(holders, { timeout: 20_000 }).toBe(0);
});

describe('many at once are brought by a reconcile, begun by the one record that there is:', () => {
  test('a table of users', async () => {
    await serve();
    casdoor.actions.uploadUsers(['acme/ada', 'acme/grace']);
    await expect
      .poll(() => live('users', 'username'), { timeout: 20_000 })
      .toEqual(['ada', 'admin', 'grace']);
  });

  test('the users of an LDAP server, whose own records may be lost', async () => {
    await serve();
    const { records } = casdoor.intercept(() =>
      casdoor.actions.syncLdapUsers('acme', ['acme/lena', 'acme/max']),
    );
    await casdoor.webhooks.post(records[0] ?? newRecord({ action: 'none' }));
    await expect.poll(() => live('users', 'username'), { timeout: 20_000 }).toEqual(['admin', 'lena', 'max']);
  });
});

describe('an organization', () => {
  const rows = () =>
    query(`SELECT u.username, u.tenant, u.previous_tenant, u.deleted_at IS NOT NULL AS gone,
        array_agg(m.organization_id::text ORDER BY m.organization_id) FILTER (WHERE m.deleted_at IS NULL) AS places
      FROM public.users u LEFT JOIN public.organization_memberships m ON m.user_id = u.id
      WHERE u.username LIKE 'd%' OR u.tenant LIKE 'd%' GROUP BY u.id ORDER BY u.username`);
  const user = (username: string, tenant: string, previous: string | null, ...places: string[]) => ({
    username,
    tenant,
    previous_tenant: previous,
    gone: false,
    places,
  });

  beforeEach(async () => {
    casdoor.directory.addOrganization('delta');
    casdoor.directory.addGroup('delta/team');
    casdoor.directory.addUser('delta/dana', { groups: ['delta/team'] });
    casdoor.directory.addUser('delta/dave');
    await backfill(context);
    expect(await rows()).toEqual([
      user('dana', 'delta', null, 'delta', 'delta/team'),
      user('dave', 'delta', null, 'delta'),
    ]);
  });

  test('that was renamed takes its people along, and their rows stay theirs', async () => {
    await serve();
    const ids = await live('users', 'id');
    casdoor.actions.updateOrganization('delta', { name: 'delta2' });
    // Casdoor leaves the users' groups under the old name, and so they are in none any more.
    await expect
      .poll(rows, { timeout: 20_000 })
      .toEqual([user('dana', 'delta2', 'delta', 'delta2'), user('dave', 'delta2', 'delta', 'delta2')]);
    expect(await live('users', 'id')).toEqual(ids);
    await expect
      .poll(() => live('organizations', 'id'), { timeout: 20_000 })
      .toEqual(['acme', 'built-in', 'delta2', 'delta2/team']);
    await expect.poll(async () => driftOf(await drift(context)), { timeout: 20_000 }).toBe(0);
  });

  test('that was renamed, and is still named by its old name in the settings, ends for nobody by itself', async () => {
    const settings = { CASDOOR_ORGANIZATIONS: 'acme,delta' };
    await repair(contextOf(settings), anyNumber);
    casdoor.directory.updateOrganization('delta', { name: 'delta2' });
    await expect(repair(contextOf(settings))).rejects.toMatchObject({ code: 'repair-refused' });
    expect((await rows()).filter(({ gone }) => gone)).toEqual([]);
    await repair(contextOf({ CASDOOR_ORGANIZATIONS: 'acme,delta2' }), anyNumber);
    expect(await rows()).toEqual([
      user('dana', 'delta2', 'delta', 'delta2'),
      user('dave', 'delta2', 'delta', 'delta2'),
    ]);
  });

  test('that gets another name, which the settings have beside the old one first, is told of until then', async () => {
    const both = contextOf({ CASDOOR_ORGANIZATIONS: 'acme,delta,delta2' });
    await repair(contextOf({ CASDOOR_ORGANIZATIONS: 'acme,delta' }), anyNumber);
    await expect(repair(both)).rejects.toMatchObject({
      code: 'configuration-invalid',
      message: expect.stringContaining('names delta2'),
    });
    casdoor.directory.updateOrganization('delta', { name: 'delta2' });
    await repair(both, anyNumber);
    expect(await rows()).toEqual([
      user('dana', 'delta2', 'delta', 'delta2'),
      user('dave', 'delta2', 'delta', 'delta2'),
    ]);
    const report = await repair(both);
    expect(report.notices).toEqual([expect.stringContaining('no organization delta of')]);
  });

  test('that was deleted ends its people, if they are few', async () => {
    for (let index = 0; index < 20; index += 1) casdoor.directory.addUser(`acme/u${index}`);
    await repair(context);
    await serve();
    casdoor.actions.deleteOrganization('delta');
    await expect.poll(() => live('organizations', 'id'), { timeout: 20_000 }).not.toContain('delta');
    await expect.poll(() => live('users', 'username'), { timeout: 20_000 }).not.toContain('dave');
    expect(await live('users', 'username')).toHaveLength(21);
    expect(await live('organizations', 'id')).toEqual(['acme', 'built-in']);
    await expect.poll(async () => driftOf(await drift(context)), { timeout: 20_000 }).toBe(0);
  });

  test('that was deleted ends nobody, if they are too many for the guard', async () => {
    casdoor.directory.deleteOrganization('delta');
    await expect(repair(context)).rejects.toMatchObject({ code: 'repair-refused' });
    expect(await live('users', 'username')).toContain('dave');
  });
});

test('a user without an id stops nothing, is named, and nobody is deleted by such a listing', async () => {
  populate();
  await backfill(context);
  casdoor.directory.deleteUser('acme/u07');
  casdoor.directory.addUser('acme/new');
  casdoor.actions.runSyncer('acme/sue', { id: '' });
  const report = await repair(context);
  expect(report).toMatchObject({ unreadable: 1, deleted: { user: 0 } });
  expect(report.unreadableExamples).toEqual([{ name: 'user acme/sue', reason: expect.any(String) }]);
  expect(await live('users', 'username')).toEqual(expect.arrayContaining(['new', 'u07']));

  Object.assign(casdoor.directory.findUser('acme/sue') ?? {}, { id: 'an-id-at-last' });
  await repair(context);
  expect(await live('users', 'username')).not.toContain('u07');
  expect(await live('users', 'username')).toContain('sue');
});

test('groups that users made up are no organizations, and do not stop a repair', async () => {
  casdoor.directory.addUser('acme/ada', { groups: ['acme/nothing', 'acme/x/y', 'beta/staff'] });
  await repair(context);
  expect(await live('organizations', 'id')).toEqual(['acme', 'built-in']);
  expect(driftOf(await drift(context))).toBe(0);
  // One that an earlier version has written.
  await query(`INSERT INTO public.organizations (id, provider, tenant, source_updated_at)
    VALUES ('acme/x/y', 'casdoor', 'acme', 'epoch')`);
  await repair(context, anyNumber);
  expect(await live('organizations', 'id')).toEqual(['acme', 'built-in']);
});

describe('an id of two users in two organizations', () => {
  const row = async (id: string) =>
    (await query(`SELECT username, tenant, deleted_at FROM public.users WHERE id = '${id}'`))[0];

  test('is the row of whoever was here first; the other is refused, named, and never merged', async () => {
    const { directory } = casdoor;
    const bob = directory.addUser('acme/bob', { groups: [] });
    await backfill(context);
    directory.addOrganization('aaa');
    directory.addUser('aaa/mallory', { id: bob.id });
    const refused = { problem: 'refused', key: { kind: 'user', tenant: 'aaa', id: bob.id } };
    for (const run of [backfill, drift, repair]) {
      const report = await run(context);
      expect(report.refused, run.name).toMatchObject({ user: 1 });
      expect(report.examples, run.name).toContainEqual(expect.objectContaining(refused));
      expect(await row(bob.id), run.name).toEqual({ username: 'bob', tenant: 'acme', deleted_at: null });
    }
    // Her end is nothing to him.
    directory.deleteUser('aaa/mallory');
    await repair(context);
    expect(await row(bob.id)).toEqual({ username: 'bob', tenant: 'acme', deleted_at: null });
  });

  test('stays his tombstone when he goes: it is not hers then either', async () => {
    const { directory } = casdoor;
    directory.addOrganization('beta');
    const bob = directory.addUser('acme/bob');
    await backfill(context);
    directory.addUser('beta/mallory', { id: bob.id, createdTime: '2026-01-01T00:00:00Z' });
    directory.deleteUser('acme/bob');
    const report = await repair(context, anyNumber);
    expect(await row(bob.id)).toEqual({ username: null, tenant: 'acme', deleted_at: expect.anything() });
    expect(report.refused).toMatchObject({ user: 1 });
    expect((await repair(context)).refused).toMatchObject({ user: 1 });
    expect(await row(bob.id)).toMatchObject({ username: null, tenant: 'acme' });
  });
});
