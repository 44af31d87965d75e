import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_SECRET, startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine();
  await engine.database.query(`
    CREATE TABLE author (id serial PRIMARY KEY, name text);
    CREATE FUNCTION shout(one author) RETURNS text STABLE LANGUAGE sql AS $$ SELECT upper(one.name) $$;
    CREATE FUNCTION all_authors() RETURNS SETOF author STABLE LANGUAGE sql AS $$ SELECT * FROM author $$;
    CREATE TABLE "odd name" (id serial PRIMARY KEY, author_id integer REFERENCES author);
  `);
  await engine.metadata('pg_track_table', { table: 'author' });
  await engine.metadata('pg_track_function', { function: 'all_authors' });
  await engine.metadata('pg_add_computed_field', {
    table: 'author',
    name: 'loud',
    definition: { function: 'shout' },
  });
});
afterAll(() => engine.close());

const query = async (body: unknown) => {
  const answer = await fetch(`${engine.url}/v2/query`, {
    method: 'POST',
    headers: { 'x-hasura-admin-secret': ADMIN_SECRET },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
};
const runSql = (sql: string, more: object = {}) => query({ type: 'run_sql', args: { sql, ...more } });

test('a function that a computed field calls cannot be renamed', async () => {
  expect(await runSql('ALTER FUNCTION shout(author) RENAME TO cry')).toEqual({
    status: 400,
    body: {
      code: 'dependency-error',
      error:
        'cannot drop due to the following dependent objects: computed field author.loud in source "default"',
      path: '$',
    },
  });
});

test('a function that a computed field calls is not overloaded, and not replaced by another of its name', async () => {
  const another =
    'CREATE OR REPLACE FUNCTION shout(one author, times integer) RETURNS text STABLE LANGUAGE sql AS $$ SELECT $$;';
  expect(await runSql(another.replace('SELECT', "SELECT ''"))).toMatchObject({
    status: 400,
    body: {
      code: 'not-supported',
      error:
        'The function "shout" associated with computed field"loud" of table "author" is being overloaded',
    },
  });
  expect(
    await runSql(`DROP FUNCTION shout(author); ${another.replace('SELECT', "SELECT ''")}`),
  ).toMatchObject({ status: 400, body: { code: 'dependency-error' } });
});

test('a tracked function that is renamed is tracked no longer', async () => {
  expect(await runSql('ALTER FUNCTION all_authors() RENAME TO every_author')).toMatchObject({ status: 200 });
  expect(await engine.metadata('export_metadata', {})).toMatchObject({
    sources: [expect.not.objectContaining({ functions: expect.anything() })],
  });
});

test('without a transaction the statements run one by one', async () => {
  const sql = `CREATE TABLE logbook (at timestamptz); -- and then
    CREATE INDEX CONCURRENTLY logbook_at ON logbook (at);`;
  expect(await runSql(sql)).toMatchObject({
    status: 400,
    body: { internal: { error: { status_code: '25001' } } },
  });
  expect(await runSql(sql, { no_transaction: true })).toEqual({
    status: 200,
    body: { result_type: 'CommandOk', result: null },
  });
});

test('a table that GraphQL cannot name is tracked, for other uses than GraphQL', async () => {
  await engine.metadata('pg_track_table', { table: 'odd name' });
  await engine.metadata('pg_create_array_relationship', {
    table: 'author',
    name: 'odds',
    using: { foreign_key_constraint_on: { table: 'odd name', column: 'author_id' } },
  });
  expect(await engine.metadata('get_inconsistent_metadata', {})).toMatchObject({ is_consistent: true });
  expect((await engine.graphql('{ author { id odds { id } } }')).body).toMatchObject({
    errors: [{ message: "field 'odds' not found in type: 'author'" }],
  });
  expect((await engine.graphql('mutation { insert_author_one(object: {name: "a"}) { name } }')).body).toEqual(
    { data: { insert_author_one: { name: 'a' } } },
  );
  const select = { type: 'select', args: { table: 'odd name', columns: ['id'] } };
  const answer = await fetch(`${engine.url}/v1/query`, {
    method: 'POST',
    headers: { 'x-hasura-admin-secret': ADMIN_SECRET },
    body: JSON.stringify(select),
  });
  expect(await answer.json()).toEqual([]);
});

test('the type of a column stays while a permission holds a value of it', async () => {
  await engine.database.query('CREATE TABLE switch (id serial PRIMARY KEY, is_on boolean, owner text)');
  await engine.metadata('pg_track_table', { table: 'switch' });
  await engine.metadata('pg_create_select_permission', {
    table: 'switch',
    role: 'user',
    permission: { columns: '*', filter: { _and: [{ is_on: { _eq: true } }, { owner: 'X-Hasura-User-Id' }] } },
  });
  await engine.metadata('pg_create_insert_permission', {
    table: 'switch',
    role: 'user',
    permission: { columns: [], check: {}, set: { is_on: true, owner: 'x-hasura-User-Id' } },
  });
  expect(await runSql('ALTER TABLE switch ALTER COLUMN is_on TYPE text')).toEqual({
    status: 400,
    body: {
      code: 'dependency-error',
      error:
        'cannot change type of column "is_on" in table "switch" because of the following dependencies: permission switch.user.insert in source "default", permission switch.user.select in source "default"',
      path: '$',
    },
  });
  expect(await runSql('ALTER TABLE switch ALTER COLUMN owner TYPE varchar')).toMatchObject({ status: 200 });
});
