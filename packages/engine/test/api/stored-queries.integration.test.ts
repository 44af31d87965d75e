import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;

beforeAll(async () => {
  engine = await startEngine();
  await engine.database.query('CREATE TABLE author (id serial PRIMARY KEY, name text)');
  await engine.metadata('pg_track_table', { table: 'author' });
});
afterAll(() => engine.close());

const collection = (query: string) => ({
  name: 'site',
  definition: { queries: [{ name: 'authors', query }] },
});
const refusalOf = (query: string) => engine.refusal('create_query_collection', collection(query));
const faulty = (faults: string) => ({
  code: 'unexpected',
  error: 'cannot continue due to newly found inconsistent metadata',
  path: '$.args',
  internal: [
    {
      definition: expect.objectContaining({ name: 'authors' }),
      name: 'query_collections authors in site',
      reason: `Inconsistent object: In query collection "site" the query "authors" is invalid with the following error(s): ${faults}`,
      type: 'query_collections',
    },
  ],
});

test.each([
  ['{ author { age } }', `"$.author.age: field 'age' not found in object 'author'"`],
  ['{ author }', `"$.author: object of type 'author' must have a selection set"`],
  ['{ author { id { x } } }', `"$.author.id: scalar 'Int' does not accept a selection set"`],
  [
    'query ($id: uuid!, $row: author) { author { id } }',
    `"$.row: object 'author' cannot be used in an input type", "$.id: type 'uuid' not found in the schema"`,
  ],
  [
    'query a { author { id } } query b { author { id } }',
    '"exactly one operation has to be present in the document when operationName is not specified"',
  ],
  [
    '{ author { ...rest } ... on query_root { books { id } } } fragment rest on author { age }',
    `"$.books: field 'books' not found in object 'query_root'", "$.author.age: field 'age' not found in object 'author'"`,
  ],
])('the stored query %s is refused with what is wrong with it', async (query, faults) => {
  expect(await refusalOf(query)).toEqual(faulty(faults));
});

test('a stored query must be GraphQL', async () => {
  expect(await refusalOf('{ author {')).toMatchObject({
    code: 'parse-failed',
    error: 'parsing the graphql query failed',
    path: '$.args.definition.queries[0].query',
  });
});

test('a table that a stored query reads stays tracked, and the refusal names the endpoint and the allowlist', async () => {
  const query = '{ author { id name } }';
  await engine.metadata('create_query_collection', collection(query));
  await engine.metadata('create_rest_endpoint', {
    name: 'all_authors',
    url: 'authors',
    methods: ['GET'],
    definition: { query: { collection_name: 'site', query_name: 'authors' } },
  });
  const lost = `"$.author: field 'author' not found in object 'query_root'"`;
  expect(await engine.refusal('pg_untrack_table', { table: 'author' })).toEqual(
    faulty(`${lost}. This query is being used in the following REST endpoint(s): "all_authors"`),
  );
  await engine.metadata('drop_rest_endpoint', { name: 'all_authors' });
  await engine.metadata('add_collection_to_allowlist', { collection: 'site' });
  expect(await engine.refusal('pg_untrack_table', { table: 'author' })).toEqual(
    faulty(`${lost}. This query is in allowlist.`),
  );
});
