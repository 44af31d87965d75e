import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_SECRET, startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine();
  await engine.database.query(`
    CREATE TABLE author (id integer PRIMARY KEY);
    CREATE TABLE article (id integer PRIMARY KEY, author_id integer REFERENCES author (id));
    CREATE TABLE met (id integer)`);
  for (const table of ['author', 'article']) await engine.metadata('pg_track_table', { table });
}, 60_000);
afterAll(() => engine?.close());

async function send(path: string, type: string, args: unknown): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(engine.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-hasura-admin-secret': ADMIN_SECRET },
    body: JSON.stringify({ type, args }),
  });
  return { status: answer.status, body: await answer.json() };
}
const sql = (text: string, more: object = {}) => ({ type: 'run_sql', args: { sql: text, ...more } });
const rows = (...cells: string[]) => ({ result_type: 'TuplesOk', result: [['n'], cells] });

describe('concurrent_bulk', () => {
  it('runs its commands at once and answers in their order', async () => {
    // One after the other, the first would wait for the second for ever.
    const waiting =
      'DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM met) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$; SELECT 1 AS n';
    const { body } = await send('/v2/query', 'concurrent_bulk', [
      sql(waiting),
      sql('INSERT INTO met VALUES (1)'),
      { type: 'count', args: { table: 'author' } },
    ]);
    expect(body).toEqual([rows('1'), { result_type: 'CommandOk', result: null }, { count: 0 }]);
  });

  it.each([
    sql('ALTER TABLE met ADD COLUMN x integer'),
    sql('SELECT 1', { check_metadata_consistency: true }),
    { type: 'bulk', args: [sql('DROP TABLE met')] },
  ])('refuses what may change the schema: %j', async (item) => {
    const refused = await send('/v2/query', 'concurrent_bulk', [item]);
    expect(refused).toEqual({
      status: 500,
      body: expect.objectContaining({
        code: 'unexpected',
        error: 'Only read-only queries are allowed in a concurrent_bulk',
      }),
    });
  });

  it('takes statements that only read, whatever words they use', async () => {
    const { body } = await send('/v2/query', 'concurrent_bulk', [
      sql("SELECT replace('a', 'a', '1') AS n", { read_only: true }),
    ]);
    expect(body).toEqual([rows('1')]);
  });

  it('fails with the error of the one that fails', async () => {
    const { body } = await send('/v2/query', 'concurrent_bulk', [
      sql('SELECT 1 AS n'),
      sql('SELECT nothing'),
    ]);
    expect(body).toMatchObject({ code: 'postgres-error', error: 'query execution failed' });
  });
});

describe('bulk_keep_going', () => {
  it('gives results and refusals, with what happened inside', async () => {
    const { body } = await send('/v1/metadata', 'bulk_keep_going', [
      { type: 'pg_track_table', args: { table: 'nowhere' } },
      { type: 'pg_set_table_customization', args: { table: 'author', configuration: {} } },
    ]);
    expect(body).toEqual([
      {
        code: 'invalid-configuration',
        error: expect.stringContaining('nowhere'),
        path: '$.args',
        internal: expect.any(Array),
      },
      { message: 'success' },
    ]);
  });
});

describe('bulk_atomic', () => {
  const array = (name: string, more: object = {}) => ({
    type: 'pg_create_array_relationship',
    args: {
      table: 'author',
      name,
      using: { foreign_key_constraint_on: { table: 'article', column: 'author_id' } },
      ...more,
    },
  });

  it('checks the result of all commands together', async () => {
    const drop = { type: 'pg_drop_relationship', args: { table: 'author', relationship: 'articles' } };
    expect((await send('/v1/metadata', 'bulk_atomic', [array('articles')])).body).toEqual({
      message: 'success',
    });
    expect(
      (await send('/v1/metadata', 'bulk_atomic', [drop, array('articles'), array('more')])).body,
    ).toEqual({
      message: 'success',
    });
    const answer = await engine.graphql('{ author { articles { id } more { id } } }');
    expect(answer.body).toEqual({ data: { author: [] } });
  });

  it('does nothing where the result does not fit', async () => {
    const wrong = {
      type: 'pg_create_object_relationship',
      args: { table: 'author', name: 'wrong', using: { foreign_key_constraint_on: 'id' } },
    };
    expect(await send('/v1/metadata', 'bulk_atomic', [array('third'), wrong])).toEqual({
      status: 400,
      body: {
        code: 'bad-request',
        error: 'Schema inconsistency',
        path: '$.args',
        internal: [expect.objectContaining({ name: expect.stringContaining('wrong') })],
      },
    });
    expect((await engine.graphql('{ author { third { id } } }')).body).toHaveProperty('errors');
  });

  it('takes few commands', async () => {
    expect(await send('/v1/metadata', 'bulk_atomic', [{ type: 'reload_metadata', args: {} }])).toEqual({
      status: 500,
      body: expect.objectContaining({
        code: 'unexpected',
        error: 'Bulk atomic does not support this command',
      }),
    });
  });
});
