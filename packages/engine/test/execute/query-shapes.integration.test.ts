import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_SESSION } from '#base/session.ts';
import { as, startCore, type TestCore } from '../support/core.ts';
import { SAMPLE_SOURCE, SAMPLE_SQL } from '../support/sample.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore(
    `${SAMPLE_SQL}
     CREATE EXTENSION ltree;
     CREATE TABLE colour (value text PRIMARY KEY, comment text);
     INSERT INTO colour VALUES ('red', 'as roses'), ('blue', NULL);
     CREATE TABLE thing (id integer PRIMARY KEY, colour text REFERENCES colour, path ltree, extra jsonb, low integer, high integer);
     INSERT INTO thing VALUES (1, 'red', 'a.b', '{"k": 1}', 1, 2), (2, 'blue', 'a.c', '{}', 5, 3);
     CREATE FUNCTION first_author() RETURNS author STABLE LANGUAGE sql AS 'SELECT * FROM author ORDER BY id LIMIT 1';`,
    {
      ...SAMPLE_SOURCE,
      tables: [
        ...SAMPLE_SOURCE.tables,
        { table: 'colour', is_enum: true },
        {
          table: 'thing',
          select_permissions: [
            {
              role: 'checker',
              permission: {
                columns: ['id', 'colour'],
                filter: {
                  _exists: { _table: 'author', _where: { id: { _in: 'X-Hasura-Ids' } } },
                  low: { _clt: ['$', 'high'] },
                  colour: { _in: ['red', 'blue'] },
                },
                allow_aggregations: true,
              },
            },
          ],
        },
      ],
      functions: [...SAMPLE_SOURCE.functions, { function: 'first_author' }],
    },
    {
      env: { HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES: 'true' },
      metadata: { inherited_roles: [{ role_name: 'both', role_set: ['user', 'reader'] }] },
    },
  );
});
afterAll(() => core.close());

const USER = as('user', { 'x-hasura-user-id': '1' });
const READER = as('reader');

interface Shape {
  readonly name: string;
  readonly query: string;
  readonly session?: typeof USER;
  readonly variables?: Record<string, unknown>;
}

const SHAPES: readonly Shape[] = [
  { name: 'rows', query: '{ author(order_by: {id: asc}) { id name } }' },
  {
    name: 'by primary key',
    query: 'query ($id: Int!) { author_by_pk(id: $id) { name } }',
    variables: { id: 2 },
  },
  { name: 'no row by primary key', query: '{ author_by_pk(id: 99) { name } }' },
  { name: 'object relationship', query: '{ article(order_by: {id: asc}) { title author { name } } }' },
  {
    name: 'array relationship with arguments',
    query:
      '{ author(order_by: {id: asc}) { name articles(where: {published: {_eq: true}}, order_by: {score: desc_nulls_last}, limit: 1, offset: 0) { title } } }',
  },
  {
    name: 'aggregate',
    query:
      '{ article_aggregate { aggregate { count(columns: [author_id], distinct: true) sum { score id } max { title } } nodes { title } } }',
  },
  {
    name: 'aggregate relationship',
    query:
      '{ author(order_by: {id: asc}) { articles_aggregate(where: {published: {_eq: true}}) { aggregate { count avg { score } } } } }',
  },
  {
    name: 'boolean operators',
    query:
      '{ author(where: {_and: [{_or: [{name: {_eq: "Ada"}}, {name: {_ilike: "c%"}}]}, {_not: {id: {_in: [2, 3]}}}]}) { name } }',
  },
  {
    name: 'condition on related rows',
    query: '{ author(where: {articles: {title: {_eq: "Bees"}}}) { name } }',
  },
  {
    name: 'condition on an aggregate of related rows',
    query:
      '{ author(where: {articles_aggregate: {count: {predicate: {_gt: 1}, filter: {score: {_is_null: false}}}}}) { name } }',
  },
  {
    name: 'order by related rows',
    query:
      '{ article(order_by: [{author: {name: desc_nulls_last}}, {id: desc}]) { id } author(order_by: {articles_aggregate: {count: desc}}) { name } }',
  },
  {
    name: 'distinct on',
    query: '{ article(distinct_on: author_id, order_by: [{author_id: asc}, {id: desc}]) { id author_id } }',
  },
  {
    name: 'json and arrays',
    query:
      '{ author(where: {profile: {_contains: {city: "London"}}, tags: {_contains: ["math"]}}) { tags profile(path: "$.langs[1]") } }',
  },
  {
    name: 'computed fields',
    query:
      '{ author(where: {letters: {_gt: 2}, recent: {published: {_eq: false}}}, order_by: {letters: asc}) { shout(args: {mark: "?"}) letters recent { title } } }',
  },
  {
    name: 'tracked function',
    query:
      '{ search_articles(args: {term: "e"}, where: {id: {_lt: "4"}}, order_by: {id: asc}) { title } search_articles_aggregate(args: {term: "e"}) { aggregate { count } } }',
  },
  {
    name: 'variables',
    query:
      'query ($ids: [Int!], $limit: Int, $like: String = "%") { author(where: {id: {_in: $ids}, name: {_like: $like}}, order_by: {id: asc}, limit: $limit) { id } }',
    variables: { ids: [1, 3], limit: 5 },
  },
  {
    name: 'fragments and directives',
    query:
      'query ($yes: Boolean!) { author(limit: 1, order_by: {id: asc}) { ...names id @skip(if: $yes) __typename } } fragment names on author { a: name b: name @include(if: $yes) }',
    variables: { yes: true },
  },
  {
    name: 'aggregates of every kind',
    query:
      '{ article_aggregate(order_by: {id: asc}) { aggregate { count sum { score } avg { score } min { title created_at } max { id } stddev { score } var_pop { score } } } }',
  },
  {
    name: 'rows beside a distinct count',
    query:
      '{ article_aggregate(order_by: {title: desc}) { aggregate { count(columns: [author_id], distinct: true) } nodes { title author_id } } }',
  },
  {
    name: 'aggregate conditions with arguments',
    query:
      '{ author(where: {articles_aggregate: {bool_or: {arguments: published, predicate: {_eq: true}}}}) { name } none: author(where: {articles_aggregate: {count: {arguments: [title], predicate: {_lt: 1}, filter: {author: {name: {_eq: "Ada"}}}}}}) { name } }',
  },
  {
    name: 'order by aggregates and computed fields',
    query:
      '{ author(order_by: [{articles_aggregate: {max: {score: desc_nulls_last}}}, {recent_aggregate: {count: asc}}, {letters: desc}]) { name } }',
  },
  {
    name: 'every operator of text',
    query:
      '{ author(where: {name: {_eq: "Ada", _neq: "b", _in: ["Ada"], _nin: ["x"], _gt: "A", _gte: "A", _lt: "B", _lte: "B", _like: "A%", _nlike: "B%", _ilike: "a%", _nilike: "b%", _similar: "A%", _nsimilar: "B%", _regex: "^A", _iregex: "^a", _nregex: "^B", _niregex: "^b", _is_null: false}}) { name } }',
  },
  {
    name: 'operators of json, label trees and enums',
    query:
      '{ thing(where: {extra: {_has_key: "k", _has_keys_any: ["k", "l"], _has_keys_all: ["k"], _contained_in: {k: 1, l: 2}, _cast: {String: {_like: "%k%"}}}, path: {_ancestor: "a.b.c", _ancestor_any: ["a.b"], _descendant: "a", _descendant_any: ["a"], _matches: "a.*", _matches_any: ["*.b"], _matches_fulltext: "b"}, colour: {_eq: red, _in: [red, blue]}}) { id colour } }',
  },
  {
    name: 'tracked function of one row',
    query: '{ first_author { name articles(order_by: {id: asc}) { title } } }',
  },
  {
    name: 'several fields in one statement',
    query:
      '{ a: author_by_pk(id: 1) { name } b: author(where: {id: {_eq: 2}}) { name } __typename c: author_aggregate { aggregate { count } } }',
  },
  {
    name: 'inherited role',
    query: '{ author(order_by: {name: asc}) { id name shout } article(order_by: {title: asc}) { id title } }',
    session: as('both', { 'x-hasura-user-id': '2' }),
  },
  {
    name: 'row filter on another table, on columns and on a list of the session',
    query: '{ thing(order_by: {id: asc}) { id colour } thing_aggregate { aggregate { count } } }',
    session: as('checker', { 'x-hasura-ids': '{1,2}' }),
  },
  { name: 'row filter with a session variable', query: '{ author { id name shout } }', session: USER },
  {
    name: 'row filters of both tables, and a limit',
    query:
      '{ author { articles { title } articles_aggregate { aggregate { count } nodes { title } } } article(limit: 10, order_by: {id: asc}) { id author { name } } }',
    session: USER,
  },
  {
    name: 'row filter across a relationship',
    query: '{ author(order_by: {name: asc}) { name } }',
    session: READER,
  },
  {
    name: 'condition of a client within what the role sees',
    query: '{ article(where: {author: {name: {_eq: "Ada"}}}) { title } }',
    session: USER,
  },
];

describe('a query becomes one statement, and answers', () => {
  test.each(SHAPES)('$name', async ({ name, query, session = ADMIN_SESSION, variables = {} }) => {
    core.statements();
    const result = await core.query(query, session, variables);
    const statements = core.statements();
    expect(statements).toHaveLength(1);
    const [{ text, values } = { text: '', values: [] }] = statements;
    const fixture = [
      `-- ${session.role} asks`,
      query,
      ...(Object.keys(variables).length === 0 ? [] : ['-- with', JSON.stringify(variables)]),
      '-- runs',
      text.replaceAll(/ (FROM|WHERE|ORDER BY|LIMIT|OFFSET) /g, '\n  $1 '),
      '-- with',
      JSON.stringify(values),
      '-- answers',
      JSON.stringify(result, undefined, 1),
    ].join('\n');
    await expect(`${fixture}\n`).toMatchFileSnapshot(
      `../fixtures/queries/${name.replaceAll(/[^a-z]+/g, '-')}.txt`,
    );
  });
});
