import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { as, startCore, type TestCore } from '../support/core.ts';
import { SAMPLE_SOURCE, SAMPLE_SQL } from '../support/sample.ts';

/** In every hostile value, and nowhere else: a statement that holds it holds the value. */
const MARK = 'x9z';
const VALUES = [
  `'; DROP TABLE author; -- ${MARK}`,
  `" OR ""="${MARK}`,
  `$1 ${MARK} $2`,
  `\\' OR 1=1 -- ${MARK}`,
  `/* ${MARK} */`,
  `{"${MARK}": "'"}`,
  `${MARK}\u0000`,
  `%${MARK}\\`,
  `${MARK}]}})`,
];

/** A name that breaks out of any quoting but the right one. */
const TABLE = 'we"ird\'; DROP TABLE author; --';
const COLUMN = 'c"ol\'$1 --';
const WEIRD_SQL = `
CREATE TABLE "we""ird'; DROP TABLE author; --" ("c""ol'$1 --" text PRIMARY KEY, "n" integer);
INSERT INTO "we""ird'; DROP TABLE author; --" VALUES ('here', 1);
`;

let core: TestCore;
beforeAll(async () => {
  core = await startCore(SAMPLE_SQL + WEIRD_SQL, {
    ...SAMPLE_SOURCE,
    tables: [
      ...SAMPLE_SOURCE.tables,
      {
        table: TABLE,
        configuration: { custom_name: 'weird', column_config: { [COLUMN]: { custom_name: 'col' } } },
        select_permissions: [
          {
            role: 'user',
            permission: { columns: [COLUMN], filter: { [COLUMN]: { _ne: 'X-Hasura-User-Id' } } },
          },
        ],
      },
    ],
  });
});
afterAll(() => core.close());

test('text with a NUL is refused wherever it comes from, and never cut', async () => {
  const nul = 'Ada\u0000Bob';
  const mutation = 'mutation ($v: String!) { insert_author_one(object: {id: 9, name: $v}) { name } }';
  const query = 'query ($v: String!) { author(where: {name: {_eq: $v}}) { id } }';
  for (const text of [mutation, query])
    expect(await core.failure(text, as('admin'), { v: nul })).toMatch(/^data-exception /);
  expect(await core.failure('{ author(where: {name: {_eq: "Ada\\u0000Bob"}}) { id } }')).toMatch(
    /^data-exception /,
  );
  const user = as('user', { 'x-hasura-user-id': '1\u0000' });
  expect(await core.failure('{ author { id } }', user)).toMatch(/^data-exception /);
  expect(await core.sql('SELECT count(*)::int AS n FROM author')).toEqual([{ n: 3 }]);
});

async function isSafe(query: string, variables: Record<string, unknown> = {}, session = as('admin')) {
  core.statements();
  await core.failure(query, session, variables);
  for (const { text } of core.statements()) expect(text).not.toContain(MARK);
  expect(await core.sql('SELECT count(*)::int AS n FROM author')).toEqual([{ n: 3 }]);
}

const POSITIONS: readonly (readonly [name: string, type: string, use: string])[] = [
  ['equality', 'String', 'author(where: {name: {_eq: $v}}) { id }'],
  ['a list', 'String!', 'author(where: {name: {_in: [$v]}}) { id }'],
  ['a pattern', 'String', 'author(where: {name: {_ilike: $v}}) { id }'],
  ['a regular expression', 'String', 'author(where: {name: {_regex: $v}}) { id }'],
  ['a SQL regular expression', 'String', 'author(where: {name: {_similar: $v}}) { id }'],
  ['a JSON value', 'jsonb', 'author(where: {profile: {_contains: $v}}) { id }'],
  ['a JSON key', 'String', 'author(where: {profile: {_has_key: $v}}) { id }'],
  ['a JSON path', 'String', 'author { profile(path: $v) }'],
  ['an array', '[String!]', 'author(where: {tags: {_contains: [$v]}}) { id }'],
  ['a number', 'numeric', 'author(where: {rating: {_gt: $v}}) { id }'],
  ['a timestamp', 'timestamptz', 'article(where: {created_at: {_lt: $v}}) { id }'],
  ['a limit', 'Int', 'author(limit: $v) { id }'],
  ['an offset', 'Int', 'author(offset: $v) { id }'],
  ['an order', 'order_by', 'author(order_by: [{name: $v}]) { id }'],
  ['a distinct column', 'author_select_column!', 'author(distinct_on: [$v]) { id }'],
  ['an argument of a function', 'String', 'search_articles(args: {term: $v}) { id }'],
  ['an argument of a computed field', 'String', 'author { shout(args: {mark: $v}) }'],
  ['a primary key', 'String!', 'weird_by_pk(col: $v) { n }'],
  [
    'an aggregate condition',
    'String',
    'author(where: {articles_aggregate: {count: {predicate: {_gt: 0}, filter: {title: {_eq: $v}}}}}) { id }',
  ],
];

describe.each(VALUES)('the value %j reaches SQL as a parameter only', (value) => {
  test.each(POSITIONS)('as a variable for %s', async (_name, type, use) => {
    await isSafe(`query ($v: ${type}) { ${use} }`, { v: value });
  });
  test.each(POSITIONS)('as a literal for %s', async (_name, _type, use) => {
    await isSafe(`{ ${use.replaceAll('$v', JSON.stringify(value))} }`);
  });
  test('as whole conditions', async () => {
    await isSafe('query ($w: author_bool_exp) { author(where: $w) { id } }', {
      w: { name: { _eq: value }, profile: { _contains: { [value]: value } }, [value]: { _eq: value } },
    });
  });
  test('as a session variable', async () => {
    await isSafe(
      '{ author { id } weird { col } article { id } }',
      {},
      as('user', { 'x-hasura-user-id': value }),
    );
  });
  test('as the name of a role and of a session variable', async () => {
    await isSafe('{ author { id } }', {}, as(value, { [`x-hasura-${value}`]: value }));
    await isSafe(
      '{ search_articles(args: {term: "e"}) { id } }',
      {},
      as('admin', { [`x-hasura-${value}`]: value }),
    );
  });
  test('as a streaming cursor', async () => {
    const operation = core.subscription(
      'subscription ($v: String!) { author_stream(batch_size: 1, cursor: {initial_value: {name: $v}}) { id } }',
      as('admin'),
      { v: value },
    );
    core.statements();
    await operation.poll([{ subscription: operation, cursor: undefined }]);
    await operation.poll([{ subscription: operation, cursor: value }]);
    for (const { text } of core.statements()) expect(text).not.toContain(MARK);
  });
});

test('hostile names of tables and columns are quoted', async () => {
  expect(await core.query('{ weird(where: {col: {_eq: "here"}}, order_by: {col: asc}) { col n } }')).toEqual({
    weird: [{ col: 'here', n: 1 }],
  });
  expect(await core.query('{ weird { col } }', as('user', { 'x-hasura-user-id': '1' }))).toEqual({
    weird: [{ col: 'here' }],
  });
});

test('an alias that is a property of every object is an ordinary key', async () => {
  const data = await core.query('{ __proto__: author_by_pk(id: 1) { constructor: name __proto__: id } }');
  expect(JSON.stringify(data)).toBe('{"__proto__":{"constructor":"Ada","__proto__":1}}');
});

test('a value that PostgreSQL refuses is told as bad data', async () => {
  expect(await core.failure('{ author(where: {name: {_regex: "("}}) { id } }')).toBe(
    'data-exception $ invalid regular expression: parentheses () not balanced',
  );
});
