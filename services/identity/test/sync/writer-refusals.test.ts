import type { ErrorCode } from '@latchkey/core/errors';
import { describe, expect, test } from 'vitest';
import { stubUser } from '#core/records.ts';
import { createWriter } from '#sync/writer.ts';
import {
  applied,
  type Batch,
  code,
  deliveriesOf,
  entry,
  fakeEngine,
  OPTIONS,
  rows,
  write,
} from '../support/writer.ts';

const usersOf = (batch: Batch) => rows(batch.users);

describe('a record that is refused', () => {
  const refusing = (...ids: string[]) =>
    fakeEngine({
      refuse: (batch) =>
        usersOf(batch).some(({ id }) => ids.includes(id ?? '')) ? 'record-refused' : undefined,
    });

  test('ends as dead with its payload, and the rest of its batch is committed', async () => {
    const { engine, batches } = refusing('user_37', 'user_38');
    const writer = createWriter(engine, OPTIONS);
    const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => write(writer, entry(index))));
    const dead = { status: 'dead', error: 'record-refused it is' };
    expect(answers).toEqual(answers.map((_, index) => (index === 37 || index === 38 ? dead : applied)));
    const deadBatches = batches.filter((batch) =>
      deliveriesOf(batch).some(({ status }) => status === 'dead'),
    );
    expect(deadBatches).toEqual([
      expect.objectContaining({
        users: [],
        deliveries: [
          expect.objectContaining({
            id: 'msg_0037',
            status: 'dead',
            payload: { index: 37 },
            error: 'record-refused it is',
          }),
        ],
      }),
      expect.objectContaining({ deliveryIds: ['msg_0038'] }),
    ]);
  });

  test('leaves its payload out where it is the payload that cannot be stored', async () => {
    const fake = fakeEngine({
      refuse: (batch) =>
        deliveriesOf(batch).some(({ payload }) => payload !== null) ? 'record-refused' : undefined,
    });
    const writer = createWriter(fake.engine, OPTIONS);
    expect(await write(writer, entry(0))).toMatchObject({ status: 'dead' });
    expect(fake.batches.at(-1)).toMatchObject({
      deliveries: [{ id: 'msg_0000', status: 'dead', payload: null }],
    });
  });

  test('is an error where there is no delivery to keep', async () => {
    const writer = createWriter(refusing('user_0').engine, OPTIONS);
    await expect(writer.write(entry(0).records)).rejects.toThrow(code('record-refused'));
  });

  test('is an error of its own, and of nothing else in its batch', async () => {
    const writer = createWriter(refusing('user_1').engine, OPTIONS);
    const answers = await Promise.allSettled([0, 1, 2].map((index) => writer.write(entry(index).records)));
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('of two providers under one id fails alone, although they came together', async () => {
    const fake = fakeEngine();
    const writer = createWriter(fake.engine, OPTIONS);
    const theirs = {
      ...entry(2),
      records: [{ ...stubUser({ provider: 'casdoor', tenant: '', id: 'user_1' }), clock: 5 }],
    };
    const answers = await Promise.all([entry(0), entry(1), theirs].map((one) => write(writer, one)));
    // Each went out alone; the database is the one to say whose the id is.
    expect(answers).toEqual([applied, applied, applied]);
    expect(fake.batches.map(({ deliveryIds }) => deliveryIds)).toEqual([
      ['msg_0000'],
      ['msg_0001'],
      ['msg_0002'],
    ]);
  });
});

describe('our own failure', () => {
  test.each<[ErrorCode, string, number]>([
    ['engine-refused', 'fails the whole batch, retriably, and the next one is tried afresh', 2],
    ['engine-unreachable', 'fails the whole batch and all that waits behind it, which would wait as long', 1],
  ])('%s %s', async (name, _what, batches) => {
    let isDown = true;
    const fake = fakeEngine({ refuse: () => (isDown ? name : undefined) });
    const writer = createWriter(fake.engine, OPTIONS);
    const answers = await Promise.allSettled([0, 1, 2].map((index) => write(writer, entry(index))));
    expect(answers.map((answer) => answer.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(fake.batches).toHaveLength(batches);
    isDown = false;
    expect(await write(writer, entry(3))).toEqual(applied);
  });

  test('another transaction in the way is tried again at once, three times in all', async () => {
    let refusals = 2;
    const fake = fakeEngine({ refuse: () => (refusals-- > 0 ? 'engine-busy' : undefined) });
    const writer = createWriter(fake.engine, OPTIONS);
    expect(await write(writer, entry(0))).toEqual(applied);
    refusals = 3;
    await expect(write(writer, entry(1))).rejects.toThrow(code('engine-busy'));
    expect(fake.batches).toHaveLength(6);
  });

  test('in the middle of a split fails only what is not settled yet', async () => {
    let calls = 0;
    const fake = fakeEngine({
      refuse: (batch) => {
        calls += 1;
        if (calls > 3) return 'engine-unreachable';
        return deliveriesOf(batch).length > 1 && calls === 2 ? 'record-refused' : undefined;
      },
    });
    const writer = createWriter(fake.engine, OPTIONS);
    const answers = await Promise.allSettled([0, 1, 2].map((index) => write(writer, entry(index))));
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });
});
