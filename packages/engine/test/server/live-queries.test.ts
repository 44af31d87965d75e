import { afterEach, expect, test } from 'vitest';
import { EngineError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import type { PollAnswer, Subscription } from '#execute/operation.ts';
import { createLiveQueries, type Listener } from '#server/live-queries.ts';
import { until } from '../support/until.ts';

const OPTIONS = { refetchIntervalMs: 5, batchSize: 100 };
const queries = createLiveQueries({ live: OPTIONS, streaming: OPTIONS }, silentLogger);
afterEach(() => queries.close());

/** A stream of the rows of a table that only grows, one batch for each poll. */
function streamOf(rows: readonly string[]): Subscription {
  return {
    kind: 'subscription',
    name: undefined,
    shape: 'stream',
    cohort: 'the same for equal requests',
    streaming: true,
    isEmpty: false,
    poll: async (cohorts) =>
      cohorts.map(({ cursor }): PollAnswer => {
        const next = rows.slice(Number(cursor ?? 0));
        return next.length === 0 ? { body: undefined } : { body: JSON.stringify(next), cursor: rows.length };
      }),
  };
}

function listen(): Listener & { readonly heard: unknown[] } {
  const heard: unknown[] = [];
  return { heard, next: (body) => heard.push(JSON.parse(body)), error: ({ code }) => heard.push(code) };
}

test('of two equal streams each goes on from its own place, whenever it joined', async () => {
  const rows = ['a', 'b'];
  const [first, second] = [listen(), listen()];
  queries.subscribe(streamOf(rows), first);
  await until(async () => (first.heard.length > 0 ? true : undefined));
  rows.push('c');
  await until(async () => (first.heard.length > 1 ? true : undefined));
  // It has seen nothing yet, and begins at the beginning.
  queries.subscribe(streamOf(rows), second);
  await until(async () => (second.heard.length > 0 ? true : undefined));
  rows.push('d');
  await until(async () => (first.heard.length > 2 && second.heard.length > 1 ? true : undefined));
  expect(first.heard).toEqual([['a', 'b'], ['c'], ['d']]);
  expect(second.heard).toEqual([['a', 'b', 'c'], ['d']]);
});

test('equal live queries share a poll; who joins late gets the answer that the others have', async () => {
  let [value, polls] = [1, 0];
  const query: Subscription = {
    ...streamOf([]),
    shape: 'live',
    streaming: false,
    poll: async (cohorts) => {
      polls += 1;
      expect(cohorts).toHaveLength(1);
      return [{ body: JSON.stringify(value) }];
    },
  };
  const [first, second] = [listen(), listen()];
  queries.subscribe(query, first);
  await until(async () => (polls > 2 ? true : undefined));
  queries.subscribe(query, second);
  await until(async () => (second.heard.length > 0 ? true : undefined));
  value = 2;
  await until(async () => (first.heard.length > 1 && second.heard.length > 1 ? true : undefined));
  expect([first.heard, second.heard]).toEqual([
    [1, 2],
    [1, 2],
  ]);
});

test('an error is told once, until there is an answer or another error', async () => {
  let answer: PollAnswer = { error: new EngineError('unexpected', 'one') };
  let polls = 0;
  const query: Subscription = {
    ...streamOf([]),
    shape: 'failing',
    streaming: false,
    poll: async () => {
      polls += 1;
      return [answer];
    },
  };
  const listener = listen();
  queries.subscribe(query, listener);
  await until(async () => (polls > 2 ? true : undefined));
  answer = { body: '1' };
  await until(async () => (listener.heard.length > 1 ? true : undefined));
  answer = { error: new EngineError('unexpected', 'two') };
  await until(async () => (listener.heard.length > 2 ? true : undefined));
  expect(listener.heard).toEqual(['unexpected', 1, 'unexpected']);
});

test('nobody is polled for once all have left, and nobody is told after that', async () => {
  const rows = ['a'];
  const listener = listen();
  const leave = queries.subscribe(streamOf(rows), listener);
  await until(async () => (listener.heard.length > 0 ? true : undefined));
  leave();
  rows.push('b');
  let polls = 0;
  const other = listen();
  queries.subscribe(
    {
      ...streamOf(rows),
      poll: async (cohorts) => {
        polls += 1;
        return cohorts.map(() => ({ body: '1' }));
      },
    },
    other,
  );
  await until(async () => (polls > 1 ? true : undefined));
  expect(listener.heard).toEqual([['a']]);
});
