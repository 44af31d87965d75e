import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRandom } from '../support/random.ts';
import { createHistory, readRows } from './history.ts';
import { expectedLedger, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ services: 2 });
}, 120_000);
afterAll(() => world?.close(), 60_000);

test('two services on one database, each sent everything, end in the same rows', async () => {
  const random = createRandom('Two services');
  const history = createHistory(world.clerk, random, 'two');
  const statuses = new Map<number | undefined, number>();
  const note = ({ status }: { status: number | undefined }): void =>
    void statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const senders = [world.sender(0, note), world.sender(1, note)];
  const messages = history.happen(600);

  const deliveries = senders.flatMap((sender) =>
    random.shuffled(messages).map((message) => sender.send(message)),
  );
  expect(await Promise.all(deliveries)).not.toContain(false);

  // One transaction in another's way is tried again, here or by the sender; it is never an error of ours.
  expect([...statuses.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
  expect(world.log.filter((line) => line.includes('"code":"internal"'))).toEqual([]);
  expect(await world.query('select id, type, status, attempts from identity.deliveries order by id')).toEqual(
    expectedLedger(messages),
  );
  expect(await readRows(world.query)).toEqual(history.rows());
});
