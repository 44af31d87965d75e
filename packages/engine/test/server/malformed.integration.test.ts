/**
 * Whatever a client sends ends in an answer; the engine goes on, and every connection to the database comes
 * back to its pool.
 */
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ADMIN_SECRET, startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

const ROUNDS = 150;

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
  await engine.database.query(`
    CREATE TABLE item (id bigint PRIMARY KEY, parent_id bigint REFERENCES item, name text, price numeric, data jsonb);
    CREATE INDEX ON item (parent_id);
    INSERT INTO item (id, parent_id, name) VALUES (1, NULL, 'root'), (2, 1, 'leaf');
  `);
  await engine.metadata('pg_track_table', { source: 'default', table: 'item' });
  await engine.metadata('pg_create_array_relationship', {
    source: 'default',
    table: 'item',
    name: 'children',
    using: { foreign_key_constraint_on: { table: 'item', column: 'parent_id' } },
  });
});
afterAll(() => engine.close());

afterEach(async () => {
  const { body } = await engine.graphql('{ item_by_pk(id: 1) { name } }');
  expect(body).toEqual({ data: { item_by_pk: { name: 'root' } } });
  await until(async () => {
    const busy = await engine.database.query(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'hasura-embedded' AND datname = current_database()
        AND state NOT IN ('idle') AND backend_type = 'client backend'`,
    );
    return busy.length === 0 ? true : undefined;
  });
});

async function post(body: string): Promise<{ status: number; answer: unknown }> {
  const response = await fetch(`${engine.url}/v1/graphql`, {
    method: 'POST',
    headers: { 'x-hasura-admin-secret': ADMIN_SECRET },
    body,
  });
  return { status: response.status, answer: JSON.parse(await response.text()) };
}

const ERRORS = { errors: [expect.objectContaining({ message: expect.any(String) })] };

describe('over HTTP', () => {
  test.each<[string, string]>([
    ['no JSON at all', '{"query":'],
    ['an empty body', ''],
    ['a number', '17'],
    ['null', 'null'],
    ['a query that is a list', '{"query":[]}'],
    ['variables that are a long number', '{"query":"{ item { id } }","variables":12345678901234567890}'],
    ['JSON 100,000 levels deep', '['.repeat(100_000)],
    ['closed JSON 50,000 levels deep', `{"query":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
    ['a NUL in the query', '{"query":"{ item\\u0000 { id } }"}'],
    ['half a surrogate pair', '{"query":"{ \\ud800 }"}'],
  ])('%s is an error', async (_, body) => {
    expect((await post(body)).answer).toEqual(ERRORS);
  });

  const graphql = (query: string, variables?: unknown) => post(JSON.stringify({ query, variables }));
  const WHERE = 'query ($w: item_bool_exp) { item(where: $w) { id } }';
  const nested = (depth: number, value: unknown, key: string) => {
    let made = value;
    for (let level = 0; level < depth; level += 1) made = { [key]: made };
    return made;
  };

  test.each<[string, () => Promise<{ answer: unknown }>]>([
    [
      'a query 1,000 levels deep',
      () => graphql(`{ item { ${'children { '.repeat(1000)} id ${'}'.repeat(1000)} } }`),
    ],
    [
      'a condition 20,000 levels deep in a variable',
      () =>
        post(
          `{"query":${JSON.stringify(WHERE)},"variables":{"w":${'{"_not":'.repeat(20_000)}{}${'}'.repeat(20_000)}}}`,
        ),
    ],
    [
      'a list type 10,000 levels deep',
      () => graphql(`query ($a: ${'['.repeat(10_000)}Int${']'.repeat(10_000)}) { item(limit: $a) { id } }`),
    ],
    [
      'a value 10,000 levels deep',
      () => graphql(`{ item(where: {data: {_eq: ${'['.repeat(10_000)}${']'.repeat(10_000)}}}) { id } }`),
    ],
    [
      'a bomb of aliases',
      () => graphql(`{ ${Array.from({ length: 20_000 }, (_, n) => `a${n}: item { id }`).join(' ')} }`),
    ],
    [
      'a NUL in a value',
      () => graphql('query ($n: String) { item(where: {name: {_eq: $n}}) { id } }', { n: 'a\0b' }),
    ],
    [
      'a number of 10,000 digits for a bigint',
      () =>
        post(
          `{"query":"query ($n: bigint) { item(where: {id: {_eq: $n}}) { id } }","variables":{"n":${'9'.repeat(10_000)}}}`,
        ),
    ],
    ['a limit beyond every bound', () => graphql('{ item(limit: 99999999999999999999) { id } }')],
    [
      'an exponent beyond every bound',
      () =>
        post(
          '{"query":"query ($n: bigint) { item(where: {id: {_eq: $n}}) { id } }","variables":{"n":1e400000}}',
        ),
    ],
  ])('%s is an error', async (_, ask) => {
    expect((await ask()).answer).toEqual(ERRORS);
  });

  test('what is much, but no more than the database takes, is answered', async () => {
    const deep = `{ item(where: ${'{_not: '.repeat(1000)}{}${'}'.repeat(1000)}) { id } }`;
    expect((await graphql(deep)).answer).toEqual({ data: { item: [{ id: 1 }, { id: 2 }] } });
    const insert = 'mutation ($o: [item_insert_input!]!) { insert_item(objects: $o) { affected_rows } }';
    const o = Array.from({ length: 40_000 }, (_, n) => ({ id: n + 10, name: 'x' }));
    expect((await graphql(insert, { o })).answer).toEqual({
      data: { insert_item: { affected_rows: 40_000 } },
    });
    await engine.database.query('DELETE FROM item WHERE id >= 10');
  });

  test('deep JSON as a value is stored or refused', async () => {
    const { answer } = await graphql('query ($d: jsonb) { item(where: {data: {_eq: $d}}) { id } }', {
      d: nested(3000, 1, 'x'),
    });
    expect(answer).toSatisfy((value: object) => 'data' in value || 'errors' in value);
  });

  test('huge variables are answered', async () => {
    const { answer } = await graphql('query ($n: String) { item(where: {name: {_eq: $n}}) { id } }', {
      n: 'x'.repeat(5_000_000),
    });
    expect(answer).toEqual({ data: { item: [] } });
  });

  test('queries that were damaged anywhere are answered', async () => {
    const whole =
      'query q($w: item_bool_exp = {id: {_eq: 1}}, $n: Int) { a: item(where: $w, limit: $n, order_by: {id: desc_nulls_last}) { id ...f children(where: {name: {_in: ["x", null]}}) @include(if: true) { name } } } fragment f on item { name price }';
    const damage = fc.tuple(
      fc.nat(whole.length),
      fc.nat(12),
      fc.oneof(
        fc.string(),
        fc.constantFrom('{', '}', '(', ')', '$w', '...f', '@skip(if: 1)', '"""', '#', ':'),
      ),
    );
    await fc.assert(
      fc.asyncProperty(damage, async ([at, removed, added]) => {
        const query = whole.slice(0, at) + added + whole.slice(at + removed);
        const { status, answer } = await graphql(query, { n: 1 });
        expect(status).toBe(200);
        expect(answer).toSatisfy((value: object) => 'data' in value || 'errors' in value);
      }),
      { numRuns: ROUNDS },
    );
  });

  test('variables of any shape are answered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), async (value) => {
        for (const variables of [
          { w: value },
          { w: { data: { _contains: value } } },
          { w: { _and: value } },
          value,
        ]) {
          const { status, answer } = await graphql(WHERE, variables);
          expect(status).toBe(200);
          expect(answer).toSatisfy((given: object) => 'data' in given || 'errors' in given);
        }
      }),
      { numRuns: ROUNDS },
    );
  });

  test('a client that leaves in the middle of its request, or before its answer, holds nothing', async () => {
    const open = () =>
      new Promise<Socket>((resolve, reject) => {
        const { hostname, port } = new URL(engine.url);
        const socket = connect({ host: hostname, port: Number(port) }, () => resolve(socket)).on(
          'error',
          reject,
        );
      });
    const body = JSON.stringify({ query: '{ item { id } }' });
    const head = `POST /v1/graphql HTTP/1.1\r\nHost: x\r\nX-Hasura-Admin-Secret: ${ADMIN_SECRET}\r\nContent-Length: ${body.length}\r\n\r\n`;
    for (const text of [head, head + body.slice(0, 5), head + body, 'GET', '\0\r\n\r\n']) {
      for (let round = 0; round < 20; round += 1) {
        const socket = await open();
        socket.on('error', () => {});
        await new Promise((resolve) => socket.write(text, resolve));
        socket.destroy();
      }
    }
  });
});

describe('over a WebSocket', () => {
  const open = (protocol: string) =>
    new Promise<WebSocket>((resolve, reject) => {
      const socket = new WebSocket(`${engine.url.replace('http', 'ws')}/v1/graphql`, protocol);
      socket.once('open', () => resolve(socket)).on('error', reject);
    });
  /** Resolves with the first message that `wanted` accepts, or when the engine ends the connection. */
  const answer = (socket: WebSocket, wanted: (message: string) => boolean) =>
    new Promise<string>((resolve) => {
      socket.on('message', (data) => wanted(String(data)) && resolve(String(data)));
      socket.once('close', (code) => resolve(`closed ${code}`));
      socket.on('error', () => {});
    });

  const FRAMES: readonly (readonly [string, string | Buffer])[] = [
    ['no JSON', '{'],
    ['null', 'null'],
    ['no type', '{}'],
    ['an unknown type', '{"type":"nope"}'],
    ['a start without an id', '{"type":"start"}'],
    ['an id that is a number', '{"type":"start","id":1,"payload":{"query":"{ item { id } }"}}'],
    ['a binary frame', Buffer.from([0, 255, 1])],
    ['JSON 100,000 levels deep', '['.repeat(100_000)],
  ];

  test.each(FRAMES)('%s is told or ends the connection', async (_, frame) => {
    for (const protocol of ['graphql-ws', 'graphql-transport-ws']) {
      const socket = await open(protocol);
      const told = answer(socket, (message) => /error/.test(message));
      socket.send(frame);
      expect(await told).toMatch(/connection_error|closed 44/);
      socket.terminate();
    }
  });

  test.each(['graphql-ws', 'graphql-transport-ws'])(
    '%s: damaged operations are answered',
    async (protocol) => {
      const start = protocol === 'graphql-ws' ? 'start' : 'subscribe';
      await fc.assert(
        fc.asyncProperty(fc.string(), fc.jsonValue(), async (text, variables) => {
          const socket = await open(protocol);
          const ended = answer(socket, (message) =>
            /"type":"(complete|error|connection_error)"/.test(message),
          );
          socket.send(
            JSON.stringify({
              type: 'connection_init',
              payload: { headers: { 'x-hasura-admin-secret': ADMIN_SECRET } },
            }),
          );
          socket.send(
            JSON.stringify({
              type: start,
              id: text,
              payload: { query: `{ item { id ${text} } }`, variables },
            }),
          );
          expect(await ended).toMatch(/./);
          socket.terminate();
        }),
        { numRuns: 40 },
      );
    },
  );

  test('a message over the limit ends the connection', async () => {
    const socket = await open('graphql-ws');
    const ended = answer(socket, () => false);
    socket.send('x'.repeat(17 * 1024 * 1024));
    expect(await ended).toMatch(/^closed (1009|1006)$/);
  });

  test('a client that vanishes with its subscriptions leaves nothing behind', async () => {
    const socket = await open('graphql-ws');
    const told = answer(socket, (message) => message.includes('"data"'));
    socket.send(
      JSON.stringify({
        type: 'connection_init',
        payload: { headers: { 'x-hasura-admin-secret': ADMIN_SECRET } },
      }),
    );
    for (let id = 0; id < 20; id += 1)
      socket.send(
        JSON.stringify({ type: 'start', id: String(id), payload: { query: 'subscription { item { id } }' } }),
      );
    await told;
    socket.terminate();
  });
});

test('numbers in variables keep their digits', async () => {
  const insert =
    'mutation ($p: numeric, $i: bigint!, $d: jsonb) { insert_item_one(object: {id: $i, price: $p, data: $d}) { id } }';
  const { answer } = await post(
    `{"query":${JSON.stringify(insert)},"variables":{"i":9223372036854775807,"p":123456789012345678901234567890.123456789,"d":{"n":[12345678901234567890]}}}`,
  );
  expect(answer).toHaveProperty('data.insert_item_one');
  const [row] = await engine.database.query(
    'SELECT id::text, price::text, data::text FROM item WHERE price IS NOT NULL',
  );
  expect(row).toEqual({
    id: '9223372036854775807',
    price: '123456789012345678901234567890.123456789',
    data: '{"n": [12345678901234567890]}',
  });
});
