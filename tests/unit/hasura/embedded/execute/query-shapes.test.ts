import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_SESSION } from '../../../../../hasura/embedded/session.ts';
import { as, startCore, type TestCore } from '../core.ts';
import { SAMPLE_SOURCE, SAMPLE_SQL } from '../sample.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore(SAMPLE_SQL, SAMPLE_SOURCE, {
    env: { HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES: 'true' },
  });
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
      `../../../../fixtures/embedded/queries/${name.replaceAll(/[^a-z]+/g, '-')}.txt`,
    );
  });
});
