import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_SESSION } from '#base/session.ts';
import { as, startCore, type TestCore } from '../support/core.ts';
import { SAMPLE_SOURCE, SAMPLE_SQL } from '../support/sample.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore(SAMPLE_SQL, SAMPLE_SOURCE);
});
afterAll(() => core.close());

interface Shape {
  readonly name: string;
  readonly query: string;
  /** Of each client that the statement answers. */
  readonly clients: readonly { session?: typeof ADMIN_SESSION; variables?: Record<string, unknown> }[];
  readonly cursor?: string;
}

const SHAPES: readonly Shape[] = [
  {
    name: 'live query',
    query:
      'subscription ($id: Int!) { author_by_pk(id: $id) { name articles(order_by: {id: asc}) { title } } }',
    clients: [{ variables: { id: 1 } }, { variables: { id: 2 } }],
  },
  {
    name: 'live query under a row filter',
    query: 'subscription { article(order_by: {id: asc}) { id title } }',
    clients: ['1', '2'].map((id) => ({ session: as('user', { 'x-hasura-user-id': id }) })),
  },
  {
    name: 'live query of an aggregate',
    query: 'subscription { article_aggregate(where: {published: {_eq: true}}) { aggregate { count } } }',
    clients: [{}],
  },
  {
    name: 'stream from its beginning',
    query:
      'subscription ($from: bigint) { article_stream(batch_size: 2, cursor: {initial_value: {id: $from}, ordering: ASC}, where: {published: {_eq: true}}) { id title } }',
    clients: [{ variables: { from: 0 } }],
  },
  {
    name: 'stream from its cursor',
    query:
      'subscription { author_stream(batch_size: 1, cursor: {initial_value: {name: "Z"}, ordering: DESC}) { name } }',
    clients: [{}],
    cursor: 'Cy',
  },
];

describe('a subscription becomes one statement for all its clients, and answers', () => {
  test.each(SHAPES)('$name', async ({ name, query, clients, cursor }) => {
    const subscriptions = clients.map(({ session = ADMIN_SESSION, variables = {} }) =>
      core.subscription(query, session, variables),
    );
    core.statements();
    const answers = await subscriptions[0]?.poll(
      subscriptions.map((subscription) => ({ subscription, cursor })),
    );
    const statements = core.statements();
    expect(statements).toHaveLength(1);
    const [{ text, values } = { text: '', values: [] }] = statements;
    const fixture = [
      `-- ${clients.map(({ session = ADMIN_SESSION }) => session.role).join(', ')}`,
      query,
      ...clients.flatMap(({ variables }) =>
        variables === undefined ? [] : ['-- with', JSON.stringify(variables)],
      ),
      '-- runs',
      text.replaceAll(/ (FROM|WHERE|ORDER BY|FETCH|LIMIT|OFFSET) /g, '\n  $1 '),
      '-- with',
      JSON.stringify(values),
      '-- answers',
      ...(answers ?? []).map((answer) => JSON.stringify(answer)),
    ].join('\n');
    await expect(`${fixture}\n`).toMatchFileSnapshot(
      `../fixtures/subscriptions/${name.replaceAll(/[^a-z]+/g, '-')}.txt`,
    );
  });
});
