import { describe, expect, test } from 'vitest';
import { deletedUser, stubUser } from '#core/records.ts';
import type { HasuraClient } from '#hasura/client.ts';
import { createWriter } from '#sync/writer.ts';
import {
  applied,
  code,
  deliveriesOf,
  entry,
  fakeEngine,
  OPTIONS,
  type Write,
  write,
} from '../support/writer.ts';

describe('group commit', () => {
  test('what gathers while a mutation is under way goes out as the next one', async () => {
    const fake = fakeEngine({ manual: true });
    const writer = createWriter(fake.engine, OPTIONS);
    const first = write(writer, entry(0));
    const others = Promise.all([1, 2, 3].map((index) => write(writer, entry(index))));
    expect(fake.batches.map((batch) => deliveriesOf(batch).length)).toEqual([1]);

    fake.answer();
    expect(await first).toEqual(applied);
    await expect.poll(() => fake.batches.length).toBe(2);
    expect(fake.batches[1]?.deliveryIds).toEqual(['msg_0001', 'msg_0002', 'msg_0003']);
    fake.answer();
    expect(await others).toEqual([applied, applied, applied]);
  });

  test('the next mutation is sent before those of the last one are answered', async () => {
    const events: string[] = [];
    const fake = fakeEngine();
    const engine: Pick<HasuraClient, 'writeBatch'> = {
      writeBatch(batch) {
        events.push(`sent ${batch.deliveryIds}`);
        return fake.engine.writeBatch(batch);
      },
    };
    const writer = createWriter(engine, OPTIONS);
    await Promise.all(
      [0, 1].map((index) => write(writer, entry(index)).then(() => events.push(`answered ${index}`))),
    );
    expect(events).toEqual(['sent msg_0000', 'sent msg_0001', 'answered 0', 'answered 1']);
  });

  test('nothing is acknowledged before its commit', async () => {
    const fake = fakeEngine({ manual: true });
    const writer = createWriter(fake.engine, OPTIONS);
    let isAcknowledged = false;
    const written = write(writer, entry(0)).then(() => {
      isAcknowledged = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAcknowledged).toBe(false);
    fake.answer();
    await written;
  });

  test('a batch has at most 128 rows, the ledger counted', async () => {
    const fake = fakeEngine();
    const writer = createWriter(fake.engine, OPTIONS);
    await Promise.all(Array.from({ length: 251 }, (_, index) => write(writer, entry(index))));
    expect(fake.batches.map((batch) => deliveriesOf(batch).length)).toEqual([1, 64, 64, 64, 58]);
  });

  test('a batch holds at most 4 MiB of payloads, and a larger delivery goes alone', async () => {
    const fake = fakeEngine();
    const writer = createWriter(fake.engine, OPTIONS);
    const sizes = [1, 3, 1, 1, 5, 1];
    await Promise.all(
      sizes.map((mebibytes, index) => write(writer, entry(index, { bytes: mebibytes * 2 ** 20 }))),
    );
    expect(fake.batches.map((batch) => deliveriesOf(batch).length)).toEqual([1, 2, 1, 1, 1]);
  });

  test('as many mutations as configured are under way at once, and no more', async () => {
    const fake = fakeEngine();
    const writer = createWriter(fake.engine, { ...OPTIONS, inFlight: 3 });
    await Promise.all(Array.from({ length: 1000 }, (_, index) => write(writer, entry(index))));
    expect(fake.mostAtOnce()).toBe(3);
  });

  test('the same user twice in a batch is written once, each delivery in the ledger', async () => {
    const fake = fakeEngine();
    const writer = createWriter(fake.engine, OPTIONS);
    const again = (index: number, clock: number): Write => ({
      ...entry(index),
      records: [{ ...stubUser({ provider: 'clerk', tenant: '', id: 'user_9' }), clock }],
    });
    await Promise.all([write(writer, entry(0)), write(writer, again(1, 5)), write(writer, again(2, 8))]);
    expect(fake.batches[1]).toMatchObject({
      deliveryIds: ['msg_0001', 'msg_0002'],
      users: [{ id: 'user_9', source_updated_at: '1970-01-01T00:00:00.008Z' }],
    });
  });

  test('the same delivery twice in a batch is one row of the ledger, and both are answered', async () => {
    const fake = fakeEngine();
    const writer = createWriter(fake.engine, OPTIONS);
    const answers = await Promise.all([entry(0), entry(1), entry(1)].map((one) => write(writer, one)));
    expect(fake.batches[1]?.deliveryIds).toEqual(['msg_0001']);
    expect(answers).toEqual([applied, applied, applied]);
  });
});

describe('an entry that waits too long', () => {
  test('is turned away in time, and can be sent again; what is under way is not', async () => {
    const fake = fakeEngine({ manual: true });
    const writer = createWriter(fake.engine, { ...OPTIONS, maxWaitMs: 30 });
    const underWay = write(writer, entry(0));
    const answers = await Promise.allSettled([1, 2].map((index) => write(writer, entry(index))));
    expect(answers).toEqual([1, 2].map(() => ({ status: 'rejected', reason: code('queue-full') })));
    const later = write(writer, entry(3));
    fake.answer();
    expect(await underWay).toEqual(applied);
    await expect.poll(() => fake.batches.length).toBe(2);
    fake.answer();
    expect(await later).toEqual(applied);
    expect(fake.batches.map(({ deliveryIds }) => deliveryIds)).toEqual([['msg_0000'], ['msg_0003']]);
  });

  test('leaves its place in the queue to others', async () => {
    const fake = fakeEngine({ manual: true });
    const writer = createWriter(fake.engine, { inFlight: 1, queueLimit: 1, maxWaitMs: 20 });
    const underWay = write(writer, entry(0));
    for (let index = 1; index < 4; index += 1) {
      await expect(write(writer, entry(index, { bytes: 12 * 1024 * 1024 }))).rejects.toThrow(
        code('queue-full'),
      );
    }
    const next = write(writer, entry(4, { bytes: 12 * 1024 * 1024 }));
    fake.answer();
    expect(await underWay).toEqual(applied);
    await expect.poll(() => fake.batches.length).toBe(2);
    fake.answer();
    expect(await next).toEqual(applied);
  });
});

describe('the queue', () => {
  test('takes no more entries than configured, and takes them again once it has drained', async () => {
    const fake = fakeEngine({ manual: true });
    const writer = createWriter(fake.engine, { inFlight: 1, queueLimit: 2 });
    const taken = [0, 1, 2].map((index) => write(writer, entry(index)));
    await expect(write(writer, entry(3))).rejects.toThrow(code('queue-full'));
    fake.answer();
    await expect.poll(() => fake.batches.length).toBe(2);
    fake.answer();
    expect(await Promise.all(taken)).toEqual([applied, applied, applied]);
    const later = write(writer, entry(3));
    await expect.poll(() => fake.batches.length).toBe(3);
    fake.answer();
    expect(await later).toEqual(applied);
  });

  test('takes no more bytes than memory can bear', async () => {
    const fake = fakeEngine({ manual: true });
    const writer = createWriter(fake.engine, OPTIONS);
    const outcomes = Array.from({ length: 60 }, (_, index) =>
      write(writer, entry(index, { bytes: 2 ** 20 })),
    );
    await expect(outcomes.at(-1)).rejects.toThrow(code('queue-full'));
    for (const outcome of outcomes) outcome.catch(() => {});
    const isSettled = Promise.allSettled(outcomes);
    const release = setInterval(fake.answer, 1);
    const answers = await isSettled;
    clearInterval(release);
    // One is under way, 16 wait.
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(17);
  });

  test('takes as much after an outage as before it', async () => {
    let isAway = true;
    const fake = fakeEngine({ manual: true, refuse: () => (isAway ? 'engine-unreachable' : undefined) });
    const writer = createWriter(fake.engine, OPTIONS);
    const fill = () =>
      Array.from({ length: 17 }, (_, index) => write(writer, entry(index, { bytes: 2 ** 20 })));
    for (const _outage of [1, 2, 3]) {
      const outcomes = Promise.allSettled(fill());
      fake.answer();
      expect(new Set((await outcomes).map((one) => one.status === 'rejected' && one.reason.code))).toEqual(
        new Set(['engine-unreachable']),
      );
    }
    isAway = false;
    const outcomes = Promise.all(fill());
    await expect(write(writer, entry(17, { bytes: 1 }))).rejects.toThrow(code('queue-full'));
    const release = setInterval(fake.answer, 1);
    expect(await outcomes).toHaveLength(17);
    clearInterval(release);
  });
});

describe('closing', () => {
  test('settles what was taken, and takes no more', async () => {
    const fake = fakeEngine({ manual: true });
    const writer = createWriter(fake.engine, OPTIONS);
    const taken = [0, 1].map((index) => write(writer, entry(index)));
    let isClosed = false;
    const closed = writer.close().then(() => {
      isClosed = true;
    });
    await expect(write(writer, entry(2))).rejects.toThrow(code('shutting-down'));
    fake.answer();
    await expect.poll(() => fake.batches.length).toBe(2);
    expect(isClosed).toBe(false);
    fake.answer();
    expect(await Promise.all(taken)).toEqual([applied, applied]);
    await closed;
  });

  test('an idle writer is closed at once', async () => {
    await createWriter(fakeEngine().engine, OPTIONS).close();
  });
});

test('the deletion of a user erases the payloads filed under that user, its own batch’s included', async () => {
  const fake = fakeEngine();
  const writer = createWriter(fake.engine, OPTIONS);
  const deletion: Write = {
    ...entry(1),
    records: [deletedUser({ provider: 'clerk', tenant: '', id: 'user_1' }, 99)],
  };
  const earlier = { ...entry(2, { subject: 'user_1' }), records: [] };
  await Promise.all([entry(0), earlier, deletion, entry(3)].map((one) => write(writer, one)));
  expect(fake.batches[1]).toMatchObject({
    erasedProviders: ['clerk'],
    erasedSubjects: ['user_1'],
    deliveries: [
      { id: 'msg_0001', payload: null },
      { id: 'msg_0002', payload: null },
      { id: 'msg_0003', payload: { index: 3 } },
    ],
    users: [
      { id: 'user_1', deleted_at: '1970-01-01T00:00:00.099Z', email: null },
      { id: 'user_3', deleted_at: null },
    ],
  });
});
