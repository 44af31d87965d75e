import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../support/migrations.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
  await migrate(database);
});
afterAll(() => database.close());
beforeEach(() => database.query('TRUNCATE public.users, public.organizations CASCADE'));

interface State {
  id?: string;
  provider?: string;
  name?: string | null;
  clock: number;
  deleted?: boolean;
  seen?: number;
  created?: number;
}

const UPSERT = `
  INSERT INTO public.users (id, provider, name, source_updated_at, deleted_at, last_seen, source_created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (id) DO UPDATE SET provider = excluded.provider, name = excluded.name,
    source_updated_at = excluded.source_updated_at, deleted_at = excluded.deleted_at, last_seen = excluded.last_seen,
    source_created_at = excluded.source_created_at
  RETURNING id`;
const valuesOf = ({
  id = 'user_1',
  provider = 'clerk',
  name = null,
  clock,
  deleted = false,
  seen = 0,
  created,
}: State) => [
  id,
  provider,
  name,
  at(clock),
  deleted ? at(clock) : null,
  at(seen),
  created === undefined ? null : at(created),
];
/** How many rows the statement touched. */
const upsert = async (state: State) => (await database.query(UPSERT, valuesOf(state))).length;
async function row() {
  const [found] = await database.query(
    'SELECT name, source_updated_at, deleted_at, last_seen, source_created_at FROM public.users',
  );
  return found;
}

describe('of two states of one row', () => {
  test('the newer is kept, whichever comes last', async () => {
    await upsert({ clock: 1, name: 'one' });
    expect(await upsert({ clock: 3, name: 'three' })).toBe(1);
    expect(await upsert({ clock: 2, name: 'two' })).toBe(0);
    expect(await row()).toMatchObject({ name: 'three', source_updated_at: new Date(at(3)) });
  });

  test('the same one again changes nothing', async () => {
    await upsert({ clock: 1, name: 'one', seen: 5 });
    expect(await upsert({ clock: 1, name: 'one', seen: 5 })).toBe(0);
  });

  test('at the same instant the deletion is kept, whichever comes last', async () => {
    await upsert({ clock: 1, name: 'one' });
    expect(await upsert({ clock: 1, deleted: true })).toBe(1);
    expect(await upsert({ clock: 1, name: 'one' })).toBe(0);
    expect(await row()).toMatchObject({ name: null, deleted_at: new Date(at(1)) });
  });

  test('a deletion that is older than what is known is refused', async () => {
    await upsert({ clock: 2, name: 'two' });
    expect(await upsert({ clock: 1, deleted: true })).toBe(0);
  });
});

test('created_at is that of the row, and updated_at that of the last state that was news', async () => {
  const times = async () => {
    const [found] = await database.query('SELECT created_at, updated_at FROM public.users');
    return { created: Number(found?.created_at), updated: Number(found?.updated_at) };
  };
  await upsert({ clock: 1, name: 'one', seen: 5 });
  await database.query("UPDATE public.users SET created_at = '2020-01-01', updated_at = '2020-01-01'");
  const first = await times();
  for (const state of [
    { clock: 1, name: 'one', seen: 5 },
    { clock: 0, name: 'zero', seen: 5 },
    { clock: 0, deleted: true },
  ]) {
    await upsert(state);
    expect(await times()).toEqual(first);
  }
  await upsert({ clock: 2, deleted: true });
  const deleted = await times();
  expect(deleted).toEqual({ created: first.created, updated: expect.any(Number) });
  expect(deleted.updated).toBeGreaterThan(first.updated);
  // A deletion is told more than once: by a webhook, its repetition and a listing.
  expect(await upsert({ clock: 2, deleted: true })).toBe(0);
  expect(await upsert({ clock: 1, deleted: true })).toBe(0);
  expect(await times()).toEqual(deleted);
});

describe('last_seen', () => {
  test('moves forward even where the rest is stale', async () => {
    await upsert({ clock: 2, name: 'two', seen: 2 });
    expect(await upsert({ clock: 1, name: 'one', seen: 9 })).toBe(1);
    expect(await row()).toMatchObject({
      name: 'two',
      source_updated_at: new Date(at(2)),
      last_seen: new Date(at(9)),
    });
  });

  test('never moves back', async () => {
    await upsert({ clock: 1, seen: 9 });
    await upsert({ clock: 2, name: 'two', seen: 3 });
    expect(await row()).toMatchObject({ name: 'two', last_seen: new Date(at(9)) });
  });
});

describe('what a row ends as does not depend on the order in which its states come', () => {
  const states: State[] = [
    { clock: 1, name: 'one', seen: 9, created: 1 },
    { clock: 5, deleted: true },
    { clock: 3, name: 'three', seen: 4, created: 1 },
  ];
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  test.each(orders)('%i, %i, %i', async (...order) => {
    for (const index of order) await upsert(states[index] ?? { clock: 0 });
    expect(await row()).toEqual({
      name: null,
      source_updated_at: new Date(at(5)),
      deleted_at: new Date(at(5)),
      last_seen: new Date(at(9)),
      source_created_at: null,
    });
  });
});

describe.each([
  ['organizations', 'id', "('org_1'"],
  ['organization_memberships', 'organization_id, user_id', "('org_1', 'user_1'"],
])('%s, which were never seen,', (table, key, id) => {
  const write = async (clock: number, isDeleted = false) =>
    (
      await database.query(
        `INSERT INTO public.${table} (${key}, provider, source_updated_at, deleted_at)
         VALUES ${id}, 'clerk', $1::timestamptz, CASE WHEN $2 THEN $1::timestamptz END)
         ON CONFLICT (${key}) DO UPDATE SET provider = excluded.provider,
           source_updated_at = excluded.source_updated_at, deleted_at = excluded.deleted_at RETURNING provider`,
        [at(clock), isDeleted],
      )
    ).length;

  test('keep to the same rule', async () => {
    await upsert({ clock: 0 });
    if (table !== 'organizations') {
      await database.query(
        `INSERT INTO public.organizations (id, provider, source_updated_at) VALUES ('org_1', 'clerk', now())`,
      );
    }
    expect(await write(2)).toBe(1);
    expect(await write(1)).toBe(0);
    expect(await write(2)).toBe(0);
    expect(await write(1, true)).toBe(0);
    expect(await write(2, true)).toBe(1);
    expect(await write(2)).toBe(0);
    expect(await write(3)).toBe(1);
    expect(await database.query(`SELECT source_updated_at, deleted_at FROM public.${table}`)).toEqual([
      { source_updated_at: new Date(at(3)), deleted_at: null },
    ]);
  });
});

test('an id never changes hands', async () => {
  await upsert({ clock: 1, name: 'one' });
  for (const clock of [0, 1, 2]) {
    await expect(upsert({ clock, provider: 'casdoor' })).rejects.toMatchObject({
      code: '23514',
      constraint: 'users_provider_is_final',
    });
  }
});

test('an application may change its own columns without a clock', async () => {
  await upsert({ clock: 5, name: 'five' });
  await database.query('ALTER TABLE public.users ADD COLUMN IF NOT EXISTS favourite text');
  expect(await database.query("UPDATE public.users SET favourite = 'blue' RETURNING id")).toHaveLength(1);
});

test('many sessions at once, in any order, leave the newest state of every row', async () => {
  const ids = Array.from({ length: 20 }, (_, index) => `user_${String(index).padStart(2, '0')}`);
  const clients = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const client = new Client({ connectionString: database.url });
      await client.connect();
      return client;
    }),
  );
  try {
    // Each session writes every clock of every row, in its own order of clocks and in key order of rows.
    await Promise.all(
      clients.map(async (client, session) => {
        for (let step = 0; step < 18; step += 1) {
          const clock = (step * 7 + session * 5) % 18;
          await client.query('BEGIN');
          for (const id of ids)
            await client.query(UPSERT, valuesOf({ id, clock, name: `at ${clock}`, seen: 17 - clock }));
          await client.query('COMMIT');
        }
      }),
    );
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
  const rows = await database.query('SELECT id, name, last_seen FROM public.users ORDER BY id');
  expect(rows).toEqual(ids.map((id) => ({ id, name: 'at 17', last_seen: new Date(at(17)) })));
});
