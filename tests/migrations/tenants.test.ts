import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MIGRATION_NAMES, migrate } from '../support/migrations.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';

const TENANTS = '1767226000000_tenants';
const BEFORE = MIGRATION_NAMES.filter((name) => name < TENANTS);

let database: TestDatabase;
beforeEach(async () => {
  database = await createDatabase();
  await migrate(database, BEFORE);
});
afterEach(() => database.close());

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

const organization = (id: string, provider: string) =>
  database.query('INSERT INTO public.organizations (id, provider, source_updated_at) VALUES ($1, $2, $3)', [
    id,
    provider,
    at(1),
  ]);

/** A user as the version before wrote them, in these organizations, which are made too. */
async function user(id: string, provider: string, organizations: string[], ended: string[] = []) {
  await database.query(
    `INSERT INTO public.users (id, provider, name, email, source_updated_at) VALUES ($1, $2, $1, $1 || '@example.com', $3)`,
    [id, provider, at(1)],
  );
  for (const [index, place] of [...organizations, ...ended].entries()) {
    await database.query(
      `INSERT INTO public.organizations (id, provider, source_updated_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      [place, provider, at(1)],
    );
    await database.query(
      `INSERT INTO public.organization_memberships (organization_id, user_id, provider, role, source_updated_at, deleted_at)
       VALUES ($1, $2, $3, 'org:member', $4, $5)`,
      [place, id, provider, at(2 + index), ended.includes(place) ? at(2 + index) : null],
    );
  }
}

const tenantsOf = async (table: string, key = 'id') =>
  Object.fromEntries(
    (await database.query(`SELECT ${key} AS key, tenant FROM public.${table}`)).map(({ key, tenant }) => [
      key,
      tenant,
    ]),
  );

describe('rows of the versions before', () => {
  test('keep all they hold, and get the tenant that they can only be of', async () => {
    await user('clerk_1', 'clerk', ['org_1']);
    await user('uuid-alice', 'casdoor', ['acme', 'acme/staff']);
    await user('uuid-bob', 'casdoor', ['beta'], ['acme']);
    await user('uuid-left', 'casdoor', [], ['gone']);
    await user('sub-1', 'cognito', ['eu-west-1_A/admins']);
    await user('sub-2', 'cognito', []);
    const before = await database.query('SELECT * FROM public.users ORDER BY id');
    await migrate(database, [TENANTS]);

    expect(await tenantsOf('users')).toEqual({
      clerk_1: '',
      'uuid-alice': 'acme',
      'uuid-bob': 'beta',
      'uuid-left': 'gone',
      'sub-1': 'eu-west-1_A',
      'sub-2': '',
    });
    expect(await tenantsOf('organizations')).toEqual({
      org_1: '',
      acme: 'acme',
      'acme/staff': 'acme',
      beta: 'beta',
      gone: 'gone',
      'eu-west-1_A/admins': 'eu-west-1_A',
    });
    expect(await tenantsOf('organization_memberships', "organization_id || ' ' || user_id")).toMatchObject({
      'org_1 clerk_1': '',
      'acme/staff uuid-alice': 'acme',
      'eu-west-1_A/admins sub-1': 'eu-west-1_A',
    });
    const after = await database.query('SELECT * FROM public.users ORDER BY id');
    expect(after).toEqual(before.map((row, index) => ({ ...after[index], ...row })));
    expect(after).toHaveLength(6);
  });

  test('of a Casdoor user who could be of several organizations, or of none, it is nobody’s', async () => {
    await user('uuid-both', 'casdoor', ['acme', 'beta']);
    await user('uuid-none', 'casdoor', []);
    await migrate(database, [TENANTS]);
    expect(await tenantsOf('users')).toEqual({ 'uuid-both': '?', 'uuid-none': '?' });
    for (const tenant of ['acme', 'beta', 'gamma']) {
      await expect(write({ id: 'uuid-both', provider: 'casdoor', tenant, clock: 9 })).rejects.toThrow(
        `users belongs to casdoor ?, not to ${tenant}`,
      );
    }
    await database.query("UPDATE public.users SET tenant = 'acme' WHERE id = 'uuid-both'");
    expect(await write({ id: 'uuid-both', provider: 'casdoor', tenant: 'acme', clock: 9 })).toBe(1);
  });

  test('lose the memberships that their user or organization has left behind', async () => {
    await user('user_gone', 'clerk', ['org_1', 'org_2']);
    await user('user_1', 'clerk', ['org_1', 'org_gone', 'org_back']);
    await database.query(
      "UPDATE public.users SET deleted_at = $1, source_updated_at = $1 WHERE id = 'user_gone'",
      [at(2)],
    );
    await database.query(
      "UPDATE public.organizations SET deleted_at = $1, source_updated_at = $1 WHERE id = 'org_gone'",
      [at(20)],
    );
    await migrate(database, [TENANTS]);
    expect(
      await database.query(
        `SELECT organization_id || ' ' || user_id AS key FROM public.organization_memberships
          WHERE deleted_at IS NULL ORDER BY 1`,
      ),
      // That of org_2 is of after its user's deletion.
    ).toEqual([{ key: 'org_1 user_1' }, { key: 'org_2 user_gone' }, { key: 'org_back user_1' }]);
  });

  test('come back as they were when the migration is undone, and go through it again', async () => {
    await user('uuid-alice', 'casdoor', ['acme']);
    const before = await database.query('SELECT * FROM public.users');
    await migrate(database, [TENANTS]);
    await migrate(database, [TENANTS], 'down');
    expect(await database.query('SELECT * FROM public.users')).toEqual(before);
    await expect(
      database.query(
        "UPDATE public.users SET provider = 'clerk', source_updated_at = now() WHERE id = 'uuid-alice'",
      ),
    ).rejects.toThrow('belongs to provider casdoor, not to clerk');
    await migrate(database, [TENANTS]);
    expect(await tenantsOf('users')).toEqual({ 'uuid-alice': 'acme' });
  });

  test('end what a repair of the version before has begun', async () => {
    await database.query("INSERT INTO identity.reconciles (provider, task) VALUES ('clerk', 'repair')");
    await migrate(database, [TENANTS]);
    expect(await database.query('SELECT finished_at FROM identity.reconciles')).toEqual([
      { finished_at: expect.any(Date) },
    ]);
  });

  test('accept what a service of the version before still writes', async () => {
    await user('uuid-alice', 'casdoor', ['acme']);
    await migrate(database, [TENANTS]);
    await database.query(
      `INSERT INTO public.users (id, provider, name, source_updated_at) VALUES ('uuid-alice', 'casdoor', 'New', $1)
       ON CONFLICT (id) DO UPDATE SET name = excluded.name, provider = excluded.provider, source_updated_at = excluded.source_updated_at`,
      [at(9)],
    );
    expect(await database.query('SELECT name, tenant FROM public.users')).toEqual([
      { name: 'New', tenant: 'acme' },
    ]);
  });
});

interface State {
  id?: string;
  provider?: string;
  tenant?: string;
  previous?: string;
  clock: number;
  name?: string;
  disabled?: boolean;
  checked?: number;
  deleted?: boolean;
}

/** As the service writes users. @returns how many rows that touched */
async function write({
  id = 'user_1',
  provider = 'casdoor',
  tenant = 'acme',
  previous,
  clock,
  name,
  disabled = false,
  checked = clock,
  deleted = false,
}: State): Promise<number> {
  const rows = await database.query(
    `INSERT INTO public.users (id, provider, tenant, previous_tenant, name, source_updated_at, deleted_at, disabled_at, disabled_checked_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (id) DO UPDATE SET provider = excluded.provider, tenant = excluded.tenant,
       previous_tenant = excluded.previous_tenant, name = excluded.name, source_updated_at = excluded.source_updated_at,
       deleted_at = excluded.deleted_at, disabled_at = excluded.disabled_at,
       disabled_checked_at = excluded.disabled_checked_at
     RETURNING id`,
    [
      id,
      provider,
      tenant,
      previous ?? null,
      name ?? null,
      at(clock),
      deleted ? at(clock) : null,
      disabled ? at(checked) : null,
      at(checked),
    ],
  );
  return rows.length;
}

const row = async () =>
  (
    await database.query(
      'SELECT tenant, previous_tenant, name, disabled_at, disabled_checked_at, deleted_at, source_updated_at FROM public.users',
    )
  )[0];

describe('an id never changes hands', () => {
  beforeEach(() => migrate(database, [TENANTS]));

  test.each([0, 1, 2])('to another tenant of the same provider, at clock %i', async (clock) => {
    await write({ clock: 1, name: 'Bob' });
    for (const deleted of [false, true]) {
      await expect(write({ clock, tenant: 'beta', name: 'Mallory', deleted })).rejects.toMatchObject({
        code: '23514',
        constraint: 'users_tenant_is_final',
        message: 'users belongs to casdoor acme, not to beta',
      });
    }
    expect(await row()).toMatchObject({ name: 'Bob', tenant: 'acme' });
  });

  test('nor does an organization, or a membership', async () => {
    await organization('acme', 'casdoor');
    await database.query("UPDATE public.organizations SET tenant = 'acme' WHERE id = 'acme'");
    await expect(
      database.query(
        "UPDATE public.organizations SET tenant = 'beta', source_updated_at = $1 WHERE id = 'acme'",
        [at(5)],
      ),
    ).rejects.toThrow('organizations belongs to casdoor acme, not to beta');
  });

  test('but a state fills in a tenant that was not known, and one without leaves it as it is', async () => {
    await write({ clock: 1, tenant: '' });
    await write({ clock: 1, tenant: 'acme' });
    expect(await row()).toMatchObject({ tenant: '' });
    await write({ clock: 2, tenant: 'acme' });
    expect(await row()).toMatchObject({ tenant: 'acme' });
    await write({ clock: 3, tenant: '', name: 'New' });
    expect(await row()).toMatchObject({ tenant: 'acme', name: 'New' });
  });

  test('and a user moves by a state that says whence, once and no further', async () => {
    await write({ clock: 1, name: 'Bob' });
    await expect(write({ clock: 2, tenant: 'beta', previous: 'gamma' })).rejects.toThrow('not to beta');
    expect(await write({ clock: 2, tenant: 'beta', previous: 'acme', name: 'Bob' })).toBe(1);
    expect(await row()).toMatchObject({ tenant: 'beta', previous_tenant: 'acme' });
    await write({ clock: 3, tenant: 'beta', name: 'Robert' });
    expect(await row()).toMatchObject({ tenant: 'beta', previous_tenant: 'acme', name: 'Robert' });
    await expect(write({ clock: 4, tenant: 'acme' })).rejects.toThrow('belongs to casdoor beta, not to acme');
  });

  test('nobody moves into a tombstone', async () => {
    await write({ clock: 1, deleted: true });
    await expect(write({ clock: 2, tenant: 'beta', previous: 'acme' })).rejects.toThrow('not to beta');
  });

  test('a move that is older than what is known changes nothing', async () => {
    await write({ clock: 5, name: 'Bob' });
    expect(await write({ clock: 4, tenant: 'beta', previous: 'acme' })).toBe(0);
    expect(await row()).toMatchObject({ tenant: 'acme', previous_tenant: null, name: 'Bob' });
  });
});

describe('whether somebody is disabled', () => {
  beforeEach(() => migrate(database, [TENANTS]));

  test('is the latest word, whatever the clock of the rest', async () => {
    await write({ clock: 5, checked: 5 });
    expect(await write({ clock: 5, checked: 6, disabled: true })).toBe(1);
    expect(await row()).toMatchObject({ disabled_at: new Date(at(6)) });
    expect(await write({ clock: 5, checked: 5 })).toBe(0);
    expect(await row()).toMatchObject({ disabled_at: new Date(at(6)) });
    expect(await write({ clock: 5, checked: 7 })).toBe(1);
    expect(await row()).toMatchObject({ disabled_at: null, disabled_checked_at: new Date(at(7)) });
  });

  test('stays as it is where a newer state knows nothing of it', async () => {
    await write({ clock: 5, checked: 5, disabled: true });
    await write({ clock: 6, checked: 0, name: 'New' });
    expect(await row()).toMatchObject({ name: 'New', disabled_at: new Date(at(5)) });
  });

  test('is no news where nothing has changed', async () => {
    await write({ clock: 5, checked: 5 });
    expect(await write({ clock: 5, checked: 8 })).toBe(0);
  });

  test('is not told of a tombstone', async () => {
    await write({ clock: 5, checked: 5, disabled: true });
    await write({ clock: 6, checked: 0, deleted: true });
    await write({ clock: 5, checked: 9, disabled: true });
    expect(await row()).toMatchObject({ deleted_at: new Date(at(6)), disabled_at: null });
  });
});

describe('a membership ends with its user and its organization', () => {
  beforeEach(async () => {
    await migrate(database, [TENANTS]);
    await organization('org_1', 'clerk');
    await write({ id: 'user_1', provider: 'clerk', tenant: '', clock: 1 });
  });

  const join = (clock: number) =>
    database.query(
      `INSERT INTO public.organization_memberships (organization_id, user_id, provider, role, source_updated_at)
       VALUES ('org_1', 'user_1', 'clerk', 'org:admin', $1)
       ON CONFLICT (organization_id, user_id) DO UPDATE SET role = excluded.role,
         source_updated_at = excluded.source_updated_at, deleted_at = excluded.deleted_at, provider = excluded.provider`,
      [at(clock)],
    );
  const endUser = () => write({ id: 'user_1', provider: 'clerk', tenant: '', clock: 5, deleted: true });
  const endOrganization = () =>
    database.query('UPDATE public.organizations SET deleted_at = $1, source_updated_at = $1', [at(5)]);
  const membership = async () =>
    (
      await database.query('SELECT role, deleted_at, source_updated_at FROM public.organization_memberships')
    )[0];
  const ended = { role: null, deleted_at: new Date(at(5)), source_updated_at: new Date(at(5)) };

  test.each([
    ['user', endUser],
    ['organization', endOrganization],
  ])('whether that of the %s comes before it or after it', async (_, end) => {
    await join(3);
    await end();
    expect(await membership()).toEqual(ended);
    await database.query('DELETE FROM public.organization_memberships');
    await join(3);
    expect(await membership()).toEqual(ended);
    await join(5);
    expect(await membership()).toEqual(ended);
    await join(6);
    expect(await membership()).toMatchObject({ role: 'org:admin', deleted_at: null });
  });
});

describe('an account of before', () => {
  const account = () => database.query('SELECT legacy_id, claimed_by FROM identity.imported_accounts');
  const verified = (id: string, provider: string) =>
    database.query(
      `INSERT INTO public.users (id, provider, email, email_verified, source_updated_at)
       VALUES ($1, $2, 'ada@example.com', true, $3)`,
      [id, provider, at(1)],
    );
  const importAda = () =>
    database.query(
      "INSERT INTO identity.imported_accounts (legacy_id, email) VALUES ('7', 'ada@example.com')",
    );
  beforeEach(() => migrate(database, [TENANTS]));

  test.each(['before', 'after'])(
    'is not opened by Casdoor’s word, whether it is imported %s',
    async (when) => {
      if (when === 'before') await importAda();
      await verified('uuid-mallory', 'casdoor');
      if (when === 'after') await importAda();
      expect(await account()).toEqual([{ legacy_id: '7', claimed_by: null }]);
      await verified('user_ada', 'clerk');
      expect(await account()).toEqual([{ legacy_id: '7', claimed_by: 'user_ada' }]);
    },
  );

  test('is opened by it once that is switched on by name, for those who are there already too', async () => {
    await importAda();
    await verified('uuid-ada', 'casdoor');
    await database.query("INSERT INTO identity.adoption_providers VALUES ('casdoor')");
    expect(await account()).toEqual([{ legacy_id: '7', claimed_by: 'uuid-ada' }]);
  });
});
