import { CLAIM_SETTINGS } from '@latchkey/core/settings/claims';
import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSessionUsers, type SessionUser } from '#auth/session-users.ts';
import { createHasuraClient } from '#hasura/client.ts';

let project: EmbeddedProject;
beforeAll(async () => {
  project = await startEmbedded();
});
afterAll(() => project?.close());

/** The ids that the engine was asked for, one list for each query. */
let asked: string[][];
/** Holds back the engine's answers until it is fulfilled. */
let held: Promise<unknown>;
let isDown: boolean;
beforeEach(() => {
  asked = [];
  held = Promise.resolve();
  isDown = false;
});
afterEach(() => project.database.query('truncate users, organizations cascade'));

function create(options: { lifetimeMs?: number; maxUsers?: number; claims?: string } = {}) {
  const { claims = '', ...more } = options;
  const engine = createHasuraClient(project.config, {
    fetch: async (url, init) => {
      if (isDown) throw new TypeError('fetch failed');
      asked.push(JSON.parse(String(init?.body)).variables.ids);
      const answer = await fetch(url, init);
      await held;
      return answer;
    },
  });
  return createSessionUsers(engine, CLAIM_SETTINGS.parse({ LATCHKEY_CLAIMS: claims }).LATCHKEY_CLAIMS, more);
}

async function insertUser(id: string, columns: Record<string, unknown> = {}): Promise<void> {
  const row = { id, provider: 'clerk', source_updated_at: '2026-01-01', ...columns };
  const names = Object.keys(row);
  await project.database.query(
    `insert into users (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(row),
  );
}

async function insertMembership(
  user: string,
  organization: string,
  { provider = 'clerk', tenant = '', role = 'org:member', deleted = false, organizationDeleted = false } = {},
): Promise<void> {
  const now = '2026-01-01';
  await project.database.query(
    `insert into organizations (id, provider, tenant, source_updated_at) values ($1, $2, $3, $4)`,
    [organization, provider, tenant, now],
  );
  await project.database.query(
    `insert into organization_memberships (organization_id, user_id, provider, tenant, role, source_updated_at, deleted_at)
       values ($1, $2, $3, $4, $5, $6, $7)`,
    [organization, user, provider, tenant, role, now, deleted ? now : null],
  );
  if (organizationDeleted) {
    // Told before the trigger was there that ends the memberships.
    await project.database.query(
      `alter table organizations disable trigger user;
       update organizations set deleted_at = now() where id = '${organization}';
       alter table organizations enable trigger user`,
    );
  }
}

const unreachable = expect.objectContaining({ code: 'engine-unreachable' });

describe('what is told of a row', () => {
  test('is whose it is, and whether they may have sessions', async () => {
    await insertUser('user_1', {
      tenant: 'ins_1',
      deleted_at: '2026-01-02T00:00:00Z',
      disabled_at: '2026-01-03T00:00:00Z',
      tokens_valid_from: '2026-01-04T00:00:00.5Z',
    });
    expect(await create().find('user_1')).toEqual<SessionUser>({
      provider: 'clerk',
      tenant: 'ins_1',
      deletedAt: Date.UTC(2026, 0, 2),
      disabledAt: Date.UTC(2026, 0, 3),
      tokensValidFrom: Date.UTC(2026, 0, 4) + 500,
      variables: { 'x-hasura-org-ids': '{}' },
    });
  });

  test('is nothing where there is none', async () => {
    expect(await create().find('nobody')).toBeUndefined();
  });

  test('is the live memberships of its own provider and tenant', async () => {
    await insertUser('user_1', { tenant: 'ins_1' });
    await insertMembership('user_1', 'org_b', { tenant: 'ins_1' });
    await insertMembership('user_1', 'org_"a', { tenant: '' });
    await insertMembership('user_1', 'org_left', { deleted: true });
    await insertMembership('user_1', 'org_gone', { organizationDeleted: true });
    await insertMembership('user_1', 'org_foreign', { tenant: 'ins_2' });
    await insertMembership('user_1', 'acme', { provider: 'casdoor', tenant: 'ins_1' });
    const user = await create().find('user_1');
    expect(user?.variables).toEqual({ 'x-hasura-org-ids': '{"org_\\"a","org_b"}' });
  });

  test('is of Casdoor’s the organization that owns them, and their role in it', async () => {
    await insertUser('u1', { provider: 'casdoor', tenant: 'acme' });
    await insertMembership('u1', 'acme', { provider: 'casdoor', tenant: 'acme', role: 'org:admin' });
    await insertMembership('u1', 'acme/staff', { provider: 'casdoor', tenant: 'acme' });
    const user = await create().find('u1');
    expect(user?.variables).toEqual({
      'x-hasura-org-ids': '{"acme","acme/staff"}',
      'x-hasura-org-id': 'acme',
      'x-hasura-org-role': 'org:admin',
    });
  });

  test('is the listed claims that it holds, and none of the other metadata', async () => {
    const metadata = { plan: 'pro', tenant_id: ['a', 'b"'], secret: 'no', bad: { x: 1 }, role: 'admin' };
    await insertUser('user_1', { metadata });
    const claims = 'plan,tenant=tenant_id,bad,absent,constructor';
    const user = await create({ claims }).find('user_1');
    expect(user?.variables).toEqual({
      'x-hasura-org-ids': '{}',
      'x-hasura-plan': 'pro',
      'x-hasura-tenant': '{"a","b\\""}',
      'x-hasura-bad': '',
    });
  });

  test('is a claim by the name that the row’s provider has for it', async () => {
    await insertUser('u1', { provider: 'cognito', metadata: { 'custom:plan': 'pro', plan: 'no' } });
    expect((await create({ claims: 'plan' }).find('u1'))?.variables).toMatchObject({
      'x-hasura-plan': 'pro',
    });
  });
});

describe('the engine is asked', () => {
  test('once for many at once, and for each of them once', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `user_${index}`);
    for (const id of ids) await insertUser(id);
    const users = create();
    const found = await Promise.all([...ids, ...ids, ...ids].map((id) => users.find(id)));
    expect(found.every((user) => user?.provider === 'clerk')).toBe(true);
    expect(asked.map((batch) => batch.toSorted())).toEqual([ids.toSorted()]);
  });

  test('not again while the row is young, not even of nobody', async () => {
    await insertUser('user_1');
    const users = create();
    for (let time = 0; time < 100; time += 1) {
      await users.find('user_1');
      await users.find('nobody');
    }
    expect(asked.flat().toSorted()).toEqual(['nobody', 'user_1']);
  });

  test('again when the row is too old, and what it says then counts', async () => {
    await insertUser('user_1');
    const users = create({ lifetimeMs: 100 });
    expect(await users.find('user_1')).toMatchObject({ disabledAt: null });
    await project.database.query(`update users set disabled_at = now()`);
    const changedAt = performance.now();
    await expect.poll(async () => (await users.find('user_1'))?.disabledAt, { interval: 5 }).not.toBeNull();
    // Some time for the query itself, on a machine that is busy.
    expect(performance.now() - changedAt).toBeLessThan(5_000);
    expect(asked.length).toBeGreaterThan(1);
  });

  test('before the row is too old, where it is still asked for, so that nobody waits', async () => {
    await insertUser('user_1');
    const users = create({ lifetimeMs: 4_000 });
    await users.find('user_1');
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    // From now on the engine answers nobody, so each of these has the row of before.
    await expect
      .poll(() => users.find('user_1').then(() => asked.length), { interval: 50, timeout: 10_000 })
      .toBe(2);
    resolve();
  });

  test('anew for who was forgotten', async () => {
    await insertUser('user_1');
    const users = create();
    await users.find('user_1');
    await project.database.query(`update users set disabled_at = now()`);
    users.forget(['somebody else']);
    expect(await users.find('user_1')).toMatchObject({ disabledAt: null });
    users.forget(['user_1']);
    expect((await users.find('user_1'))?.disabledAt).not.toBeNull();
  });

  test('anew for who was forgotten while they were being read: that may be of before', async () => {
    await insertUser('user_1');
    const users = create();
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    const early = users.find('user_1');
    await expect.poll(() => asked.length).toBe(1);
    await project.database.query(`update users set disabled_at = now()`);
    users.forget(['user_1']);
    const late = users.find('user_1');
    resolve();
    await early;
    expect((await late)?.disabledAt).not.toBeNull();
    expect((await users.find('user_1'))?.disabledAt).not.toBeNull();
  });

  test('in vain where it is away: everybody is told, and nothing of it is remembered', async () => {
    await insertUser('user_1');
    const users = create();
    isDown = true;
    const finds = ['user_1', 'user_2', 'user_1'].map((id) => users.find(id));
    for (const find of finds) await expect(find).rejects.toThrow(unreachable);
    isDown = false;
    expect(await users.find('user_1')).toBeDefined();
  });

  test('again for who has made way, for only so many are remembered', async () => {
    const users = create({ maxUsers: 2 });
    for (const id of ['a', 'b', 'a', 'c', 'a', 'b']) await users.find(id);
    expect(asked).toEqual([['a'], ['b'], ['c'], ['b']]);
  });
});
