import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { createValidatedTables } from '../support/validated-tables.ts';
import {
  type Received,
  type Receiver,
  type Answer as Reply,
  startReceiver,
} from '../support/webhook-receiver.ts';

let engine: TestEngine;
let hook: Receiver;
/** What the webhook says next. */
let reply: (request: Received) => Reply | Promise<Reply>;

const AS_USER = { 'x-hasura-role': 'user', 'x-hasura-user-id': '7' };
const SESSION = { 'x-hasura-role': 'user', 'x-hasura-user-id': '7' };

beforeAll(async () => {
  hook = await startReceiver((request) => reply(request));
  engine = await startEngine({ HOOK: hook.url, SECRET: 'hush', HASURA_GRAPHQL_DEV_MODE: 'true' });
  await createValidatedTables(engine);
}, 60_000);

afterEach(() => {
  hook.received.length = 0;
});

afterAll(async () => {
  await engine?.close();
  await hook?.close();
});

const agree = () => {
  reply = () => ({});
};
const ask = async (query: string, variables: unknown = {}, headers: Record<string, string> = AS_USER) =>
  (await engine.graphql(query, { headers, variables })).body;
const count = async (table: string) =>
  Number(
    z
      .array(z.object({ n: z.coerce.number() }))
      .parse(await engine.database.query(`SELECT count(*) AS n FROM ${table}`))[0]?.n,
  );
const shown = () =>
  hook.received.map(({ path, body }) => [path, z.looseObject({ data: z.unknown() }).parse(body).data]);

describe('the input of an insert', () => {
  it('is shown as the client gave it, by the names of the database, before it is written', async () => {
    const before = await count('author');
    let during = -1;
    reply = async () => {
      during = await count('author');
      return {};
    };
    const answer = await ask(
      `mutation ($n: bigint, $extra: jsonb) {
        insert_author(objects: [{called: "Ann", number: $n, tags: ["a", "b"], extra: $extra}, {called: null}]) { affected_rows }
      }`,
      { n: '9007199254740993', extra: { deep: [1, null] } },
    );
    expect(answer).toEqual({ data: { insert_author: { affected_rows: 2 } } });
    expect(during).toBe(before);
    expect(hook.received).toHaveLength(1);
    expect(hook.received[0]).toMatchObject({
      method: 'POST',
      path: '/insert-author',
      headers: { 'content-type': 'application/json' },
    });
    expect(hook.received[0]?.body).toEqual({
      version: 1,
      role: 'user',
      session_variables: SESSION,
      data: {
        input: [
          { name: 'Ann', number: '9007199254740993', tags: ['a', 'b'], extra: { deep: [1, null] } },
          { name: null },
        ],
      },
    });
  });

  it('keeps the digits of long numbers', async () => {
    agree();
    await ask('mutation { insert_author_one(object: {number: 9007199254740993}) { id } }');
    expect(hook.received[0]?.text).toContain('"number":9007199254740993}');
  });

  it('follows the variables of each request, though the text is the same', async () => {
    agree();
    const query = 'mutation ($name: String) { insert_author_one(object: {called: $name}) { called } }';
    for (const name of ['one', 'two', null]) await ask(query, { name });
    expect(shown()).toEqual(['one', 'two', null].map((name) => ['/insert-author', { input: [{ name }] }]));
  });

  it('is shown where all rows are one variable', async () => {
    agree();
    const rows = [
      { called: 'one', tags: ['a'], extra: { n: 1 } },
      { called: 'two', tags: null, extra: [] },
    ];
    const answer = await ask(
      'mutation ($rows: [author_insert_input!]!) { insert_author(objects: $rows) { affected_rows } }',
      { rows },
    );
    expect(answer).toEqual({ data: { insert_author: { affected_rows: 2 } } });
    const input = rows.map(({ called, ...others }) => ({ name: called, ...others }));
    expect(shown()).toEqual([['/insert-author', { input }]]);
  });

  it('is shown to each table once, its rows together, parents first', async () => {
    agree();
    const answer = await ask(`mutation { insert_author(objects: [
      {called: "A", articles: {data: [{title: "a1"}, {title: "a2"}]}},
      {called: "B", articles: {data: [{title: "b1"}]}}]) { affected_rows } }`);
    expect(answer).toEqual({ data: { insert_author: { affected_rows: 5 } } });
    expect(shown()).toEqual([
      [
        '/insert-author',
        {
          input: [
            { name: 'A', articles: { data: [{ title: 'a1' }, { title: 'a2' }] } },
            { name: 'B', articles: { data: [{ title: 'b1' }] } },
          ],
        },
      ],
      ['/insert-article', { input: [{ title: 'a1' }, { title: 'a2' }, { title: 'b1' }] }],
    ]);
  });

  it('is an object where one row is inserted through an object relationship', async () => {
    agree();
    await ask('mutation { insert_article_one(object: {title: "t", author: {data: {called: "C"}}}) { id } }');
    expect(shown()).toEqual([
      ['/insert-article', { input: [{ title: 't', author: { data: { name: 'C' } } }] }],
      ['/insert-author', { input: [{ name: 'C' }] }],
    ]);
  });

  it('is shown to nobody for admin, or where a permission asks for nothing', async () => {
    agree();
    await ask('mutation { insert_author_one(object: {called: "admin"}) { id } }', {}, {});
    await ask('mutation { insert_free_one(object: {name: "free"}) { id } }');
    expect(hook.received).toEqual([]);
  });
});

describe('the input of an update or a deletion', () => {
  it.each([
    [
      'update_author(where: {id: {_eq: $id}}, _set: {called: $name}, _inc: {number: 1}) { affected_rows }',
      '/update',
      [{ where: { id: { _eq: -1 } }, _set: { called: 'new' }, _inc: { number: 1 } }],
    ],
    [
      'update_author_by_pk(pk_columns: {id: $id}, _set: {called: $name}) { id }',
      '/update',
      [{ pk_columns: { id: -1 }, _set: { called: 'new' } }],
    ],
    [
      'update_author_many(updates: [{where: {id: {_eq: $id}}, _set: {called: $name}}]) { affected_rows }',
      '/update',
      [{ where: { id: { _eq: -1 } }, _set: { called: 'new' } }],
    ],
    [
      'delete_author(where: {_and: [{id: {_eq: $id}}, {called: {_eq: $name}}]}) { affected_rows }',
      '/delete',
      [{ where: { _and: [{ id: { _eq: -1 } }, { called: { _eq: 'new' } }] } }],
    ],
  ])('of %s is its arguments', async (field, path, input) => {
    agree();
    const answer = await ask(`mutation ($id: Int!, $name: String) { it: ${field} }`, { id: -1, name: 'new' });
    expect(answer).toHaveProperty('data.it');
    expect(shown()).toEqual([[path, { input }]]);
  });

  it('by primary key is that key', async () => {
    agree();
    await ask('mutation { delete_author_by_pk(id: -5) { id } }');
    expect(shown()).toEqual([['/delete', { input: [{ pk_columns: { id: -5 } }] }]]);
  });

  it('comes with configured headers, and with the client’s where they are forwarded', async () => {
    agree();
    await ask(
      'mutation { update_author(where: {}, _set: {}) { affected_rows } }',
      {},
      { ...AS_USER, 'X-Team': 'blue', 'x-hasura-other': '1' },
    );
    expect(hook.received[0]?.headers).toMatchObject({ 'x-secret': 'hush', 'x-team': 'blue' });
    expect(hook.received[0]?.headers).not.toHaveProperty('x-hasura-other');
    expect(hook.received[0]?.headers).not.toHaveProperty('x-hasura-admin-secret');
  });
});

const INSERT = 'mutation { insert_author_one(object: {called: "refused"}) { id } }';
const error = (message: string, code: string, internal?: unknown) => ({
  errors: [
    {
      message,
      extensions: { path: '$', code, ...(internal === undefined ? {} : { internal }) },
    },
  ],
});

describe('a webhook that does not agree', () => {
  it('refuses with its own message, and nothing is written', async () => {
    const before = await count('author');
    reply = () => ({ status: 400, body: { message: 'no such name', more: 1 } });
    expect(await ask(INSERT)).toEqual(error('no such name', 'validation-failed'));
    expect(await count('author')).toBe(before);
  });

  it('keeps every field of the operation from being written, those before it too', async () => {
    const before = await count('free');
    reply = () => ({ status: 400, body: { message: 'no' } });
    const both = `mutation { insert_free_one(object: {name: "x"}) { id } insert_author_one(object: {}) { id } }`;
    expect(await ask(both)).toEqual(error('no', 'validation-failed'));
    expect(await count('free')).toBe(before);
  });

  it('is the last one asked', async () => {
    reply = () => ({ status: 400, body: { message: 'no' } });
    await ask(`mutation { delete_author_by_pk(id: 0) { id } insert_author_one(object: {}) { id } }`);
    expect(hook.received.map(({ path }) => path)).toEqual(['/delete']);
  });

  it.each([
    ['no JSON', 'what', /^invalid response: /],
    ['no message', {}, /^invalid response: expected an object with a text "message"$/],
  ])('fails with 400 and %s', async (_, body, internal) => {
    reply = () => ({ status: 400, body });
    expect(await ask(INSERT)).toEqual(
      error(
        'received invalid response from input validation webhook',
        'unexpected',
        expect.stringMatching(internal),
      ),
    );
  });

  it.each([302, 401, 404, 500])('fails with status %i', async (status) => {
    reply = () => ({ status, body: { message: 'no' } });
    expect(await ask(INSERT)).toEqual(
      error(
        'internal error when validating input data',
        'unexpected',
        `expecting 200 or 400 status code, but found ${status}`,
      ),
    );
  });

  it('fails where it takes longer than its timeout', async () => {
    reply = () => new Promise<never>(() => {});
    expect(await ask('mutation { update_author(where: {}, _set: {}) { affected_rows } }')).toEqual(
      error(
        'http exception when validating input data',
        'unexpected',
        expect.objectContaining({ type: 'http_exception', message: 'Response timeout' }),
      ),
    );
  });

  it('fails where it cannot be reached', async () => {
    const gone = await startReceiver();
    await gone.close();
    await engine.metadata('pg_create_insert_permission', {
      table: 'free',
      role: 'other',
      permission: {
        columns: '*',
        check: {},
        validate_input: { type: 'http', definition: { url: `${gone.url}/x?y=1` } },
      },
    });
    const answer = await ask(
      'mutation { insert_free(objects: {}) { affected_rows } }',
      {},
      { 'x-hasura-role': 'other' },
    );
    const { port } = new URL(gone.url);
    expect(answer).toEqual(
      error('http exception when validating input data', 'unexpected', {
        type: 'http_exception',
        message: 'Connection failure',
        request: {
          host: '127.0.0.1',
          method: 'POST',
          path: '/x',
          port: Number(port),
          queryString: '?y=1',
          responseTimeout: 'ResponseTimeoutMicro 10000000',
          secure: false,
        },
      }),
    );
  });
});

describe('the setting in metadata', () => {
  const create = (validate: unknown, role: string) => ({
    table: 'free',
    role,
    permission: { filter: {}, validate_input: validate },
  });

  it('is exported with its defaults filled in', async () => {
    const { sources } = z
      .object({ sources: z.array(z.looseObject({ tables: z.array(z.record(z.string(), z.unknown())) })) })
      .parse(await engine.metadata('export_metadata', {}));
    const author = sources[0]?.tables.find(({ table }) => JSON.stringify(table).includes('author'));
    expect(author?.delete_permissions).toEqual([
      {
        role: 'user',
        permission: {
          filter: {},
          validate_input: {
            type: 'http',
            definition: {
              url: '{{HOOK}}/delete',
              headers: [],
              timeout: 10,
              forward_client_headers: false,
            },
          },
        },
      },
    ]);
    await engine.metadata('replace_metadata', await engine.metadata('export_metadata', {}));
  });

  it('makes the permission inconsistent where a variable of its URL is not set', async () => {
    const definition = { url: 'http://{{NO_SUCH}}' };
    expect(
      await engine.refusal('pg_create_delete_permission', create({ type: 'http', definition }, 'third')),
    ).toMatchObject({
      code: 'invalid-configuration',
      error: expect.stringContaining('Value for environment variables not found: NO_SUCH'),
    });
  });

  it.each([
    [{ type: 'grpc', definition: { url: 'x' } }, "expecting only 'http' for 'type' but got grpc"],
    [{ type: 'http' }, 'key "definition" not found'],
    [{ type: 'http', definition: {} }, 'key "url" not found'],
    [{ type: 'http', definition: { url: 'x', timeout: -1 } }, 'timeout value cannot be negative'],
  ])('%j is refused', async (validate, message) => {
    expect(await engine.refusal('pg_create_delete_permission', create(validate, 'third'))).toMatchObject({
      code: 'parse-failed',
      error: expect.stringContaining(message),
    });
  });
});

describe('an inherited role', () => {
  it('asks the webhook of the permission it inherits', async () => {
    await engine.metadata('add_inherited_role', { role_name: 'heir', role_set: ['user'] });
    reply = () => ({ status: 400, body: { message: 'asked' } });
    expect(await ask(INSERT, {}, { 'x-hasura-role': 'heir', 'x-hasura-user-id': '1' })).toEqual(
      error('asked', 'validation-failed'),
    );
  });
});
