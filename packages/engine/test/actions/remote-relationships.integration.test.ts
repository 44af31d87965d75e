import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { MUSIC_SQL, MUSIC_TABLES, SALES } from '../support/two-sources.ts';
import { until } from '../support/until.ts';
import { type Receiver, startReceiver } from '../support/webhook-receiver.ts';

let engine: TestEngine;
let sales: TestDatabase;
let handler: Receiver;
let reply: unknown;

beforeAll(async () => {
  handler = await startReceiver(() => ({ body: reply }));
  [engine, sales] = await Promise.all([startEngine({ HANDLER: handler.url }), createDatabase()]);
  await engine.database.query(MUSIC_SQL);
  await sales.query(SALES.sql);
  const source = (name: string, url: unknown, tables: readonly unknown[]) => ({
    name,
    kind: 'postgres',
    configuration: { connection_info: { database_url: url } },
    tables,
  });
  const action = (name: string, definition: object) => ({
    name,
    definition: { handler: '{{HANDLER}}', output_type: 'Found', ...definition },
  });
  await engine.metadata('replace_metadata', {
    version: 3,
    sources: [
      source('default', { from_env: 'HASURA_GRAPHQL_DATABASE_URL' }, MUSIC_TABLES),
      source('sales', sales.url, SALES.tables),
    ],
    custom_types: {
      objects: [
        {
          name: 'Found',
          fields: [
            { name: 'artist_id', type: 'Int' },
            { name: 'next', type: '[Found!]' },
          ],
          relationships: [
            { name: 'artist', type: 'object', remote_table: 'artist', field_mapping: { artist_id: 'id' } },
          ],
        },
        {
          name: 'Sold',
          fields: [{ name: 'artist_id', type: 'Int' }],
          relationships: [
            {
              name: 'sales',
              type: 'array',
              source: 'sales',
              remote_table: 'sale',
              field_mapping: { artist_id: 'artist_id' },
            },
          ],
        },
      ],
    },
    actions: [
      action('find', { type: 'query' }),
      action('sold', { type: 'query', output_type: 'Sold' }),
      action('change', { kind: 'synchronous' }),
      action('later', { kind: 'asynchronous', output_type: 'Sold' }),
    ],
  });
}, 60_000);
afterAll(async () => {
  await engine?.close();
  await sales?.close();
  await handler?.close();
});

const answer = async (query: string, variables: unknown = {}) =>
  (await engine.graphql(query, { variables })).body;

test('rows that an answer leads to lead on to other sources, wherever they are in the answer', async () => {
  reply = {
    artist_id: 1,
    next: [{ artist_id: 2 }, { artist_id: null }, { artist_id: 99 }, { artist_id: 2 }],
  };
  const artist = '{ id name label { title artists(order_by: {id: asc}) { id } } }';
  const selection = `{ artist_id artist ${artist} next { artist { label { title } } } }`;
  const found = {
    artist_id: 1,
    artist: { id: 1, name: 'Ada', label: { title: 'Big', artists: [{ id: 1 }] } },
    next: [
      { artist: { label: { title: 'Two' } } },
      { artist: null },
      { artist: null },
      { artist: { label: { title: 'Two' } } },
    ],
  };
  expect(await answer(`{ find ${selection} }`)).toEqual({ data: { find: found } });
  expect(await answer(`mutation { change ${selection} }`)).toEqual({ data: { change: found } });
});

test('rows of another source than the default one', async () => {
  reply = { artist_id: 2 };
  expect(
    await answer(
      '{ sold { sales(where: {id: {_gt: 0}}) { artist { name } } sales_aggregate { aggregate { count } } } }',
    ),
  ).toEqual({
    data: { sold: { sales: [{ artist: { name: 'Bo' } }], sales_aggregate: { aggregate: { count: 1 } } } },
  });
});

test('a handler cannot write what is filled in', async () => {
  reply = { artist_id: 1, next: [] };
  const key = { k0: 1 };
  await engine.database.query('UPDATE artist SET name = $1 WHERE id = 4', [`0:${JSON.stringify(key)}"}`]);
  expect(
    await answer('{ find { artist { twin { name } } } artist_by_pk(id: 4) { name twin { name } } }'),
  ).toEqual({
    data: {
      find: { artist: { twin: { name: 'Ada' } } },
      artist_by_pk: { name: '0:{"k0":1}"}', twin: { name: '0:{"k0":1}"}' } },
    },
  });
});

test('an asynchronous answer leads to rows as well', async () => {
  reply = { artist_id: 2 };
  const started = z
    .object({ data: z.object({ later: z.string() }) })
    .parse(await answer('mutation { later }'));
  const query = 'query ($id: uuid!) { later(id: $id) { output { sales { artist { label { title } } } } } }';
  const output = await until(async () => {
    const body = z
      .object({ data: z.object({ later: z.object({ output: z.unknown() }) }) })
      .parse(await answer(query, { id: started.data.later }));
    return body.data.later.output ?? undefined;
  });
  expect(output).toEqual({ sales: [{ artist: { label: { title: 'Two' } } }] });
});
