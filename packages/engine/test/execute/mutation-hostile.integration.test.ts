import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startCore, type TestCore } from '../support/core.ts';
import { WRITE_ROWS, WRITE_SOURCE, WRITE_SQL } from '../support/write-sample.ts';

/** In every hostile value, and nowhere else: a statement that holds it holds the value. */
const MARK = 'x9z';
const VALUES = [
  `'; DROP TABLE member; -- ${MARK}`,
  `" OR ""="${MARK}`,
  `$1 ${MARK} $2`,
  `\\' OR 1=1 -- ${MARK}`,
  `{"${MARK}",NULL}`,
  `NULL ${MARK}`,
  `line\n${MARK}`,
];

/** Names that break out of any quoting but the right one. */
const TABLE = 'we"ird\'; DROP TABLE member; --';
const COLUMN = 'c"ol\'$1 --';
const WEIRD_SQL = `CREATE TABLE "we""ird'; DROP TABLE member; --" ("c""ol'$1 --" text, n integer PRIMARY KEY);`;

let core: TestCore;
beforeAll(async () => {
  core = await startCore(WRITE_SQL + WEIRD_SQL, {
    ...WRITE_SOURCE,
    tables: [
      ...WRITE_SOURCE.tables,
      {
        table: TABLE,
        configuration: { custom_name: 'weird', column_config: { [COLUMN]: { custom_name: 'col' } } },
      },
    ],
  });
});
afterAll(() => core.close());
beforeEach(() => core.sql(WRITE_ROWS));

const POSITIONS: readonly (readonly [name: string, type: string, field: string, column: string])[] = [
  ['a row', 'String!', 'insert_member(objects: {id: 9, email: $v}) { affected_rows }', 'email'],
  [
    'several rows',
    'String!',
    'insert_member(objects: [{id: 8, email: "o"}, {id: 9, email: $v}]) { affected_rows }',
    'email',
  ],
  [
    'rows with differing columns',
    'String!',
    'insert_member(objects: [{id: 8}, {id: 9, email: $v}]) { affected_rows }',
    'email',
  ],
  ['an array', 'String!', 'insert_member(objects: {id: 9, tags: [$v]}) { affected_rows }', 'tags[1]'],
  [
    'an upsert',
    'String!',
    'insert_member(objects: {id: 3, email: $v}, on_conflict: {constraint: member_pkey, update_columns: [email], where: {email: {_neq: $v}}}) { affected_rows }',
    'email',
  ],
  [
    'an update',
    'String!',
    'update_member(where: {id: {_eq: 3}, email: {_neq: $v}}, _set: {email: $v}) { affected_rows }',
    'email',
  ],
];

describe('a hostile value stays a value in', () => {
  test.each(POSITIONS)('%s', async (_name, type, field, column) => {
    for (const value of VALUES) {
      await core.sql(WRITE_ROWS);
      core.statements();
      await core.query(`mutation ($v: ${type}) { ${field} }`, undefined, { v: value });
      const statements = core.statements();
      expect(statements.length).toBeGreaterThan(0);
      for (const { text } of statements) expect(text).not.toContain(MARK);
      expect(
        await core.sql(`SELECT ${column} AS stored FROM member WHERE id IN (3, 9) ORDER BY id DESC LIMIT 1`),
      ).toEqual([{ stored: value }]);
    }
  });

  test('JSON and the paths into it', async () => {
    for (const value of VALUES) {
      await core.sql(WRITE_ROWS);
      core.statements();
      const settings = { [value]: { [value]: 1, kept: [value] } };
      expect(
        await core.query(
          `mutation ($settings: jsonb!, $path: [String!]!, $key: String!) {
            update_team(where: {id: {_eq: 1}}, _set: {settings: $settings}) { affected_rows }
            path: update_team(where: {id: {_eq: 1}}, _delete_at_path: {settings: $path}) { returning { settings } }
            key: update_team(where: {id: {_eq: 1}}, _delete_key: {settings: $key}) { returning { settings } }
          }`,
          undefined,
          { settings, path: [value, value], key: value },
        ),
      ).toMatchObject({
        path: { returning: [{ settings: { [value]: { kept: [value] } } }] },
        key: { returning: [{ settings: {} }] },
      });
      for (const { text } of core.statements()) expect(text).not.toContain(MARK);
    }
  });
});

test('hostile names of tables and columns stay names', async () => {
  expect(
    await core.query(`mutation {
      insert_weird(objects: [{col: "a", n: 1}, {col: "b", n: 2}]) { returning { col } }
      update_weird(where: {col: {_eq: "a"}}, _set: {col: "c"}) { affected_rows }
      delete_weird_by_pk(n: 2) { col }
    }`),
  ).toEqual({
    insert_weird: { returning: [{ col: 'a' }, { col: 'b' }] },
    update_weird: { affected_rows: 1 },
    delete_weird_by_pk: { col: 'b' },
  });
  expect(await core.sql('SELECT count(*)::int AS n FROM member')).toEqual([{ n: 3 }]);
});
