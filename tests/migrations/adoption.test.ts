import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MIGRATION_NAMES, migrate } from '../support/migrations.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
  await migrate(database);
});
afterAll(() => database.close());
beforeEach(() =>
  database.query('TRUNCATE public.users, public.organizations, identity.imported_accounts CASCADE'),
);

interface State {
  email?: string | null;
  verified?: boolean;
  clock?: number;
  deleted?: boolean;
}

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
/** As the service writes users, several in one statement. */
const UPSERT = (count: number) => `
  INSERT INTO public.users (id, provider, email, email_verified, source_updated_at, deleted_at) VALUES
  ${Array.from({ length: count }, (_, index) => `($${index * 5 + 1}, 'clerk', $${index * 5 + 2}, $${index * 5 + 3}, $${index * 5 + 4}, $${index * 5 + 5})`).join(', ')}
  ON CONFLICT (id) DO UPDATE SET email = excluded.email, email_verified = excluded.email_verified,
    source_updated_at = excluded.source_updated_at, deleted_at = excluded.deleted_at, provider = excluded.provider`;
const valuesOf = (
  id: string,
  { email = 'ada@example.com', verified = true, clock = 1, deleted = false }: State,
) => (deleted ? [id, null, false, at(clock), at(clock)] : [id, email, verified, at(clock), null]);

const sync = (id: string, state: State = {}, client: Pick<TestDatabase, 'query'> | Client = database) =>
  client.query(UPSERT(1), valuesOf(id, state));
const importAccount = (
  legacyId: string,
  email: string,
  client: Pick<TestDatabase, 'query'> | Client = database,
) =>
  client.query('INSERT INTO identity.imported_accounts (legacy_id, email) VALUES ($1, $2)', [
    legacyId,
    email,
  ]);
const legacyIds = async () =>
  Object.fromEntries(
    (await database.query('SELECT id, legacy_id FROM public.users ORDER BY id')).map((row) => [
      row.id,
      row.legacy_id,
    ]),
  );
const accounts = () =>
  database.query('SELECT legacy_id, email, claimed_by FROM identity.imported_accounts ORDER BY legacy_id');

async function withClients<T>(count: number, body: (...clients: Client[]) => Promise<T>): Promise<T> {
  const clients = Array.from({ length: count }, () => new Client({ connectionString: database.url }));
  try {
    for (const client of clients) await client.connect();
    return await body(...clients);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

/** Until this many sessions of the database wait for a lock. */
const untilWaiting = (count: number) =>
  expect
    .poll(
      async () =>
        (
          await database.query(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
          )
        ).length,
      { timeout: 10_000 },
    )
    .toBe(count);

describe('the word of a provider', () => {
  const trusted = async () =>
    (await database.query('SELECT provider FROM identity.adoption_providers ORDER BY provider')).map(
      ({ provider }) => provider,
    );
  const trust = (provider: string) =>
    database.query('INSERT INTO identity.adoption_providers VALUES ($1) ON CONFLICT DO NOTHING', [provider]);
  const distrust = (provider: string) =>
    database.query('DELETE FROM identity.adoption_providers WHERE provider = $1', [provider]);
  const insert = (id: string, provider: string, email = 'ada@example.com') =>
    database.query(
      `INSERT INTO public.users (id, provider, email, email_verified, source_updated_at)
         VALUES ($1, $2, $3, true, '2026-01-01')`,
      [id, provider, email],
    );
  afterEach(async () => {
    await database.query(
      "DELETE FROM identity.adoption_providers; INSERT INTO identity.adoption_providers VALUES ('clerk'), ('cognito')",
    );
  });

  test('counts of Clerk and Cognito, and of nobody else unless it is said so', async () => {
    expect(await trusted()).toEqual(['clerk', 'cognito']);
    await importAccount('17', 'ada@example.com');
    await insert('u1', 'casdoor');
    expect(await legacyIds()).toEqual({ u1: null });
    await insert('u2', 'cognito');
    expect(await legacyIds()).toEqual({ u1: null, u2: '17' });
  });

  test('counts from when it is trusted, for accounts that are open and for those to come', async () => {
    await importAccount('17', 'ada@example.com');
    await insert('u1', 'casdoor');
    await trust('casdoor');
    expect(await legacyIds()).toEqual({ u1: '17' });
    await insert('u2', 'casdoor', 'ben@example.com');
    await importAccount('18', 'ben@example.com');
    expect(await legacyIds()).toEqual({ u1: '17', u2: '18' });
  });

  test('opens nothing of somebody else’s by being trusted again', async () => {
    await importAccount('17', 'ada@example.com');
    await trust('casdoor');
    await insert('u1', 'casdoor');
    await insert('u2', 'casdoor');
    await trust('casdoor');
    await trust('casdoor');
    expect(await legacyIds()).toEqual({ u1: '17', u2: null });
  });

  test('no longer counts once it is distrusted; what was taken over stays so', async () => {
    await trust('casdoor');
    await importAccount('17', 'ada@example.com');
    await importAccount('18', 'ben@example.com');
    await insert('u1', 'casdoor');
    await distrust('casdoor');
    await insert('u2', 'casdoor', 'ben@example.com');
    expect(await legacyIds()).toEqual({ u1: '17', u2: null });
    await distrust('clerk');
    await insert('u3', 'clerk', 'ben@example.com');
    expect(await legacyIds()).toEqual({ u1: '17', u2: null, u3: null });
  });
});

describe('an imported account', () => {
  test('goes to the first user of its verified address, and who and when is written down', async () => {
    await importAccount('17', 'ada@example.com');
    await sync('user_1');
    expect(await legacyIds()).toEqual({ user_1: '17' });
    expect(await database.query('SELECT claimed_by, claimed_at FROM identity.imported_accounts')).toEqual([
      { claimed_by: 'user_1', claimed_at: expect.any(Date) },
    ]);
  });

  test('goes to the user who is there already when it is imported', async () => {
    await sync('user_1');
    await sync('user_2');
    await importAccount('17', 'ada@example.com');
    expect(await legacyIds()).toEqual({ user_1: '17', user_2: null });
  });

  test.each([
    ['Ada@Example.COM', 'ada@example.com'],
    ['ada@example.com', 'ADA@EXAMPLE.COM'],
  ])('is found whatever the case: %s, %s', async (imported, synced) => {
    await importAccount('17', imported);
    await sync('user_1', { email: synced });
    expect(await legacyIds()).toEqual({ user_1: '17' });
  });

  test.each([
    ['the Kelvin sign', 'kay@example.com', '\u212Aay@example.com'],
    ['the long s', 'sue@example.com', '\u017Fue@example.com'],
    ['a dotless i', 'ida@example.com', '\u0131da@example.com'],
    ['white space', 'ada@example.com', ' ada@example.com'],
    ['a wildcard', 'ada@example.com', '%@example.com'],
  ])('is not opened by an address that only looks like it: %s', async (_what, imported, synced) => {
    await importAccount('17', imported);
    await sync('user_1', { email: synced });
    expect(await legacyIds()).toEqual({ user_1: null });
  });

  test('is not for an address that is not verified, until it is', async () => {
    await importAccount('17', 'ada@example.com');
    await sync('user_1', { verified: false });
    expect(await legacyIds()).toEqual({ user_1: null });
    await sync('user_1', { verified: true, clock: 2 });
    expect(await legacyIds()).toEqual({ user_1: '17' });
  });

  test('is not for an unverified address of a user who is there already', async () => {
    await sync('user_1', { verified: false });
    await importAccount('17', 'ada@example.com');
    expect(await legacyIds()).toEqual({ user_1: null });
  });

  test('is not for a deleted user, nor for one without an address', async () => {
    await sync('user_1', { deleted: true });
    await sync('user_2', { email: null });
    await importAccount('17', 'ada@example.com');
    await sync('user_1', { deleted: true, clock: 2 });
    expect(await legacyIds()).toEqual({ user_1: null, user_2: null });
  });

  test('is not for a state that is older than what is known', async () => {
    await sync('user_1', { email: 'new@example.com', clock: 2 });
    await importAccount('17', 'ada@example.com');
    await sync('user_1', { email: 'ada@example.com', clock: 1 });
    expect(await legacyIds()).toEqual({ user_1: null });
  });

  test('is claimed once: neither by another user of the address, nor when its user is deleted or gone', async () => {
    await importAccount('17', 'ada@example.com');
    await sync('user_1');
    await sync('user_2');
    await sync('user_1', { deleted: true, clock: 2 });
    await sync('user_3');
    await database.query("DELETE FROM public.users WHERE id = 'user_1'");
    await sync('user_4');
    expect(await legacyIds()).toEqual({ user_2: null, user_3: null, user_4: null });
  });

  test('stays with its user when their address changes, who then claims no second one', async () => {
    await importAccount('17', 'ada@example.com');
    await importAccount('18', 'countess@example.com');
    await sync('user_1');
    await sync('user_1', { email: 'countess@example.com', clock: 2 });
    expect(await legacyIds()).toEqual({ user_1: '17' });
    expect(await accounts()).toMatchObject([{ claimed_by: 'user_1' }, { claimed_by: null }]);
  });

  test('that comes later is not for a user who has one, but for the next of its address', async () => {
    await importAccount('17', 'ada@example.com');
    await sync('user_1', { clock: 1 });
    await sync('user_1', { clock: 2, email: 'ben@example.com' });
    await importAccount('18', 'ben@example.com');
    expect(await legacyIds()).toEqual({ user_1: '17' });
    await sync('user_1', { clock: 3, email: 'ben@example.com' });
    expect(await legacyIds()).toEqual({ user_1: '17' });
    await sync('user_2', { email: 'ben@example.com' });
    expect(await legacyIds()).toEqual({ user_1: '17', user_2: '18' });
    // Of two users of one address the first has one already.
    await sync('user_1', { clock: 4, email: 'cem@example.com' });
    await sync('user_3', { email: 'cem@example.com' });
    await importAccount('19', 'cem@example.com');
    expect(await legacyIds()).toEqual({ user_1: '17', user_2: '18', user_3: '19' });
  });

  test('loses its address when its user is deleted, and keeps that it was claimed', async () => {
    await importAccount('17', 'ada@example.com');
    await importAccount('18', 'ben@example.com');
    await sync('user_1');
    await sync('user_1', { deleted: true, clock: 2 });
    expect(await accounts()).toEqual([
      { legacy_id: '17', email: null, claimed_by: 'user_1' },
      { legacy_id: '18', email: 'ben@example.com', claimed_by: null },
    ]);
  });

  test('whose old id a user was given by hand is left alone, and the sync goes on', async () => {
    await sync('user_1', { email: null });
    await database.query("UPDATE public.users SET legacy_id = '17' WHERE id = 'user_1'");
    await importAccount('17', 'ada@example.com');
    await sync('user_2');
    expect(await legacyIds()).toEqual({ user_1: '17', user_2: null });
  });

  test('must have an address of its own', async () => {
    await importAccount('17', 'ada@example.com');
    await expect(importAccount('18', 'ADA@example.com')).rejects.toMatchObject({
      constraint: 'imported_accounts_email',
    });
    await expect(
      database.query("INSERT INTO identity.imported_accounts (legacy_id) VALUES ('19')"),
    ).rejects.toMatchObject({ constraint: 'imported_accounts_email_is_there' });
  });

  test('whose address is corrected goes to the user of the right one', async () => {
    await sync('user_1');
    await importAccount('17', 'typo@example.com');
    await database.query("UPDATE identity.imported_accounts SET email = 'ada@example.com'");
    expect(await legacyIds()).toEqual({ user_1: '17' });
  });
});

test('in one statement, many users claim theirs, and of two of one address only one does', async () => {
  await importAccount('1', 'one@example.com');
  await importAccount('2', 'two@example.com');
  await database.query(
    UPSERT(4),
    [
      ['user_1', 'one@example.com'],
      ['user_2', 'two@example.com'],
      ['user_3', 'two@example.com'],
      ['user_4', 'four@example.com'],
    ].flatMap(([id = '', email = '']) => valuesOf(id, { email })),
  );
  expect(await legacyIds()).toEqual({ user_1: '1', user_2: '2', user_3: null, user_4: null });
});

describe('of two transactions at once', () => {
  test('that sync two users of one address, the second finds it taken', async () => {
    await importAccount('17', 'ada@example.com');
    await withClients(2, async (one, other) => {
      await one.query('BEGIN');
      await sync('user_1', {}, one);
      const second = sync('user_2', {}, other);
      await untilWaiting(1);
      await one.query('COMMIT');
      await second;
    });
    expect(await legacyIds()).toEqual({ user_1: '17', user_2: null });
  });

  test('of which the first is undone, the second gets it', async () => {
    await importAccount('17', 'ada@example.com');
    await withClients(2, async (one, other) => {
      await one.query('BEGIN');
      await sync('user_1', {}, one);
      const second = sync('user_2', {}, other);
      await untilWaiting(1);
      await one.query('ROLLBACK');
      await second;
    });
    expect(await legacyIds()).toEqual({ user_2: '17' });
  });

  test.each(['the sync', 'the import'])(
    'one that imports and one that syncs, %s first, neither misses the other',
    async (first) => {
      await withClients(2, async (one, other) => {
        await one.query('BEGIN');
        if (first === 'the sync') await sync('user_1', {}, one);
        else await importAccount('17', 'ada@example.com', one);
        const second =
          first === 'the sync' ? importAccount('17', 'ada@example.com', other) : sync('user_1', {}, other);
        await untilWaiting(1);
        await one.query('COMMIT');
        await second;
      });
      expect(await legacyIds()).toEqual({ user_1: '17' });
    },
  );
});

test('what goes up comes down again', async () => {
  const fresh = await createDatabase();
  try {
    await migrate(fresh);
    await migrate(fresh, MIGRATION_NAMES.toReversed(), 'down');
    expect(
      await fresh.query(
        "SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname IN ('identity')",
      ),
    ).toEqual([]);
  } finally {
    await fresh.close();
  }
});
