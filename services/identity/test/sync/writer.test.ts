import { type ErrorCode, LatchkeyError } from '@latchkey/core/errors';
import { describe, expect, test } from 'vitest';
import type { LedgerEntry } from '#core/deliveries.ts';
import { deletedUser, type IdentityRecord, stubUser } from '#core/records.ts';
import type { HasuraClient } from '#hasura/client.ts';
import type { WriteBatchMutationVariables } from '#hasura/generated/documents.ts';
import { createWriter, type Writer, type WriterOptions } from '#sync/writer.ts';

type Batch = WriteBatchMutationVariables;
const rows = <T>(list: T | T[]): T[] => (Array.isArray(list) ? list : [list]);
const deliveriesOf = (batch: Batch) => rows(batch.deliveries);
const usersOf = (batch: Batch) => rows(batch.users);

const RESULT = {
  retried: null,
  erased: null,
  insert_identity_deliveries: null,
  insert_organizations: null,
  insert_users: null,
  insert_organization_memberships: null,
};

/** An engine that answers when it is told to, and refuses what it is told to refuse. */
function fakeEngine({
  refuse,
  manual = false,
}: {
  refuse?: (batch: Batch) => ErrorCode | undefined;
  manual?: boolean;
} = {}) {
  const batches: Batch[] = [];
  const waiting: (() => void)[] = [];
  let most = 0;
  let underWay = 0;
  const engine: Pick<HasuraClient, 'writeBatch'> = {
    async writeBatch(batch) {
      batches.push(batch);
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise<void>((resolve) => (manual ? waiting.push(resolve) : setImmediate(resolve)));
      underWay -= 1;
      const code = refuse?.(batch);
      if (code !== undefined) throw new LatchkeyError(code, `${code} it is`);
      return RESULT;
    },
  };
  return {
    engine,
    batches,
    answer: () => waiting.shift()?.(),
    mostAtOnce: () => most,
  };
}

interface Write {
  readonly records: readonly IdentityRecord[];
  readonly delivery: LedgerEntry;
}

/** @returns what of the committed row a write decides */
async function write(writer: Writer, { delivery, records }: Write) {
  const { status, error } = await writer.writeDelivery(delivery, records);
  return { status, error };
}

function entry(index: number, changes: Partial<LedgerEntry> = {}): Write {
  const id = `user_${index}`;
  const delivery: LedgerEntry = {
    id: `msg_${String(index).padStart(4, '0')}`,
    provider: 'clerk',
    tenant: '',
    type: 'user.updated',
    subject: id,
    payload: { index },
    bytes: 100,
    receivedAt: 1767225600000,
    status: 'applied',
    error: null,
    ...changes,
  };
  return { records: [{ ...stubUser({ provider: 'clerk', tenant: '', id }), clock: 10 + index }], delivery };
}

const OPTIONS: WriterOptions = { inFlight: 1, queueLimit: 1000 };
const applied = { status: 'applied', error: null };
const code = (name: ErrorCode) => expect.objectContaining({ code: name });

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
