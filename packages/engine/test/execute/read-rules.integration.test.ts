import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCore, type TestCore } from '../support/core.ts';
import { SAMPLE_SOURCE, SAMPLE_SQL } from '../support/sample.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore(
    `${SAMPLE_SQL}
     CREATE TABLE measure (id integer PRIMARY KEY, small real, large float8);
     CREATE FUNCTION measures(session json, lowest integer DEFAULT 0) RETURNS SETOF measure STABLE LANGUAGE sql
       AS $$ SELECT * FROM measure WHERE id >= lowest AND session->>'x-hasura-role' = 'admin' $$;
     INSERT INTO measure VALUES (1, 'Infinity', '-Infinity'), (2, 0, 0), (3, 1.5, 2.5);`,
    {
      ...SAMPLE_SOURCE,
      tables: [...SAMPLE_SOURCE.tables, { table: 'measure' }],
      functions: [{ function: 'measures', configuration: { session_argument: 'session' } }],
    },
  );
});
afterAll(() => core.close());

describe('conditions on aggregates of related rows', () => {
  const names = async (condition: string) =>
    core.query(`{ author(where: {articles_aggregate: ${condition}}, order_by: {id: asc}) { name } }`);

  test('without a comparison hold for every row', async () => {
    expect(await names('{count: {predicate: {}}}')).toEqual({
      author: [{ name: 'Ada' }, { name: 'Bob' }, { name: 'Cy' }],
    });
  });

  test('count rows, not distinct values: Hasura reads `distinct` and does nothing with it', async () => {
    expect(await names('{count: {arguments: author_id, distinct: true, predicate: {_eq: 2}}}')).toEqual({
      author: [{ name: 'Ada' }],
    });
  });

  test('take one column at most: Hasura asks PostgreSQL for a function of several', async () => {
    const failure = core.failure(
      '{ author(where: {articles_aggregate: {count: {arguments: [id, title], predicate: {_eq: 2}}}}) { id } }',
    );
    expect(await failure).toContain('database query error');
  });
});

describe('a function that takes the session and arguments that may be left out', () => {
  test('is told the session where a client gives arguments, even none of them', async () => {
    expect(await core.query('{ measures(args: {}) { id } }')).toEqual({
      measures: [{ id: 1 }, { id: 2 }, { id: 3 }],
    });
    expect(await core.query('{ measures(args: {lowest: 3}) { id } }')).toEqual({ measures: [{ id: 3 }] });
  });

  test('is called without anything where a client leaves the arguments out, as Hasura does', async () => {
    expect(await core.failure('{ measures { id } }')).toBe('unexpected $ database query error');
  });
});

describe('floating point numbers', () => {
  const ids = async (condition: string) => core.query(`{ measure(where: ${condition}) { id } }`);

  test.each([
    ['too large for real are infinite', '{small: {_eq: 1e39}}', [{ id: 1 }]],
    ['too large for double precision are infinite', '{large: {_eq: -1e310}}', [{ id: 1 }]],
    ['too small are zero', '{small: {_eq: 1e-60}}', [{ id: 2 }]],
    ['in bounds are themselves', '{small: {_eq: 1.5}, large: {_eq: 25e-1}}', [{ id: 3 }]],
  ])('%s', async (_name, condition, expected) => {
    expect(await ids(condition)).toEqual({ measure: expected });
  });

  test.each([
    ['large', '1e400', '1.0e400'],
    ['small', '-12e5000', '-1.2e5001'],
    ['large', '1e-400', '1.0e-400'],
  ])('beyond what Hasura reads are refused: %s = %s', async (column, number, shown) => {
    expect(await core.failure(`{ measure(where: {${column}: {_eq: ${number}}}) { id } }`)).toBe(
      `parse-failed $.selectionSet.measure.args.where.${column}._eq The value ${shown} lies outside the bounds. Is it overflowing the float bounds?`,
    );
  });
});

describe('what Hasura keeps in hash maps', () => {
  test('several keys of one order_by object sort in the order of the map', async () => {
    const expected = await core.query('{ author(order_by: [{rating: asc}, {name: desc}]) { id } }');
    expect(await core.query('{ author(order_by: {rating: asc, name: desc}) { id } }')).toEqual(expected);
    expect(await core.query('{ author(order_by: {name: desc, rating: asc}) { id } }')).toEqual(expected);
  });

  test('the count comes first among aggregates to sort by', async () => {
    const expected = await core.query(
      '{ author(order_by: [{articles_aggregate: {count: asc}}, {articles_aggregate: {max: {score: desc}}}, {id: asc}]) { id } }',
    );
    expect(
      await core.query(
        '{ author(order_by: [{articles_aggregate: {max: {score: desc}, count: asc}}, {id: asc}]) { id } }',
      ),
    ).toEqual(expected);
  });

  test('columns to choose from are listed in the order of the map', async () => {
    expect(await core.failure('{ author(distinct_on: nope) { id } }')).toBe(
      "validation-failed $.selectionSet.author.args.distinct_on[0] expected one of the values ['id', 'rating', 'tags', 'name', 'profile'] for type 'author_select_column', but found 'nope'",
    );
  });

  test('variables that nothing uses are listed in the order of the map', async () => {
    const more = { author: 1, editor: 2, guest: 3 };
    expect(await core.failure('{ author { id } }', undefined, more)).toBe(
      'validation-failed $ unexpected variables in variableValues: editor, guest, author',
    );
  });

  test('of several unknown names the first of the map is refused', async () => {
    expect(await core.failure('{ author(guest: 1, author: 2, editor: 3) { id } }')).toBe(
      "validation-failed $.selectionSet.author 'author' has no argument named 'editor'",
    );
    expect(await core.failure('{ author(where: {guest: 1, author: 2}) { id } }')).toBe(
      "validation-failed $.selectionSet.author.args.where.guest field 'guest' not found in type: 'author_bool_exp'",
    );
  });
});

describe('an object relationship that several rows fit', () => {
  let shelves: TestCore;
  beforeAll(async () => {
    shelves = await startCore(
      `CREATE TABLE shelf (id int PRIMARY KEY, label text);
       CREATE TABLE book (id int PRIMARY KEY, shelf_id int REFERENCES shelf, label text);
       INSERT INTO shelf VALUES (1, 'a'), (2, 'b'); INSERT INTO book VALUES (1, 1, 'a'), (2, 1, 'a');`,
      {
        tables: [
          {
            table: 'shelf',
            object_relationships: [
              {
                name: 'by_key',
                using: { foreign_key_constraint_on: { table: 'book', column: 'shelf_id' } },
              },
              {
                name: 'by_label',
                using: { manual_configuration: { remote_table: 'book', column_mapping: { label: 'label' } } },
              },
            ],
          },
          { table: 'book' },
        ],
      },
    );
  });
  afterAll(() => shelves.close());

  test('leads to one of them', async () => {
    const query = '{shelf(order_by: {id: asc}){by_key{label} by_label{label}}}';
    expect(await shelves.query(query)).toEqual({
      shelf: [
        { by_key: { label: 'a' }, by_label: { label: 'a' } },
        { by_key: null, by_label: null },
      ],
    });
  });
});
