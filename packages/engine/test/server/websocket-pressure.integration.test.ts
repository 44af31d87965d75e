/** Clients that send more than is read, read less than is sent, or leave in the middle. */
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ADMIN_SECRET, connect, startFakeEngine } from './fake-engine.ts';

let engine: Awaited<ReturnType<typeof startFakeEngine>>;
beforeEach(async () => {
  engine = await startFakeEngine();
});
afterEach(() => engine.close());

const INIT = { type: 'connection_init', payload: { headers: { 'x-hasura-admin-secret': ADMIN_SECRET } } };
const start = (id: string, query: string, variables = {}) => ({
  type: 'start',
  id,
  payload: { query, variables },
});

async function ready() {
  const socket = await connect(`${engine.wsUrl}/v1/graphql`, 'graphql-ws');
  socket.send(INIT);
  await socket.next('connection_ack');
  return socket;
}

/** A whole exchange on another connection: the engine has seen what happened before it. */
async function exchange() {
  const other = await ready();
  other.send(start('1', 'query after'));
  await other.next('complete');
  other.raw.terminate();
}

test('what a client asked for before it left is not begun afterwards', async () => {
  const socket = await ready();
  socket.send(start('1', 'query wait'));
  socket.send(start('2', 'subscription late'));
  await exchange();
  socket.raw.terminate();
  await exchange();
  engine.release();
  const other = await ready();
  other.send(start('1', 'subscription own'));
  await other.next('data');
  await exchange();
  expect(engine.polls.filter(({ shape }) => shape === 'late')).toEqual([]);
});

describe('while an operation runs', () => {
  test('no more than a little of what follows is read, and all of it is answered in the end', async () => {
    const socket = await ready();
    socket.send(start('wait', 'query wait'));
    const count = 60;
    for (let id = 0; id < count; id += 1)
      socket.send(start(String(id), 'query echo', { ballast: 'x'.repeat(1024 * 1024) }));
    for (let round = 0; round < 20; round += 1) await exchange();
    expect(socket.raw.bufferedAmount).toBeGreaterThan(20 * 1024 * 1024);
    engine.release();
    const order: unknown[] = [];
    for (let id = 0; id <= count; id += 1) order.push((await socket.next('complete')).id);
    expect(order).toEqual(['wait', ...Array.from({ length: count }, (_, id) => String(id))]);
  });

  test('a thousand small messages wait their turn, and others are served meanwhile', async () => {
    const socket = await ready();
    socket.send(start('wait', 'query wait'));
    for (let id = 0; id < 1000; id += 1) socket.send(start(String(id), 'query echo'));
    await exchange();
    engine.release();
    for (let id = 0; id <= 1000; id += 1) await socket.next('complete');
  });
});

test('a client that reads nothing is cut off before its answers fill the memory', async () => {
  const socket = await ready();
  socket.raw.pause();
  const closed = once(socket.raw, 'close');
  const ping = JSON.stringify({ type: 'ping', payload: { message: 'x'.repeat(8 * 1024 * 1024) } });
  let sent = 0;
  while (sent < 64 && socket.raw.readyState === socket.raw.OPEN) {
    sent += 1;
    await new Promise((resolve) => socket.raw.send(ping, resolve));
  }
  // What had been sent until then comes first.
  socket.raw.resume();
  expect(await closed).toEqual([1006, expect.anything()]);
});

test.each(['graphql-ws', 'graphql-transport-ws'])(
  '%s: an id of megabytes in the reason of the end takes no time',
  async (protocol) => {
    const socket = await connect(`${engine.wsUrl}/v1/graphql`, protocol);
    socket.send(INIT);
    await socket.next('connection_ack');
    const type = protocol === 'graphql-ws' ? 'start' : 'subscribe';
    const message = { type, id: 'i'.repeat(2_000_000), payload: { query: 'subscription a' } };
    const before = process.cpuUsage();
    socket.send(message);
    socket.send(message);
    await socket.next('error');
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(2);
  },
);
