import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_SECRET, startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine();
  await engine.database.query("CREATE TABLE author (name text); INSERT INTO author VALUES ('Ada')");
  await engine.metadata('pg_track_table', { table: 'author' });
  await engine.metadata('pg_create_select_permission', {
    table: 'author',
    role: 'user',
    permission: { columns: '*', filter: {} },
  });
});
afterAll(() => engine.close());

const ask = async (path: string, type: string, args: unknown) => {
  const answer = await fetch(engine.url + path, {
    method: 'POST',
    headers: { 'x-hasura-admin-secret': ADMIN_SECRET, 'x-hasura-role': 'user' },
    body: JSON.stringify({ type, args }),
  });
  return { status: answer.status, body: await answer.json() };
};

const select = { type: 'select', args: { table: 'author', columns: ['name'] } };
const refused = {
  status: 400,
  body: { code: 'access-denied', error: 'restricted access : admin only', path: '$.args' },
};

test('other roles read rows by /v1/query, alone and in bulk', async () => {
  expect(await ask('/v1/query', 'select', select.args)).toEqual({ status: 200, body: [{ name: 'Ada' }] });
  expect(await ask('/v1/query', 'bulk', [select])).toEqual({ status: 200, body: [[{ name: 'Ada' }]] });
});

test.each([
  ['/v2/query', 'select', select.args],
  ['/v2/query', 'bulk', [select]],
  ['/v1/metadata', 'export_metadata', {}],
  ['/v1/query', 'run_sql', { sql: 'SELECT 1' }],
  ['/v1/query', 'bulk', [select, { type: 'bulk', args: [{ type: 'run_sql', args: { sql: 'SELECT 1' } }] }]],
])('%s refuses %s to them as a whole', async (path, type, args) => {
  expect(await ask(path, type, args)).toEqual(refused);
});
