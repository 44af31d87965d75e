import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PollAnswer } from '#execute/operation.ts';
import { as, startCore, type TestCore } from '../support/core.ts';
import { SAMPLE_SOURCE, SAMPLE_SQL } from '../support/sample.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore(SAMPLE_SQL, SAMPLE_SOURCE);
});
afterAll(() => core.close());

const user = (id: string) => as('user', { 'x-hasura-user-id': id });
const dataOf = (answer: PollAnswer | undefined): unknown =>
  answer !== undefined && 'body' in answer && answer.body !== undefined
    ? JSON.parse(answer.body).data
    : answer;

test('clients of one shape are answered by one statement, each with its own session and variables', async () => {
  const query = 'subscription ($n: Int!) { author(where: {id: {_lt: $n}}) { id name } }';
  const clients = [
    core.subscription(query, user('1'), { n: 9 }),
    core.subscription(query, user('2'), { n: 9 }),
    core.subscription(query, user('2'), { n: 1 }),
  ];
  expect(new Set(clients.map(({ shape }) => shape)).size).toBe(1);
  expect(new Set(clients.map(({ cohort }) => cohort)).size).toBe(3);
  expect(core.subscription(query, user('1'), { n: 9 }).cohort).toBe(clients[0]?.cohort);
  core.statements();
  const answers = await clients[0]?.poll(
    clients.map((subscription) => ({ subscription, cursor: undefined })),
  );
  expect(core.statements()).toHaveLength(1);
  expect(answers?.map(dataOf)).toEqual([
    { author: [{ id: 1, name: 'Ada' }] },
    { author: [{ id: 2, name: 'Bob' }] },
    { author: [] },
  ]);
});

test('one client whose value is bad does not spoil the answers of the others', async () => {
  const query = 'subscription ($n: Int!) { author(where: {id: {_eq: $n}}) { id } }';
  const clients = [
    core.subscription(query, as('admin'), { n: 1 }),
    core.subscription(query, as('admin'), { n: 'one' }),
  ];
  const answers = await clients[0]?.poll(
    clients.map((subscription) => ({ subscription, cursor: undefined })),
  );
  expect(dataOf(answers?.[0])).toEqual({ author: [{ id: 1 }] });
  expect(answers?.[1]).toEqual({ error: expect.objectContaining({ code: 'data-exception' }) });
});

test('different roles and texts are different shapes', () => {
  const query = 'subscription { author { id } }';
  const shapes = [
    core.subscription(query, user('1')).shape,
    core.subscription(query, as('admin')).shape,
    core.subscription('subscription { author { name } }', as('admin')).shape,
  ];
  expect(new Set(shapes).size).toBe(3);
});

test('a stream goes on from its cursor, rows that tie together, and is silent when there is nothing new', async () => {
  await core.sql(`INSERT INTO article (author_id, title, score, created_at) VALUES
    (3, 'T1', 10, '2030-01-01Z'), (3, 'T2', 11, '2030-01-02Z'), (3, 'T3', 12, '2030-01-02Z'), (3, 'T4', 13, '2030-01-03Z')`);
  const stream = core.subscription(
    'subscription { article_stream(batch_size: 2, cursor: {initial_value: {created_at: "2029-01-01Z"}}) { title } }',
  );
  expect(stream.streaming).toBe(true);
  let cursor: unknown;
  const next = async () => {
    const [answer] = await stream.poll([{ subscription: stream, cursor }]);
    if (answer !== undefined && 'body' in answer && answer.cursor !== undefined) cursor = answer.cursor;
    return dataOf(answer);
  };
  expect(await next()).toEqual({ article_stream: [{ title: 'T1' }, { title: 'T2' }, { title: 'T3' }] });
  expect(await next()).toEqual({ article_stream: [{ title: 'T4' }] });
  expect(await next()).toEqual({ body: undefined });
  await core.sql(`INSERT INTO article (author_id, title, created_at) VALUES (3, 'a]"}\n', '2030-01-04Z')`);
  expect(await next()).toEqual({ article_stream: [{ title: 'a]"}\n' }] });
});

test('no introspection', () => {
  for (const field of ['__typename', 'a: __typename'])
    expect(() => core.subscription(`subscription { ${field} }`)).toThrow(
      'Introspection not supported over subscriptions',
    );
});

test('nothing at all is taken, as it is at once complete', () => {
  const query = 'subscription ($no: Boolean! = false) { author @include(if: $no) { id } }';
  expect(core.subscription(query).isEmpty).toBe(true);
  expect(core.subscription(query, as('admin'), { no: true }).isEmpty).toBe(false);
});

test('one root field only', () => {
  expect(() => core.subscription('subscription { author { id } article { id } }')).toThrow(
    'subscriptions must select one top level field',
  );
});
