import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_SECRET, startEngine, type TestEngine } from '../support/engine.ts';
import {
  type Received,
  type Receiver,
  type Answer as Reply,
  startReceiver,
} from '../support/webhook-receiver.ts';

const NEVER = new Promise<never>(() => {});

let engine: TestEngine;
let handler: Receiver;
/** What the handler says next. */
let reply: (request: Received) => Reply | Promise<Reply>;

const TYPES = {
  scalars: [{ name: 'Anything' }],
  enums: [{ name: 'Mood', values: [{ value: 'GOOD' }, { value: 'BAD' }] }],
  input_objects: [
    {
      name: 'Person',
      fields: [
        { name: 'name', type: 'String!' },
        { name: 'mood', type: 'Mood' },
        { name: 'friends', type: '[Person!]' },
      ],
    },
  ],
  objects: [
    {
      name: 'Author',
      fields: [
        { name: 'id', type: 'Int' },
        { name: 'key', type: 'String' },
        { name: 'count', type: 'bigint' },
        { name: 'next', type: 'Author' },
        { name: 'all', type: '[Author]' },
      ],
      relationships: [
        { name: 'row', type: 'object', remote_table: 'author', field_mapping: { id: 'id' } },
        { name: 'named', type: 'object', remote_table: 'author', field_mapping: { key: 'name' } },
        { name: 'articles', type: 'array', remote_table: 'article', field_mapping: { id: 'author_id' } },
      ],
    },
    { name: 'Strict', fields: [{ name: 'id', type: 'Int!' }] },
  ],
};

async function action(name: string, definition: object, roles: string[] = []): Promise<void> {
  await engine.metadata('create_action', { name, definition: { handler: '{{HANDLER}}/it', ...definition } });
  for (const role of roles) await engine.metadata('create_action_permission', { action: name, role });
}

beforeAll(async () => {
  handler = await startReceiver((request) => reply(request));
  engine = await startEngine({ HANDLER: handler.url, SECRET: 'hush' });
  await engine.database.query(`
    CREATE TABLE author (id integer PRIMARY KEY, name text UNIQUE);
    CREATE TABLE article (id serial PRIMARY KEY, author_id integer, title text);
    INSERT INTO author VALUES (1, 'Ann'), (2, 'Bea'), (3, '''; DROP TABLE author; --');
    INSERT INTO article (author_id, title) VALUES (1, 'a'), (1, 'b'), (2, 'c')`);
  for (const table of ['author', 'article']) await engine.metadata('pg_track_table', { table });
  await engine.metadata('pg_create_select_permission', {
    table: 'author',
    role: 'user',
    permission: { columns: ['id', 'name'], filter: { id: 'X-Hasura-User-Id' } },
  });
  await engine.metadata('set_custom_types', TYPES);
  const author = { output_type: 'Author', type: 'query' };
  await action('find', { ...author, arguments: [{ name: 'id', type: 'Int' }] }, ['user']);
  await action('list', { output_type: '[Author]!', type: 'query' });
  await action('strict', { output_type: 'Strict!', type: 'query', timeout: 1 }, ['user']);
  await action('echo', {
    output_type: 'Anything',
    arguments: [
      { name: 'person', type: 'Person' },
      { name: 'any', type: 'Anything' },
      { name: 'id', type: 'uuid' },
    ],
    headers: [
      { name: 'x-secret', value_from_env: 'SECRET' },
      { name: 'x-plain', value: 'for {{SECRET}}' },
    ],
  });
  await action('forwarding', { output_type: 'Anything', forward_client_headers: true });
}, 60_000);

afterEach(() => {
  handler.received.length = 0;
});

afterAll(async () => {
  await engine?.close();
  await handler?.close();
});

const ok = (body: unknown): void => {
  reply = () => ({ body });
};
const data = async (query: string, headers: Record<string, string> = {}, variables: unknown = {}) =>
  (await engine.graphql(query, { headers, variables })).body;
const AS_USER = { 'x-hasura-role': 'user', 'x-hasura-user-id': '1' };

describe('a call of a handler', () => {
  it('says which action, with what input, for whom and for which query', async () => {
    ok('"done"');
    const query =
      'mutation ($any: Anything) { echo(person: {name: "Ann", mood: GOOD, friends: [{name: "Bea"}]}, any: $any) }';
    const answer = await data(query, { 'X-Hasura-Team': 'blue' }, { any: { deep: [1, null, 'x'] } });
    expect(answer).toEqual({ data: { echo: 'done' } });
    expect(handler.received[0]).toMatchObject({
      method: 'POST',
      path: '/it',
      headers: { 'content-type': 'application/json', 'x-secret': 'hush', 'x-plain': 'for hush' },
    });
    expect(handler.received[0]?.body).toEqual({
      action: { name: 'echo' },
      input: {
        person: { name: 'Ann', mood: 'GOOD', friends: [{ name: 'Bea' }] },
        any: { deep: [1, null, 'x'] },
      },
      session_variables: { 'x-hasura-role': 'admin', 'x-hasura-team': 'blue' },
      request_query: query,
    });
  });

  it('keeps every digit of numbers, to the handler and from it', async () => {
    reply = () => ({ body: '{"id": 1, "count": 9007199254740993}' });
    expect(JSON.stringify((await engine.graphql('{ find { id } }')).body)).toContain('"id":1');
    const response = await fetch(`${engine.url}/v1/graphql`, {
      method: 'POST',
      headers: { 'x-hasura-admin-secret': ADMIN_SECRET },
      body: JSON.stringify({ query: '{ find { count } }' }),
    });
    expect(await response.text()).toContain('9007199254740993');
    ok(null);
    await data('mutation { echo(any: 9007199254740993) }');
    expect(handler.received.at(-1)?.text).toContain('"any":9007199254740993');
  });

  it('forwards client headers only where told, and never session variables or the admin secret', async () => {
    ok(null);
    const headers = { 'x-custom': 'mine', authorization: 'Bearer token', 'x-hasura-team': 'blue' };
    await data('mutation { forwarding }', headers);
    await data('mutation { echo }', headers);
    const [forwarding, echo] = handler.received;
    expect(forwarding?.headers).toMatchObject({ 'x-custom': 'mine', authorization: 'Bearer token' });
    expect(forwarding?.headers['x-hasura-team']).toBeUndefined();
    expect(echo?.headers['x-custom']).toBeUndefined();
    expect(JSON.stringify(handler.received)).not.toContain(ADMIN_SECRET);
  });

  it('gives the client the cookies that the handler sets', async () => {
    reply = () => ({ headers: { 'set-cookie': ['a=1; Path=/', 'b=2'] }, body: { id: 1 } });
    const { headers } = await engine.graphql('{ find { id } }');
    expect(headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2']);
  });

  it('is not made for input that does not fit', async () => {
    ok(null);
    for (const query of [
      'mutation { echo(person: {}) }',
      'mutation { echo(person: {name: 1}) }',
      'mutation { echo(person: {name: "x", mood: SAD}) }',
      'mutation { echo(person: {name: "x", other: 1}) }',
      'mutation { echo(unknown: 1) }',
      'mutation { echo(id: "no uuid") }',
      '{ find(id: "one") { id } }',
    ]) {
      expect(await data(query), query).toMatchObject({ errors: [{ extensions: {} }] });
    }
    expect(handler.received).toEqual([]);
  });
});

describe('a role', () => {
  it('has the actions it was given, itself or by a parent, and no others', async () => {
    ok({ id: 1 });
    expect(await data('{ find { id } }', AS_USER)).toEqual({ data: { find: { id: 1 } } });
    expect(await data('{ list { id } }', AS_USER)).toMatchObject({
      errors: [{ message: "field 'list' not found in type: 'query_root'" }],
    });
    await engine.metadata('add_inherited_role', { role_name: 'heir', role_set: ['user'] });
    expect(await data('{ find { id } }', { 'x-hasura-role': 'heir' })).toEqual({
      data: { find: { id: 1 } },
    });
    expect(await data('{ find { id } }', { 'x-hasura-role': 'other' })).toMatchObject({ errors: [{}] });
  });

  it('sees rows behind an answer only as far as its permissions reach', async () => {
    ok({ id: 2 });
    expect(await data('{ find { row { name } } }')).toEqual({ data: { find: { row: { name: 'Bea' } } } });
    expect(await data('{ find { row { name } } }', AS_USER)).toEqual({ data: { find: { row: null } } });
    expect(await data('{ find { articles { id } } }', AS_USER)).toMatchObject({
      errors: [{ message: "field 'articles' not found in type: 'Author'" }],
    });
  });
});

describe('rows behind an answer', () => {
  it('belong to the object they were asked for, however deep it is', async () => {
    ok([{ id: 2, next: { id: 1 } }, { id: 9, all: [{ id: 1 }, null, { id: 2 }] }, { id: null }, null]);
    const query = `{ list {
      row { name }
      next { articles(order_by: {title: desc}, limit: 1) { title } }
      all { row { name } articles_aggregate { aggregate { count } } }
    } }`;
    const [ann, bea] = [{ name: 'Ann' }, { name: 'Bea' }];
    const count = (n: number) => ({ aggregate: { count: n } });
    expect(await data(query)).toEqual({
      data: {
        list: [
          { row: bea, next: { articles: [{ title: 'b' }] } },
          {
            row: null,
            all: [
              { row: ann, articles_aggregate: count(2) },
              null,
              { row: bea, articles_aggregate: count(1) },
            ],
          },
          { row: null },
          null,
        ],
      },
    });
  });

  it('are found by hostile keys too, which stay values', async () => {
    ok({ key: `'; DROP TABLE author; --` });
    expect(await data('{ find { named { id } } }')).toEqual({ data: { find: { named: { id: 3 } } } });
    ok({ id: '1); DROP TABLE author; --' });
    expect(await data('{ find { row { id } } }')).toMatchObject({
      errors: [{ extensions: { code: 'data-exception' } }],
    });
    ok({ id: 1 });
    expect(await data('{ find { row { name } } }')).toEqual({ data: { find: { row: { name: 'Ann' } } } });
  });
});

describe('a handler that fails', () => {
  const failure = async (answer: Reply, headers = AS_USER) => {
    reply = () => answer;
    return data('{ strict { id } }', headers);
  };

  it('refuses with its own message, code and extensions', async () => {
    expect(await failure({ status: 401, body: { message: 'no', code: 'mine' } })).toEqual({
      errors: [{ message: 'no', extensions: { path: '$', code: 'mine' } }],
    });
    const extensions = { code: 'mine', retry: false };
    expect(await failure({ status: 400, body: { message: 'no', extensions } })).toEqual({
      errors: [{ message: 'no', extensions }],
    });
  });

  it.each([
    [{ status: 400, body: { error: 'no message' } }, 'key "message" not found'],
    [{ status: 500, body: { message: 'inside' } }, 'internal error'],
    [{ status: 302, body: {} }, 'internal error'],
    [{ body: 'not JSON' }, 'not a valid json response from webhook'],
    [{ body: null }, 'got null for the action webhook response'],
    [{ body: [{ id: 1 }] }, 'got array for the action webhook response, expecting Strict'],
    [{ body: 'true' }, 'got scalar Boolean for the action webhook response, expecting Strict'],
    [{ body: {} }, 'field "id" expected in webhook response, but not found'],
    [{ body: { id: null } }, 'expecting not null value for field "id"'],
  ])('answers %j: %s, and no more to a user', async (answer, message) => {
    const body = await failure(answer);
    expect(body).toMatchObject({ errors: [{ message, extensions: { path: '$' } }] });
    expect(JSON.stringify(body)).not.toContain('internal":');
    expect(JSON.stringify(body)).not.toContain(handler.url);
  });

  it('tells an admin what happened inside', async () => {
    reply = () => ({ body: {} });
    expect(await data('{ strict { id } }')).toMatchObject({
      errors: [
        {
          extensions: {
            internal: { request: { url: '{{HANDLER}}/it' }, response: { status: 200, body: {} } },
          },
        },
      ],
    });
  });

  it('is given up after the timeout', async () => {
    reply = () => NEVER;
    expect(await data('{ strict { id } }', AS_USER)).toEqual({
      errors: [
        { message: 'http exception when calling webhook', extensions: { path: '$', code: 'unexpected' } },
      ],
    });
  });
});

describe('a mutation of rows and actions', () => {
  it('runs its fields in order, each on its own', async () => {
    reply = async () => {
      const [row] = await engine.database.query("SELECT count(*)::int AS n FROM author WHERE name = 'Cid'");
      return row?.n === 1 ? { status: 400, body: { message: 'seen' } } : { body: null };
    };
    expect(
      await data(
        'mutation { insert_author_one(object: {id: 4, name: "Cid"}) { id } echo delete_author(where: {id: {_eq: 4}}) { affected_rows } }',
      ),
    ).toMatchObject({ errors: [{ message: 'seen' }] });
    expect(await engine.database.query('SELECT name FROM author WHERE id = 4')).toEqual([{ name: 'Cid' }]);
  });
});

describe('custom types and actions that do not fit', () => {
  const types = (object: object) => ({ ...TYPES, objects: [...TYPES.objects, object] });

  it.each([
    [
      { name: 'X', fields: [{ name: 'a', type: 'Nope' }] },
      'the type "Nope" for field "a" in  object type "X" does not exist',
    ],
    [{ name: 'Author', fields: [{ name: 'a', type: 'Int' }] }, 'duplicate type names: "Author"'],
    [
      {
        name: 'X',
        fields: [{ name: 'a', type: '[String!]' }],
        relationships: [{ name: 'r', type: 'array', remote_table: 'author', field_mapping: { a: 'name' } }],
      },
      'the type of the field "a" for relationship "r" in object type "X" is a list type',
    ],
    [
      {
        name: 'X',
        fields: [{ name: 'a', type: 'String' }],
        relationships: [{ name: 'r', type: 'array', remote_table: 'nowhere', field_mapping: { a: 'name' } }],
      },
      'the remote table "nowhere" for relationship "r" of object type "X" does not exist',
    ],
    [
      {
        name: 'X',
        fields: [{ name: 'a', type: 'String' }],
        relationships: [{ name: 'r', type: 'array', remote_table: 'author', field_mapping: { a: 'nope' } }],
      },
      'the column "nope" of remote table "author" for relationship "r" of object type "X" does not exist',
    ],
  ])('are refused: %j', async (object, reason) => {
    expect(await engine.refusal('set_custom_types', types(object))).toMatchObject({
      code: expect.stringMatching(/invalid-configuration|unexpected/),
      error: expect.stringContaining(reason),
    });
  });

  it('are refused where an action names a type or a variable that is not there', async () => {
    const refused = (definition: object) =>
      engine.refusal('create_action', {
        name: 'broken',
        definition: { handler: handler.url, ...definition },
      });
    expect(await refused({ output_type: 'Nope' })).toMatchObject({
      error: expect.stringContaining('"Nope"'),
    });
    expect(
      await refused({ output_type: 'Author', arguments: [{ name: 'a', type: 'Author' }] }),
    ).toMatchObject({
      error: expect.stringContaining('is not a scalar/enum/input_object'),
    });
    expect(await refused({ output_type: 'Author', handler: '{{NOT_SET}}/x' })).toMatchObject({
      error: expect.stringContaining('NOT_SET'),
    });
    expect(
      await refused({
        output_type: 'Author',
        headers: [{ name: 'a', value_from_env: 'HASURA_GRAPHQL_ADMIN_SECRET' }],
      }),
    ).toMatchObject({ code: 'parse-failed' });
  });
});
