import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type LocalCasdoor, startLocalCasdoor } from '../../../../../scripts/local/casdoor/local-casdoor.ts';
import { VANISHING } from '../../../../../services/identity/core/settings/vanishing.ts';
import { createEngine, type Engine } from '../../../../../services/identity/hasura/graphql.ts';
import { buildApp } from '../../../../../services/identity/http/app.ts';
import { createLogger } from '../../../../../services/identity/http/logger.ts';
import { MOST_READ_AT_ONCE } from '../../../../../services/identity/providers/casdoor/deliveries.ts';
import { createCasdoor } from '../../../../../services/identity/providers/casdoor/index.ts';
import { backfill, drift, repair } from '../../../../../services/identity/sync/reconcile.ts';
import type { Reconciled } from '../../../../../services/identity/sync/reconciled.ts';
import { driftOf } from '../../../../../services/identity/sync/report.ts';
import { createWriter } from '../../../../../services/identity/sync/writer.ts';
import { configOf } from '../../../../support/casdoor.ts';
import { type EmbeddedProject, startEmbedded } from '../../../../support/embedded.ts';

// What Casdoor does with client credentials, LDAP and SCIM no webhook tells: only a reconcile brings it.

let project: EmbeddedProject;
let engine: Engine;
let casdoor: LocalCasdoor;
let context: Reconciled;
beforeAll(async () => {
  project = await startEmbedded();
  engine = createEngine(project.config);
});
afterAll(() => project.close());
beforeEach(async () => {
  await project.database.query('TRUNCATE public.users, public.organizations CASCADE');
  casdoor = await startLocalCasdoor({ port: 0 });
  context = contextOf();
  return () => casdoor.close();
});

function contextOf(settings: Record<string, string> = {}): Reconciled {
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
const anyNumber = { vanishing: { share: 1, rows: 0 } };

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

test('what no webhook told is found and mended: a name, a role, a group, a deletion', async () => {
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

test('a role of more members than a webhook can bring reaches all of them at once, without a schedule', async () => {
  const crowd = Array.from({ length: MOST_READ_AT_ONCE + 10 }, (_, index) => `acme/member-${index}`);
  for (const name of crowd) casdoor.directory.addUser(name);
  await backfill(context);
  const config = configOf(casdoor);
  const provider = createCasdoor(config, engine);
  const app = buildApp({
    providers: new Map([['casdoor', provider]]),
    writer: createWriter(engine, { inFlight: 1, queueLimit: 1000 }),
    engine,
    engineSecrets: [],
    retentionDays: 30,
    vanishing: VANISHING,
    logger: createLogger('silent'),
  });
  onTestFinished(() => app.close());
  casdoor.deliverTo(`${await app.listen({ host: '127.0.0.1', port: 0 })}/webhooks/casdoor`);
  casdoor.actions.addRole('acme/crowd', { users: crowd });
  const holders = async () =>
    (await query(`SELECT count(*)::int AS n FROM public.users WHERE roles = '["crowd"]'`))[0]?.n;
  await expect.poll(holders, { timeout: 20_000 }).toBe(crowd.length);

  casdoor.actions.deleteRole('acme/crowd');
  await expect.poll(holders, { timeout: 20_000 }).toBe(0);
});
