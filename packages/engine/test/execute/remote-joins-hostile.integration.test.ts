/** Joins between sources over odd names, odd types and values that look like what the engine writes itself. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { as, startCore, type TestCore } from '../support/core.ts';

const HOSTILE = [
  `'; DROP TABLE there; --`,
  `"`,
  `\\`,
  `\\"`,
  `\\\\"},{"k0" : 1`,
  `{"k0" : "x"}`,
  `]`,
  `$1`,
  `\u2028 \u{1F600} \t\n`,
  ``,
];

/** Key columns of many types, here and there, with a value of each. */
const TYPES = [
  ['smallint', '7'],
  ['integer', '-7'],
  ['bigint', '9223372036854775807'],
  ['numeric', '123456789012345678901234567890.123456789'],
  ['real', '0.1'],
  ['double precision', '1e-300'],
  ['boolean', 'true'],
  ['text', `a"b'c\\`],
  ['varchar(5)', 'ab'],
  ['char(5)', 'ab'],
  ['citext', 'AbC'],
  ['uuid', '7b2c7a6e-0c5e-4a3c-8f39-1d2f1a0b9c11'],
  ['date', '2024-02-29'],
  ['time', '23:59:59.123456'],
  ['timestamp', '2024-02-29 23:59:59.123456'],
  ['timestamptz', '2024-02-29 23:59:59.123456+05:30'],
  ['interval', '1 mon 2 days 03:04:05.5'],
  ['bytea', '\\xdeadbeef'],
  ['jsonb', '{"a": [1, "x\\"y", null]}'],
  ['integer[]', '{1,2,NULL}'],
  ['text[]', '{"a b",c}'],
  ['inet', '10.0.0.0/8'],
  ['"odd Mood"', 'not so good'],
] as const;

const list = (columns: readonly string[]) => columns.join(', ');
const quote = (text: string) => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

const SCHEMA = `
  CREATE EXTENSION citext;
  CREATE TYPE "odd Mood" AS ENUM ('not so good', 'bad');
`;
const TYPED = `
  CREATE TABLE typed (id integer PRIMARY KEY, ${list(TYPES.map(([type], n) => `c${n} ${type}`))});
  INSERT INTO typed VALUES (1, ${list(TYPES.map(([, value]) => quote(value)))}), (2, ${list(TYPES.map(() => 'NULL'))});
`;

let core: TestCore;
beforeAll(async () => {
  const toSource = (name: string, table: unknown, field_mapping: Record<string, string>, kind = 'array') => ({
    name,
    definition: { to_source: { relationship_type: kind, source: 'x"; --', table, field_mapping } },
  });
  core = await startCore(
    `${SCHEMA} ${TYPED}
     CREATE TABLE here (id serial PRIMARY KEY, "k""ey' \\" text);
     INSERT INTO here ("k""ey' \\") VALUES ${HOSTILE.map((text) => `(${quote(text)})`).join(', ')};
     CREATE TABLE mixed (n integer PRIMARY KEY, text text);
     INSERT INTO mixed VALUES (1, '1'), (2, 'x');`,
    {
      tables: [
        {
          table: 'here',
          configuration: { custom_column_names: { 'k"ey\' \\': 'value' } },
          remote_relationships: [
            toSource('there', { schema: 'sch"ema', name: "ta'ble" }, { 'k"ey\' \\': 'co"l\';' }),
          ],
        },
        {
          table: 'typed',
          remote_relationships: TYPES.map((_, n) => toSource(`r${n}`, 'typed', { [`c${n}`]: `c${n}` })),
        },
        {
          table: 'mixed',
          remote_relationships: [
            toSource('by_number', 'mixed', { n: 'text' }),
            toSource('by_text', 'mixed', { text: 'n' }, 'object'),
          ],
        },
      ],
    },
    {
      env: { HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES: 'true' },
      others: [
        {
          name: 'x"; --',
          sql: `${SCHEMA} ${TYPED}
            CREATE SCHEMA "sch""ema";
            CREATE TABLE "sch""ema"."ta'ble" ("co""l';" text PRIMARY KEY);
            INSERT INTO "sch""ema"."ta'ble" VALUES ${HOSTILE.map((text) => `(${quote(text)})`).join(', ')};
            CREATE TABLE mixed (n integer PRIMARY KEY, text text);
            INSERT INTO mixed VALUES (1, '1'), (2, 'x');`,
          tables: [
            {
              table: { schema: 'sch"ema', name: "ta'ble" },
              configuration: { custom_name: 'far', custom_column_names: { 'co"l\';': 'value' } },
              select_permissions: [
                {
                  role: 'user',
                  permission: { columns: '*', filter: { 'co"l\';': { _eq: 'X-Hasura-Value' } } },
                },
              ],
            },
            { table: 'typed', configuration: { custom_name: 'typed_there' } },
            { table: 'mixed', configuration: { custom_name: 'mixed_there' } },
          ],
        },
      ],
    },
  );
});
afterAll(() => core.close());

test('all of it is consistent', () => {
  expect(core.inconsistencies).toEqual([]);
});

describe('no value and no name reaches the text of a statement', () => {
  test('keys', async () => {
    core.statements();
    expect(await core.query('{ here(order_by: {id: asc}) { value there { value } } }')).toEqual({
      here: HOSTILE.map((value) => ({ value, there: [{ value }] })),
    });
    for (const { text } of core.statements()) {
      expect(text).not.toContain('DROP');
      expect(text).not.toContain('\u{1F600}');
    }
  });

  test('arguments of the relationship', async () => {
    for (const value of HOSTILE) {
      const query =
        'query ($value: String!) { here(where: {value: {_eq: $value}}) { there(where: {value: {_eq: $value}}) { value } } }';
      expect(await core.query(query, undefined, { value })).toEqual({ here: [{ there: [{ value }] }] });
      const literal = JSON.stringify(value);
      expect(
        await core.query(
          `{ here(where: {value: {_eq: ${literal}}}) { there(where: {value: {_in: [${literal}]}}) { value } } }`,
        ),
      ).toEqual({ here: [{ there: [{ value }] }] });
    }
  });
});

describe('keys of every type find themselves', () => {
  test.each(TYPES.map(([type], n) => [type, n] as const))('%s', async (_, n) => {
    expect(await core.query(`{ typed(order_by: {id: asc}) { id r${n} { id } } }`)).toEqual({
      typed: [
        { id: 1, [`r${n}`]: [{ id: 1 }] },
        { id: 2, [`r${n}`]: null },
      ],
    });
  });

  test('all at once', async () => {
    const selection = TYPES.map((_, n) => `r${n} { id }`).join(' ');
    const found = await core.query(`{ typed(where: {id: {_eq: 1}}) { ${selection} } }`);
    expect(found).toEqual({
      typed: [Object.fromEntries(TYPES.map((_, n) => [`r${n}`, [{ id: 1 }]]))],
    });
  });
});

describe('types that differ', () => {
  test('are those of the columns there', async () => {
    expect(await core.query('{ mixed(where: {n: {_eq: 1}}) { by_number { n } by_text { n } } }')).toEqual({
      mixed: [{ by_number: [{ n: 1 }], by_text: { n: 1 } }],
    });
  });

  test('and a value that is none of them is PostgreSQL’s error', async () => {
    expect(await core.failure('{ mixed { by_text { n } } }')).toBe(
      'data-exception $ invalid input syntax for type integer: "x"',
    );
  });
});

test('a role that may not read the table here cannot reach the one there', async () => {
  const user = as('user', { 'x-hasura-value': '"' });
  expect(await core.failure('{ here { there { value } } }', user)).toMatch(
    /field 'here' not found in type: 'query_root'/,
  );
});
