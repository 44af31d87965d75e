import { type ReconcileBench, startReconcileBench } from '@latchkey/tests/support/reconcile';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { backfill, repair } from '#sync/reconcile.ts';

let bench: ReconcileBench;
beforeAll(async () => {
  bench = await startReconcileBench();
});
afterAll(() => bench.close());
beforeEach(() => bench.reset());

const underWay = expect.objectContaining({ code: 'reconcile-under-way' });
const runs = () =>
  bench.query('SELECT task, finished_at, error FROM identity.reconciles ORDER BY started_at');

/** Holds the first list of users back. @returns when it was asked for, and how to let it go */
function holdUsers() {
  const asked = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  bench.directory.intercept = async ({ path }) => {
    if (path !== '/v1/users') return undefined;
    asked.resolve();
    await gate.promise;
    return undefined;
  };
  return { asked: asked.promise, letGo: gate.resolve };
}

test('of two at once one is told of the other, and the other ends well', async () => {
  bench.populate({ users: 3 });
  const { asked, letGo } = holdUsers();
  const first = repair(bench.context);
  await asked;
  await expect(repair(bench.context)).rejects.toThrow(underWay);
  await expect(backfill(bench.context)).rejects.toThrow(
    expect.objectContaining({ message: expect.stringContaining('A repair of clerk is under way since') }),
  );
  letGo();
  await first;
  await repair(bench.context);
  expect(await runs()).toMatchObject([
    { task: 'repair', finished_at: expect.any(Date), error: null },
    { task: 'repair', finished_at: expect.any(Date), error: null },
  ]);
});

test('of many at the same instant exactly one runs', async () => {
  bench.populate({ users: 3 });
  const { letGo } = holdUsers();
  let refused = 0;
  const all = Array.from({ length: 6 }, () =>
    repair(bench.context).then(
      () => 'ran',
      ({ code }) => {
        refused += 1;
        return code;
      },
    ),
  );
  // The winner waits for its list until the others have been refused.
  await expect.poll(() => refused).toBe(5);
  letGo();
  const ends = await Promise.all(all);
  expect(ends.toSorted()).toEqual(['ran', ...Array.from({ length: 5 }, () => 'reconcile-under-way')]);
});

test('another provider’s run is in nobody’s way', async () => {
  await bench.query(
    "INSERT INTO identity.reconciles (provider, holder) VALUES ('casdoor', gen_random_uuid())",
  );
  await repair(bench.context);
  expect(await bench.query("SELECT 1 FROM identity.reconciles WHERE provider = 'clerk'")).toHaveLength(1);
});

test('one that has fallen silent is pushed aside, and one that has not only when told so', async () => {
  const silentSince = (interval: string) =>
    bench.query(
      `INSERT INTO identity.reconciles (provider, holder, started_at, heard_at)
       VALUES ('clerk', gen_random_uuid(), now() - interval '1 hour', now() - $1::interval)`,
      [interval],
    );
  await silentSince('31 seconds');
  await repair(bench.context);
  await silentSince('5 seconds');
  await expect(repair(bench.context)).rejects.toThrow(underWay);
  await repair(bench.context, { takeOver: true });
  expect((await runs()).map(({ error }) => error)).toEqual([
    expect.stringContaining('cut off'),
    expect.stringContaining('cut off'),
    null,
    null,
  ]);
});

test('one that was pushed aside stops by itself, and its end changes nothing of the other', async () => {
  bench.populate({ users: 3 });
  const { asked, letGo } = holdUsers();
  const first = repair(bench.context);
  const ended = expect(first).rejects.toThrow(underWay);
  await asked;
  const before = bench.directory.calls.length;
  const second = repair(bench.context, { takeOver: true });
  await expect.poll(() => bench.directory.calls.length).toBeGreaterThan(before);
  letGo();
  await ended;
  await second;
  expect(await runs()).toMatchObject([
    { finished_at: expect.any(Date), error: expect.stringContaining('cut off') },
    { finished_at: expect.any(Date), error: null },
  ]);
});

test('one that fails says why, and the next one may begin at once', async () => {
  bench.directory.intercept = () => ({ status: 403 });
  await expect(repair(bench.context)).rejects.toThrow('CLERK_SECRET_KEY');
  bench.directory.intercept = () => undefined;
  await repair(bench.context);
  expect(await runs()).toMatchObject([
    { finished_at: expect.any(Date), error: expect.stringContaining('CLERK_SECRET_KEY') },
    { error: null },
  ]);
});
