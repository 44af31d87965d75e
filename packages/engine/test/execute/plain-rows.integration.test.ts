import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ADMIN_SESSION } from '#base/session.ts';
import { as, startCore, type TestCore } from '../support/core.ts';

const SQL = `
CREATE TABLE kind (value text PRIMARY KEY, comment text);
INSERT INTO kind VALUES ('big', 'Big'), ('small', null);
CREATE TABLE crate (id serial PRIMARY KEY, owner text);
CREATE TABLE thing (
  id serial PRIMARY KEY, crate_id integer REFERENCES crate, kind text REFERENCES kind, name text DEFAULT 'unnamed',
  code varchar(5), amount numeric, count bigint, flag boolean, extra jsonb, plain json, tags text[], at timestamptz,
  owner text
);
`;
const SOURCE = {
  tables: [
    { table: 'kind', is_enum: true },
    { table: 'crate' },
    {
      table: 'thing',
      object_relationships: [{ name: 'crate', using: { foreign_key_constraint_on: 'crate_id' } }],
      configuration: { column_config: { code: { custom_name: 'codeName' } } },
      insert_permissions: [
        {
          role: 'user',
          permission: {
            columns: ['name', 'count'],
            check: { count: { _lt: 10 } },
            set: { owner: 'X-Hasura-User-Id', code: 'fixed' },
          },
        },
      ],
    },
  ],
};

let core: TestCore;
beforeAll(async () => {
  core = await startCore(SQL, SOURCE);
});
afterAll(() => core.close());
beforeEach(() => core.sql('TRUNCATE thing, crate RESTART IDENTITY'));

const USER = as('user', { 'x-hasura-user-id': 'u1' });
type Rows = readonly unknown[];

/** What became of an insert, and of the table. */
async function outcome(mutation: string, variables: Record<string, unknown>, session = ADMIN_SESSION) {
  const answer = await core.failure(mutation, session, variables);
  return { answer, rows: await core.sql('SELECT * FROM thing ORDER BY id') };
}

/** All rows as one variable: the way of plain rows. */
const together = (rows: Rows, session = ADMIN_SESSION) =>
  outcome(
    'mutation ($rows: [thing_insert_input!]!) { insert_thing(objects: $rows) { affected_rows } }',
    { rows },
    session,
  );

/** A variable for each row: the way of any input. */
function eachAlone(rows: Rows, session = ADMIN_SESSION) {
  const names = rows.map((_, index) => `row${index}`);
  const definitions = names.map((name) => `$${name}: thing_insert_input!`).join(', ');
  const mutation = `mutation (${definitions}) { insert_thing(objects: [${names.map((name) => `$${name}`).join(', ')}]) { affected_rows } }`;
  return outcome(mutation, Object.fromEntries(rows.map((row, index) => [`row${index}`, row])), session);
}

describe('rows of a variable are written as each row alone would be', () => {
  test.each<[string, Rows]>([
    ['of one column', [{ name: 'a' }, { name: 'b' }]],
    [
      'with keys in another order',
      [
        { name: 'a', count: 1 },
        { count: 2, name: 'b' },
      ],
    ],
    [
      'with nulls, which are no defaults',
      [
        { name: null, count: 1 },
        { name: 'b', count: null },
      ],
    ],
    ['with columns that only one has', [{ name: 'a' }, { name: 'b', count: 2 }, { count: 3 }]],
    ['with as many, but other columns', [{ name: 'a' }, { count: 2 }]],
    ['without any column', [{}, {}]],
    [
      'with JSON',
      [
        { extra: { a: [1, 'x"\\'] }, plain: [1] },
        { extra: 'text', plain: false },
      ],
    ],
    ['with JSON null', [{ extra: null }, { extra: [null] }]],
    ['with arrays', [{ tags: ['a', 'b"\\,{}'] }, { tags: [] }, { tags: '{c,NULL}' }]],
    ['with values of an enum table', [{ kind: 'big' }, { kind: 'small' }, { kind: null }]],
    [
      'with numbers',
      [
        { amount: 1.5, count: '12' },
        { amount: '1e-3', count: -0 },
      ],
    ],
    [
      'with booleans and times',
      [
        { flag: true, at: '2026-01-01T00:00:00Z' },
        { flag: 'no', at: 'epoch' },
      ],
    ],
    ['with names of GraphQL', [{ codeName: 'x' }, { codeName: '' }]],
    [
      'with whatever text holds',
      [{ name: `{}"'\\,\n\t` }, { name: 'NULL' }, { name: 'é 🦉 \ud800' }, { name: '' }],
    ],
    ['with a relationship in one', [{ name: 'a', crate: { data: { owner: 'x' } } }, { name: 'b' }]],
    ['one row', [{ name: 'a' }]],
  ])('%s', async (_, rows) => {
    const expected = await eachAlone(rows);
    await core.sql('TRUNCATE thing, crate RESTART IDENTITY');
    expect(await together(rows)).toEqual(expected);
    expect(expected.answer).toMatch(/^no error/);
    expect(expected.rows).toHaveLength(rows.length);
  });

  test('with the presets of a role', async () => {
    const rows = [
      { name: 'a', count: 1 },
      { name: 'b', count: 2 },
    ];
    expect(await together(rows, USER)).toMatchObject({
      rows: [
        { name: 'a', owner: 'u1', code: 'fixed' },
        { name: 'b', owner: 'u1', code: 'fixed' },
      ],
    });
  });
});

describe('rows of a variable fail as each row alone would', () => {
  test.each<[string, Rows, typeof USER | undefined]>([
    ['a value that its type does not take', [{ count: 1 }, { count: 'x' }], undefined],
    ['a value that its column does not take', [{ codeName: 'x' }, { codeName: 'too long' }], undefined],
    ['a number out of bounds', [{ count: 1 }, { count: 2 ** 70 }], undefined],
    ['a boolean for a text', [{ name: 'a' }, { name: true }], undefined],
    ['an unknown value of an enum table', [{ kind: 'big' }, { kind: 'huge' }], undefined],
    ['an array that holds an object', [{ tags: ['a'] }, { tags: [{}] }], undefined],
    [
      'a column that is not there',
      [
        { name: 'a', nothing: 1 },
        { name: 'b', nothing: 2 },
      ],
      undefined,
    ],
    ['a key that is no name', [{ 'a-b': 1 }, { 'a-b': 2 }], undefined],
    ['__proto__ as a key', JSON.parse('[{"__proto__": 1}, {"__proto__": 2}]'), undefined],
    ['a row that is none', [{ name: 'a' }, 'b'], undefined],
    ['a row that is a list', [{ name: 'a' }, []], undefined],
    ['a null byte', [{ name: 'a' }, { name: 'b\0' }], undefined],
    ['a column that the role may not write', [{ owner: 'a' }, { owner: 'b' }], USER],
    ['a column that is preset for the role', [{ codeName: 'a' }, { codeName: 'b' }], USER],
    ['a row that the check forbids', [{ count: 1 }, { count: 11 }], USER],
    ['a session variable that is missing', [{ count: 1 }, { count: 2 }], as('user')],
  ])('%s', async (_, rows, session) => {
    const expected = await eachAlone(rows, session);
    expect(expected.answer).not.toMatch(/^no error/);
    expect(expected.rows).toEqual([]);
    expect(await together(rows, session)).toEqual(expected);
  });
});

test('the statement for rows of a variable is the same for any number of rows', async () => {
  const texts = new Set<string>();
  for (const count of [2, 3, 50]) {
    core.statements();
    await together(Array.from({ length: count }, (_, index) => ({ name: `n${index}`, count: index })));
    for (const { text } of core.statements()) texts.add(text);
  }
  expect(texts.size).toBe(1);
});
