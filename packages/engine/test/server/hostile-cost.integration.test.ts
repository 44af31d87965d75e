/**
 * No request takes the engine long, whatever it holds, and others are answered on. Measured is the processor time of
 * the engine's process. The largest take some two seconds, and up to half more where the processor is shared; what
 * grows faster than the request takes many times that.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_SECRET } from '../support/engine.ts';
import { until } from '../support/until.ts';
import { type ForkedEngine, forkEngine } from './forked-engine.ts';

const MOST_SECONDS = 5;

let engine: ForkedEngine;
beforeAll(async () => {
  engine = await forkEngine(`
    CREATE TABLE item (id bigint PRIMARY KEY, parent_id bigint REFERENCES item, name text, price numeric, n integer, amount money, data jsonb);
    INSERT INTO item (id, parent_id, name) VALUES (1, NULL, 'root'), (2, 1, 'leaf');
  `);
  await engine.metadata('pg_track_table', { source: 'default', table: 'item' });
  const foreignKey = { foreign_key_constraint_on: { table: 'item', column: 'parent_id' } };
  await engine.metadata('pg_create_array_relationship', {
    source: 'default',
    table: 'item',
    name: 'children',
    using: foreignKey,
  });
  await engine.metadata('pg_create_object_relationship', {
    source: 'default',
    table: 'item',
    name: 'parent',
    using: { foreign_key_constraint_on: 'parent_id' },
  });
});
afterAll(async () => {
  const busy = () =>
    engine.database.query(
      `SELECT query FROM pg_stat_activity WHERE application_name = 'hasura-embedded'
        AND datname = current_database() AND state <> 'idle'`,
    );
  await until(async () => ((await busy()).length === 0 ? true : undefined));
  await engine.close();
});

async function post(body: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const answer = await fetch(`${engine.url}/v1/graphql`, {
    method: 'POST',
    headers: { 'x-hasura-admin-secret': ADMIN_SECRET },
    body,
  });
  return answer.text();
}
const query = (text: string, variables?: unknown) => JSON.stringify({ query: text, variables });

/** Sends it, and fails where that cost too much or ended otherwise than in `data` or a client's error. */
async function afford(body: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const before = await engine.usage();
  const answer = await post(body);
  const { cpuSeconds } = await engine.usage();
  expect(cpuSeconds - before.cpuSeconds).toBeLessThan(MOST_SECONDS);
  expect(answer).not.toMatch(/internal server error/);
  expect(answer).toMatch(/^(\{"data"|\{"errors"|\[\{)/);
  expect(await post(query('{ item_by_pk(id: 1) { name } }'))).toBe('{"data":{"item_by_pk":{"name":"root"}}}');
  return answer;
}

const times = (count: number, write: (index: number) => string, between = ' ') =>
  Array.from({ length: count }, (_, index) => write(index)).join(between);
const nested = (depth: number, open: string, inner: string, close: string) =>
  `${open.repeat(depth)}${inner}${close.repeat(depth)}`;
const zeros = `1${'0'.repeat(200_000)}1`;
const WHERE = 'query ($w: item_bool_exp) { item(where: $w) { id } }';
const JSONB = 'query ($d: jsonb) { item(where: {data: {_eq: $d}}) { id } }';

const BOMBS: readonly (readonly [string, () => string])[] = [
  ['aliases of rows', () => query(`{ ${times(4900, (n) => `a${n}: item { id }`)} }`)],
  ['aliases beyond the bound', () => query(`{ ${times(20_000, (n) => `a${n}: item { id }`)} }`)],
  ['aliases of __typename', () => query(`{ ${times(10_000, (n) => `a${n}: __typename`)} }`)],
  [
    'aliases of introspection',
    () => query(`{ ${times(2000, (n) => `a${n}: __schema { types { name fields { name } } }`)} }`),
  ],
  [
    'introspection in a circle',
    () => query(`{ __schema { types { ${nested(30, 'fields { type { ', 'name', ' } }')} } } }`),
  ],
  ['one field again and again', () => query(`{ item { ${'id '.repeat(60_000)} } }`)],
  [
    'a fragment of one field again and again, in many places',
    () =>
      query(
        `{ ${times(3000, (n) => `a${n}: item { ...f }`)} } fragment f on item { ${'id '.repeat(60_000)} }`,
      ),
  ],
  [
    'a fragment of equal arguments, in many places',
    () =>
      query(
        `{ ${times(1500, (n) => `a${n}: item { ...f }`)} } fragment f on item { ${`children(where: {_or: [${'{id: {_eq: 1}} '.repeat(150)}]}) { id } `.repeat(50)} }`,
      ),
  ],
  [
    'a fragment of long arguments, in many places',
    () =>
      query(
        `{ ${times(1500, (n) => `a${n}: item { ...f }`)} } fragment f on item { children(where: {_or: [${'{id: {_eq: 1}} '.repeat(9000)}]}) { id } }`,
      ),
  ],
  [
    'fragments that double at each of 40 levels',
    () =>
      query(
        `{ item { ...f0 } } ${times(40, (n) => `fragment f${n} on item { a: children { ...f${n + 1} } b: children { ...f${n + 1} } }`)} fragment f40 on item { id }`,
      ),
  ],
  [
    'a chain of 12,000 fragments',
    () =>
      query(
        `{ item { ...f0 } } ${times(12_000, (n) => `fragment f${n} on item { ...f${n + 1} }`)} fragment f12000 on item { id }`,
      ),
  ],
  [
    'a circle of 3,000 fragments',
    () =>
      query(`{ item { ...f0 } } ${times(3000, (n) => `fragment f${n} on item { ...f${(n + 1) % 3000} }`)}`),
  ],
  ['rows 100 levels deep', () => query(`{ item { ${nested(100, 'children { ', 'id', ' }')} } }`)],
  ['rows 1,000 levels deep', () => query(`{ item { ${nested(1000, 'children { ', 'id', ' }')} } }`)],
  ['inline fragments 3,000 levels deep', () => query(`{ item { ${nested(3000, '... { ', 'id', ' }')} } }`)],
  [
    'a condition 10,000 levels deep',
    () => query(`{ item(where: ${nested(10_000, '{_and: [', '{}', ']}')}) { id } }`),
  ],
  [
    'a condition through 900 relationships',
    () => query(`{ item(where: ${nested(900, '{children: ', '{}', '}')}) { id } }`),
  ],
  [
    'an order through 900 relationships',
    () => query(`{ item(order_by: ${nested(900, '{parent: ', '{id: asc}', '}')}) { id } }`),
  ],
  [
    'a condition 10,000 levels deep in a variable',
    () => `{"query":${JSON.stringify(WHERE)},"variables":{"w":${nested(10_000, '{"_and":[', '{}', ']}')}}}`,
  ],
  [
    '300,000 conditions in a variable',
    () => query(WHERE, { w: { _or: Array.from({ length: 300_000 }, (_, n) => ({ id: { _eq: n } })) } }),
  ],
  [
    '1,000,000 values in a list',
    () => query(WHERE, { w: { id: { _in: Array.from({ length: 1_000_000 }, (_, n) => n) } } }),
  ],
  [
    'a long list in many places',
    () =>
      query(`query ($l: [bigint!]) { ${times(4900, (n) => `a${n}: item(where: {id: {_in: $l}}) { id }`)} }`, {
        l: Array.from({ length: 10_000 }, (_, n) => n),
      }),
  ],
  [
    'a long condition in many places',
    () =>
      query(`query ($w: item_bool_exp) { ${times(3000, (n) => `a${n}: item(where: $w) { id }`)} }`, {
        w: { _or: Array.from({ length: 3000 }, (_, n) => ({ id: { _eq: n } })) },
      }),
  ],
  ['a numeric of 200,000 digits', () => query(`{ item(where: {price: {_eq: ${zeros}}}) { id } }`)],
  ['an integer of 200,000 digits', () => query(`{ item(where: {n: {_eq: ${zeros}}}) { id } }`)],
  ['a limit of 200,000 digits', () => query(`{ item(limit: ${zeros}) { id } }`)],
  ['money of 200,000 digits', () => query(`{ item(where: {amount: {_eq: ${zeros}}}) { id } }`)],
  ['an offset of 10,000,000 digits', () => query(`{ item(offset: "${'9'.repeat(10_000_000)}") { id } }`)],
  [
    'a number of 200,000 digits in a variable',
    () =>
      `{"query":"query ($p: numeric) { item(where: {price: {_eq: $p}}) { id } }","variables":{"p":${zeros}}}`,
  ],
  [
    '5,000,000 numbers beside a long one',
    () => `{"query":${JSON.stringify(JSONB)},"variables":{"d":[1e400${',1'.repeat(5_000_000)}]}}`,
  ],
  [
    'a value 5,000 levels deep',
    () => `{"query":${JSON.stringify(JSONB)},"variables":{"d":${nested(5000, '[', '', ']')}}}`,
  ],
  ['a path of 300,000 steps', () => query(`{ item { data(path: "${'a.'.repeat(300_000)}a") } }`)],
  [
    'a path of quotes without an end',
    () => query(`{ item { data(path: "[\\"${'\\\\a'.repeat(300_000)}") } }`),
  ],
  ['a query that is 10 MB of commas', () => query(`${','.repeat(10_000_000)}{ item { id } }`)],
  ['a query that is 10 MB of comments', () => query(`${'#\n'.repeat(5_000_000)}{ item { id } }`)],
  ['a text of 10 MB', () => query(WHERE, { w: { name: { _eq: 'x'.repeat(10_000_000) } } })],
  ['variables that nobody asked for', () => query('{ item { id } }', { l: Array(3_000_000).fill([]) })],
  ['a body over the limit', () => query(WHERE, { w: { name: { _eq: 'x'.repeat(17_000_000) } } })],
  ['a batch of 200,000', () => `[${times(200_000, () => '{"query":"{ __typename }"}', ',')}]`],
  ['a batch of 1,000', () => `[${times(1000, (n) => `{"query":"{ a${n}: item { id } }"}`, ',')}]`],
];

describe('costs a few seconds at most', () => {
  test.each(BOMBS)('%s', async (_, body) => {
    await afford(body());
  });

  test('bytes that are no text', async () => {
    const text = '{"query":"{ item(where: {name: {_eq: \\"X\\"}}) { id } }"}';
    const bytes = Uint8Array.from(text, (character) => (character === 'X' ? 0xff : character.charCodeAt(0)));
    await afford(bytes);
    await afford(new Uint8Array(1_000_000).fill(0xff));
    await afford(`\ufeff${text}`);
    expect(await afford(query('{ item(where: {name: {_eq: "\ud800"}}) { id } }'))).toMatch(
      /^\{"(data|errors)"/,
    );
  });

  test('whatever is nested, repeated and multiplied', async () => {
    const shape = fc.letrec<{ selection: string }>((tie) => ({
      selection: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom('id ', 'name ', '__typename ', 'data(path: "a[0].b") ', '...f '),
        fc
          .tuple(fc.constantFrom(1, 2, 30), fc.constantFrom('children', 'parent'), tie('selection'))
          .map(([count, field, inner]) => times(count, (n) => `a${n}: ${field} { ${inner} }`)),
        fc
          .tuple(
            fc.constantFrom(2, 20),
            fc.constantFrom('... { ', '... on item { ', 'children { '),
            tie('selection'),
          )
          .map(([depth, open, inner]) => nested(depth, open, inner, ' }')),
        fc
          .tuple(fc.constantFrom(2, 100), tie('selection'))
          .map(([count, inner]) => (inner.length * count > 200_000 ? inner : inner.repeat(count))),
        fc
          .tuple(fc.nat(300), tie('selection'))
          .map(
            ([count, inner]) =>
              `children(where: {_or: [${'{_not: {parent: {id: {_in: [1, 2]}}}} '.repeat(count)}]}, order_by: {parent: {id: desc}}) { ${inner} } `,
          ),
      ),
    })).selection;
    await fc.assert(
      fc.asyncProperty(
        shape,
        fc.constantFrom('id', 'children { id name }', 'id id id name'),
        (selection, inner) =>
          afford(query(`{ item { id ${selection} } } fragment f on item { ${inner} }`)).then(() => {}),
      ),
      { numRuns: 60 },
    );
  });
});

test('large queries that differ each time do not stay in the memory', async () => {
  const { memoryMb } = await engine.usage();
  for (let round = 0; round < 300; round += 1)
    await post(
      query(`{ item(limit: 0) { ${times(1000, (n) => `long_alias_${round}_${n}_${'x'.repeat(30)}: id`)} } }`),
    );
  const large = { _or: Array.from({ length: 3000 }, (_, n) => ({ id: { _eq: n } })) };
  for (let round = 0; round < 100; round += 1)
    await post(query(WHERE, { w: { ...large, n: { _eq: round } } }));
  expect((await engine.usage()).memoryMb - memoryMb).toBeLessThan(400);
});
