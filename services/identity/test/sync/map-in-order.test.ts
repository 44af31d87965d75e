import { expect, test } from 'vitest';
import { mapInOrder } from '#sync/map-in-order.ts';

async function* count(to: number) {
  for (let page = 1; page <= to; page += 1) yield page;
}

test('several pages are worked on at once, never more than allowed, and finished in order', async () => {
  let underWay = 0;
  let most = 0;
  const finished: number[] = [];
  await mapInOrder(
    count(20),
    3,
    async (page) => {
      underWay += 1;
      most = Math.max(most, underWay);
      // The earlier pages take the longest.
      for (let turn = 0; turn < 25 - page; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
    },
    (page) => finished.push(page),
  );
  expect(most).toBe(3);
  expect(finished).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
});

test('a page is finished while the next one is long in coming', async () => {
  const next = Promise.withResolvers<void>();
  async function* slow() {
    yield 1;
    await next.promise;
  }
  const done = mapInOrder(
    slow(),
    3,
    async () => {},
    () => next.resolve(),
  );
  await done;
});

test('a failure ends it, what was before it is finished, and nothing is left under way', async () => {
  const finished: number[] = [];
  let underWay = 0;
  const run = mapInOrder(
    count(20),
    4,
    async (page) => {
      underWay += 1;
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      if (page === 3) throw new Error('page 3');
    },
    (page) => finished.push(page),
  );
  await expect(run).rejects.toThrow('page 3');
  expect([finished, underWay]).toEqual([[1, 2], 0]);
});

test('a failure of the pages themselves waits for what is under way', async () => {
  let isDone = false;
  async function* broken() {
    yield 1;
    throw new Error('no more pages');
  }
  const run = mapInOrder(broken(), 4, async () => {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    isDone = true;
  });
  await expect(run).rejects.toThrow('no more pages');
  expect(isDone).toBe(true);
});
