/** What Hasura refuses, and how it tells where. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMON_CLIENT_HEADERS } from '#base/headers.ts';
import { ADMIN_SECRET, startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
  await engine.database.query('CREATE TABLE author (id integer PRIMARY KEY, name text)');
  await engine.metadata('pg_track_table', { table: 'author' });
  await engine.metadata('pg_create_select_permission', {
    table: 'author',
    role: 'user',
    permission: { columns: ['id'], filter: {} },
  });
}, 60_000);
afterAll(() => engine?.close());

async function send(path: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(engine.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-hasura-admin-secret': ADMIN_SECRET },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}
const sql = (text: string) => ({ type: 'run_sql', args: { sql: text } });

describe('/v2/query tells where a command failed by its place in a bulk alone', () => {
  it.each<[string, unknown, string]>([
    ['SQL', sql('nonsense'), '$'],
    ['a source that is not there', { type: 'run_sql', args: { sql: 'SELECT 1', source: 'x' } }, '$'],
    ['a table that is not there', { type: 'select', args: { table: 'x', columns: ['id'] } }, '$.table'],
    ['SQL in a bulk', { type: 'bulk', args: [sql('SELECT 1'), sql('nonsense')] }, '$[1]'],
    ['SQL in a bulk in a bulk', { type: 'bulk', args: [{ type: 'bulk', args: [sql('x')] }] }, '$[0][0]'],
  ])('%s', async (_, body, path) => {
    expect(await send('/v2/query', body)).toMatchObject({ status: 400, body: { path } });
  });

  it('the other APIs count the arguments in', async () => {
    const unknown = { type: 'pg_untrack_table', args: { table: 'x' } };
    expect(await send('/v1/metadata', unknown)).toMatchObject({ body: { path: '$.args' } });
    expect(await send('/v1/query', { type: 'bulk', args: [sql('x')] })).toMatchObject({
      body: { path: '$.args[0].args' },
    });
  });
});

describe('a command without arguments is refused', () => {
  it.each([
    ['/v1/metadata', { type: 'export_metadata' }, '$'],
    ['/v1/metadata', { type: 'export_metadata', version: 2 }, '$'],
    ['/v1/metadata', { type: 'clear_metadata' }, '$'],
    ['/v1/metadata', { type: 'reload_metadata' }, '$'],
    ['/v1/metadata', { type: 'bulk' }, '$'],
    ['/v1/metadata', { type: 'bulk', args: [{ type: 'get_inconsistent_metadata' }] }, '$.args[0]'],
    ['/v2/query', { type: 'run_sql' }, '$'],
    ['/v2/query', { type: 'select' }, '$'],
    ['/v1/query', { type: 'count' }, '$'],
  ])('%s %j', async (path, body, at) => {
    expect(await send(path, body)).toEqual({
      status: 400,
      body: { error: 'key "args" not found', path: at, code: 'parse-failed' },
    });
  });

  it('null will do for those that look at none', async () => {
    expect((await send('/v1/metadata', { type: 'export_metadata', args: null })).status).toBe(200);
    expect(await send('/v1/metadata', { type: 'reload_metadata', args: null })).toMatchObject({
      status: 400,
      body: { code: 'parse-failed' },
    });
  });
});

describe('what holds nothing is refused', () => {
  it.each(['', ' \n', ';', '-- a comment'])('SQL of %j', async (text) => {
    for (const more of [
      {},
      { no_transaction: true },
      { read_only: true },
      { check_metadata_consistency: true },
    ])
      expect(await send('/v2/query', { type: 'run_sql', args: { sql: text, ...more } })).toMatchObject({
        status: 400,
        body: { code: 'postgres-error', internal: { error: { exec_status: 'EmptyQuery' } } },
      });
  });

  it('an empty bulk_atomic; an empty bulk is none', async () => {
    expect(await send('/v1/metadata', { type: 'bulk_atomic', args: [] })).toMatchObject({
      status: 500,
      body: { code: 'unexpected' },
    });
    expect(await send('/v1/metadata', { type: 'bulk', args: [] })).toEqual({ status: 200, body: [] });
  });
});

describe('an inherited role of a parent that is not there', () => {
  const reason = /parent role\(s\) are not found: "nobody" which are required .* inherited role: "heir"$/;

  it('is refused', async () => {
    const heir = { type: 'add_inherited_role', args: { role_name: 'heir', role_set: ['user', 'nobody'] } };
    expect(await send('/v1/metadata', heir)).toMatchObject({
      status: 400,
      body: { code: 'invalid-configuration', error: expect.stringMatching(reason) },
    });
  });

  it('in metadata is inconsistent, with the roles that inherit from it, and may do nothing', async () => {
    const metadata = await engine.metadata('export_metadata', {});
    const roles = [
      { role_name: 'heir', role_set: ['user', 'nobody'] },
      { role_name: 'grandchild', role_set: ['heir', 'user'] },
      { role_name: 'sound', role_set: ['user'] },
    ];
    const next = { ...Object(metadata), inherited_roles: roles };
    const refused = await send('/v1/metadata', { type: 'replace_metadata', args: { metadata: next } });
    expect(refused.status).toBe(400);
    const taken = await engine.metadata('replace_metadata', {
      metadata: next,
      allow_inconsistent_metadata: true,
    });
    expect(taken).toMatchObject({
      is_consistent: false,
      inconsistent_objects: [
        { type: 'inherited_role', reason: expect.stringMatching(reason), definition: roles[0] },
        { type: 'inherited_role', definition: roles[1] },
      ],
    });
    const ask = async (role: string) => {
      const answer = await fetch(`${engine.url}/v1/graphql`, {
        method: 'POST',
        headers: { 'x-hasura-admin-secret': ADMIN_SECRET, 'x-hasura-role': role },
        body: '{"query":"{ author { id } }"}',
      });
      return answer.json();
    };
    expect(await ask('sound')).toEqual({ data: { author: [] } });
    for (const role of ['heir', 'grandchild']) expect(await ask(role)).toMatchObject({ errors: [{}] });
    expect(await engine.metadata('export_metadata', {})).toMatchObject({ inherited_roles: { length: 3 } });
    await engine.metadata('drop_inconsistent_metadata', {});
    expect(await engine.metadata('export_metadata', {})).toMatchObject({ inherited_roles: [roles[2]] });
  });
});

it('an action is exported with the headers that it leaves out', async () => {
  await engine.metadata('create_action', {
    name: 'ask',
    definition: { handler: 'http://a', output_type: 'String', type: 'query' },
  });
  await engine.metadata('create_action', {
    name: 'other',
    definition: { handler: 'http://a', output_type: 'String', type: 'query', ignored_client_headers: ['X'] },
  });
  expect(await engine.metadata('export_metadata', {})).toMatchObject({
    actions: [
      { definition: { ignored_client_headers: COMMON_CLIENT_HEADERS } },
      { definition: { ignored_client_headers: ['X'] } },
    ],
  });
});
