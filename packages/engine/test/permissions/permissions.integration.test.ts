import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { assertNoRoleCycles } from '#permissions/role-cycles.ts';
import { as, startCore, type TestCore } from '../support/core.ts';
import { SAMPLE_SOURCE, SAMPLE_SQL } from '../support/sample.ts';

/** Filters on `author` that must not be guessed at. */
const UNSUPPORTED: readonly (readonly [filter: unknown, reason: string])[] = [
  [{ name: { _sounds_like: 'x' } }, 'Unknown operator: _sounds_like'],
  [{ name: { eq: 'x' } }, 'Unknown operator: eq'],
  [{ nobody: { _eq: 1 } }, '"nobody" does not exist'],
  [{ _nand: [] }, '"_nand" does not exist'],
  [{ _and: { name: { _eq: 'x' } } }, 'expected a list under "_and"'],
  [{ _or: ['name'] }, 'expected a boolean expression'],
  [{ articles: [] }, 'expected a boolean expression'],
  [{ _exists: { _where: {} } }, '"_exists" needs a "_table"'],
  [{ _exists: { _table: 'article', _where: {}, _limit: 1 } }, '"_exists" has no key "_limit"'],
  [{ _exists: { _table: 'nowhere', _where: {} } }, 'table "nowhere" does not exist'],
  [{ id: { _like: '%' } }, 'this operator works only on columns of type'],
  [{ name: { _contains: {} } }, 'this operator works only on columns of type'],
  [{ id: { _eq: true } }, 'Integer expected'],
  [{ id: { _eq: 1.5 } }, 'lies outside the bounds or is not an integer'],
  [{ id: { _in: 1 } }, 'expected a list'],
  [{ id: { _is_null: 'yes' } }, 'takes true or false'],
  [{ id: { _ceq: 'name' } }, 'incompatible column types'],
  [{ id: { _ceq: ['articles', 'id'] } }, 'Relationship references are not supported'],
  [{ profile: { _cast: { Integer: { _eq: 1 } } } }, 'cannot cast column'],
  [{ shout: { _eq: 'x' } }, 'input arguments can not be part'],
];

/** What the tests below only read. */
let sample: TestDatabase;
beforeAll(async () => {
  sample = await createDatabase();
  await sample.query(SAMPLE_SQL);
});
afterAll(() => sample.close());

describe('a row filter that is not understood', () => {
  test.each(UNSUPPORTED)('%j grants nothing', async (filter, reason) => {
    const [author, article] = SAMPLE_SOURCE.tables;
    const core = await startCore(sample, {
      tables: [
        { ...author, select_permissions: [{ role: 'user', permission: { columns: '*', filter } }] },
        { ...article, select_permissions: [] },
      ],
    });
    try {
      expect(core.inconsistencies).toEqual([
        expect.objectContaining({
          name: 'select_permission user in table author in source default',
          reason: expect.stringContaining(reason),
        }),
      ]);
      expect(await core.failure('{ author { id } }', as('user'))).toBe(
        "validation-failed $.selectionSet.author field 'author' not found in type: 'query_root'",
      );
    } finally {
      await core.close();
    }
  });
});

/** What each filter on `author` lets a role see, as names. */
const FILTERS: readonly (readonly [filter: unknown, session: Record<string, string>, names: string[]])[] = [
  [{}, {}, ['Ada', 'Bob', 'Cy']],
  [{ id: { _eq: 'X-Hasura-User-Id' } }, { 'x-hasura-user-id': '2' }, ['Bob']],
  [{ id: { _eq: 'x-HASURA-user-ID' } }, { 'X-Hasura-User-Id': '2' }, ['Bob']],
  [{ id: 'X-Hasura-User-Id' }, { 'x-hasura-user-id': '3' }, ['Cy']],
  [{ id: { _in: 'X-Hasura-Ids' } }, { 'x-hasura-ids': '{1,3}' }, ['Ada', 'Cy']],
  [{ id: { _in: [1, 2] } }, {}, ['Ada', 'Bob']],
  [{ rating: { _eq: null } }, {}, ['Bob']],
  [{ rating: { _ne: null } }, {}, ['Ada', 'Cy']],
  [{ rating: { _is_null: true } }, {}, ['Bob']],
  [{ _not: { name: { _in: ['Ada'] } } }, {}, ['Bob', 'Cy']],
  [{ $or: [{ name: { $eq: 'Ada' } }, { name: { $like: 'C%' } }] }, {}, ['Ada', 'Cy']],
  [{ _or: [] }, {}, []],
  [{ _and: [] }, {}, ['Ada', 'Bob', 'Cy']],
  [{ articles: { published: { _eq: false } } }, {}, ['Ada']],
  [{ articles: { author: { articles: { title: { _eq: 'Bees' } } } } }, {}, ['Bob']],
  [{ articles: { author_id: { _ceq: ['$', 'id'] }, title: { _eq: 'Notes' } } }, {}, ['Ada']],
  [{ _exists: { _table: 'article', _where: { author_id: { _ceq: ['$', 'id'] } } } }, {}, ['Ada', 'Bob']],
  [{ _exists: { _table: 'article', _where: { title: { _eq: 'None' } } } }, {}, []],
  [{ profile: { _has_key: 'city' } }, {}, ['Ada']],
  [{ profile: { _contains: { city: 'London' } } }, {}, ['Ada']],
  [{ profile: { _cast: { text: { _like: '%London%' } } } }, {}, ['Ada']],
  [{ tags: { _contains: ['math'] } }, {}, ['Ada']],
  [{ letters: { _gt: 2 } }, {}, ['Ada', 'Bob']],
  [{ recent: { title: { _eq: 'Notes' } } }, {}, ['Ada']],
  [{ id: { _lt: 2 } }, {}, ['Ada']],
  [{ id: { _lte: 2 } }, {}, ['Ada', 'Bob']],
  [{ id: { _gt: 2 } }, {}, ['Cy']],
  [{ id: { _gte: 2 } }, {}, ['Bob', 'Cy']],
  [{ name: { _nin: ['Ada'] } }, {}, ['Bob', 'Cy']],
  [{ name: { _nlike: 'A%' } }, {}, ['Bob', 'Cy']],
  [{ name: { _ilike: 'a%' } }, {}, ['Ada']],
  [{ name: { _nilike: 'a%' } }, {}, ['Bob', 'Cy']],
  [{ name: { _similar: '(A|B)%' } }, {}, ['Ada', 'Bob']],
  [{ name: { _nsimilar: '(A|B)%' } }, {}, ['Cy']],
  [{ name: { _regex: '^[AB]' } }, {}, ['Ada', 'Bob']],
  [{ name: { _iregex: '^[ab]' } }, {}, ['Ada', 'Bob']],
  [{ name: { _nregex: '^[AB]' } }, {}, ['Cy']],
  [{ name: { _niregex: '^[ab]' } }, {}, ['Cy']],
  [{ profile: { _has_keys_all: ['city', 'langs'] } }, {}, ['Ada']],
  [{ profile: { _has_keys_all: ['city', 'none'] } }, {}, []],
  [{ profile: { _has_keys_any: ['city', 'none'] } }, {}, ['Ada']],
  [{ profile: { _contained_in: { city: 'London', langs: ['en', 'fr'], more: 1 } } }, {}, ['Ada', 'Bob']],
  [{ id: { _ceq: 'id' } }, {}, ['Ada', 'Bob', 'Cy']],
  [{ id: { _cne: 'id' } }, {}, []],
  [{ id: { _clt: 'id' } }, {}, []],
  [{ id: { _clte: 'id' } }, {}, ['Ada', 'Bob', 'Cy']],
  [{ id: { _cgt: 'id' } }, {}, []],
  [{ id: { _cgte: 'id' } }, {}, ['Ada', 'Bob', 'Cy']],
];

describe('a row filter', () => {
  test.each(FILTERS)('%j with %j shows %j', async (filter, session, names) => {
    const [author, article] = SAMPLE_SOURCE.tables;
    const core = await startCore(sample, {
      tables: [
        { ...author, select_permissions: [{ role: 'user', permission: { columns: ['name'], filter } }] },
        { ...article, select_permissions: [] },
      ],
    });
    try {
      expect(core.inconsistencies).toEqual([]);
      expect(await core.query('{ author(order_by: {name: asc}) { name } }', as('user', session))).toEqual({
        author: names.map((name) => ({ name })),
      });
    } finally {
      await core.close();
    }
  });
});

describe('a role', () => {
  let core: TestCore;
  const ONE = as('user', { 'x-hasura-user-id': '1' });
  beforeAll(async () => {
    core = await startCore(SAMPLE_SQL, SAMPLE_SOURCE, {
      metadata: { inherited_roles: [{ role_name: 'both', role_set: ['user', 'reader'] }] },
    });
  });
  afterAll(() => core.close());

  test('does not see the columns it was not given, nor their conditions and orders', async () => {
    expect(await core.failure('{ author { rating } }', ONE)).toContain(
      "field 'rating' not found in type: 'author'",
    );
    expect(await core.failure('{ author(where: {rating: {_gt: 1}}) { id } }', ONE)).toContain(
      "'author_bool_exp'",
    );
    expect(await core.failure('{ author(order_by: {rating: asc}) { id } }', ONE)).toContain(
      "'author_order_by'",
    );
    expect(await core.failure('{ author_aggregate { aggregate { max { rating } } } }', ONE)).toContain(
      "'rating'",
    );
  });

  test('sees related rows only as far as it may read their table', async () => {
    expect(await core.query('{ article(order_by: {id: asc}) { title author { name } } }', ONE)).toEqual({
      article: [
        { title: 'Engines', author: { name: 'Ada' } },
        { title: 'Notes', author: { name: 'Ada' } },
      ],
    });
  });

  test('cannot tell hidden rows by conditions on relationships', async () => {
    const query = '{ article(where: {author: {name: {_like: "%"}}}) { title } }';
    expect(await core.query(query, ONE)).toEqual({ article: [{ title: 'Engines' }, { title: 'Notes' }] });
  });

  test('needs the session variables its filter names', async () => {
    expect(await core.failure('{ author { id } }', as('user'))).toBe(
      'not-found $ missing session variable: "x-hasura-user-id"',
    );
  });

  test('without permissions has nothing to query', async () => {
    expect(await core.query('{ no_queries_available }', as('nobody'))).toEqual({
      no_queries_available: expect.stringContaining('There are no queries available to the current role'),
    });
    expect(await core.failure('mutation { delete_author(where: {}) { affected_rows } }', as('nobody'))).toBe(
      'validation-failed $ no mutations exist',
    );
  });

  test('made of others sees their rows together, and each row as far as one of them sees it', async () => {
    const both = as('both', { 'x-hasura-user-id': '3' });
    expect(await core.query('{ author(order_by: {name: asc}) { id name } }', both)).toEqual({
      author: [
        { id: null, name: 'Ada' },
        { id: null, name: 'Bob' },
        { id: 3, name: 'Cy' },
      ],
    });
  });
});

const AUTHORS = z.object({ author: z.array(z.object({ name: z.string() })) });

test('what a role may not read of related rows, no condition and no order tells it', async () => {
  const [author, article] = SAMPLE_SOURCE.tables;
  const guest = (columns: string[], filter: object) => ({
    select_permissions: [{ role: 'guest', permission: { columns, filter, allow_aggregations: true } }],
  });
  const core = await startCore(sample, {
    tables: [
      { ...author, ...guest(['id', 'name'], {}) },
      { ...article, ...guest(['id', 'title'], { published: { _eq: true } }) },
    ],
  });
  const names = async (options: string, session?: ReturnType<typeof as>) => {
    const answer = await core.query(`{ author(${options}) { name } }`, session);
    return AUTHORS.parse(answer).author.map(({ name }) => name);
  };
  try {
    // Of Ada's two articles one is not published.
    for (const [options, everything, published] of [
      ['where: {articles: {title: {_eq: "Notes"}}}', ['Ada'], []],
      ['where: {articles_aggregate: {count: {predicate: {_eq: 2}}}}', ['Ada'], []],
      [
        'where: {articles_aggregate: {count: {predicate: {_eq: 1}}}}, order_by: {name: asc}',
        ['Bob'],
        ['Ada', 'Bob'],
      ],
      [
        'where: {articles_aggregate: {count: {filter: {title: {_eq: "Notes"}}, predicate: {_gt: 0}}}}',
        ['Ada'],
        [],
      ],
      [
        'order_by: [{articles_aggregate: {count: desc}}, {name: desc}]',
        ['Ada', 'Bob', 'Cy'],
        ['Bob', 'Ada', 'Cy'],
      ],
      ['order_by: [{articles_aggregate: {max: {title: desc_nulls_last}}}], limit: 1', ['Ada'], ['Ada']],
    ] as const) {
      expect(await names(options), options).toEqual(everything);
      expect(await names(options, as('guest')), options).toEqual(published);
    }
  } finally {
    await core.close();
  }
});

test('roles that are made of themselves are refused', () => {
  const roles = [
    { role_name: 'a', role_set: ['b', 'user'] },
    { role_name: 'b', role_set: ['a'] },
  ];
  expect(() => assertNoRoleCycles(roles)).toThrow('found cycle(s) in roles: ["a","b","a"]');
});
