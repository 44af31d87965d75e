import { setTimeout as sleep } from 'node:timers/promises';
import type { Message } from '@latchkey/local/stand-ins/clerk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRandom } from '../support/random.ts';
import { createHistory, readRows } from './history.ts';
import { expectedLedger, startWorld, type World } from './world.ts';

const ROUNDS = 20;
const BURST = 60;
/** Some bursts are over by then, others have hardly begun. */
const LONGEST_WAIT_MS = 250;

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 120_000);
afterAll(() => world?.close(), 60_000);

test('service, engine and PostgreSQL, killed in turn in mid-burst, lose nothing and count nothing twice', {
  timeout: 300_000,
}, async () => {
  const random = createRandom('Killed in mid-burst');
  const history = createHistory(world.clerk, random, 'killed');
  const accepted = new Map<string, number>();
  const sender = world.sender(0, ({ message, delivered }) => {
    if (delivered) accepted.set(message.id, (accepted.get(message.id) ?? 0) + 1);
  });
  const programs = [world.services[0], world.engine, world.postgres];
  const sent: Message[] = [];
  let cutOff = 0;

  for (let round = 0; round < ROUNDS; round += 1) {
    const victim = programs[round % programs.length];
    if (victim === undefined) throw new Error('There is no such program.');
    const messages = history.happen(BURST);
    sent.push(...messages);
    // A sender that got no answer in time sends once more what may have arrived.
    const twice = messages.filter(() => random.chance(0.1));
    const deliveries = random.shuffled([...messages, ...twice]).map((message) => sender.send(message));
    await sleep(random.below(LONGEST_WAIT_MS));
    await victim.kill();
    cutOff += messages.filter(({ id }) => !accepted.has(id)).length;
    await victim.start();
    expect(await Promise.all(deliveries)).not.toContain(false);
  }

  expect(cutOff).toBeGreaterThan(0);
  expect([...accepted.keys()].sort()).toEqual(sent.map(({ id }) => id).sort());
  expect(await world.query('select id, type, status, attempts from identity.deliveries order by id')).toEqual(
    expectedLedger(sent),
  );
  expect(await readRows(world.query)).toEqual(history.rows());
});
