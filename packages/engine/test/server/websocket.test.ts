import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EngineError } from '#base/errors.ts';
import { ADMIN_SECRET, connect, connectAndInit, startFakeEngine } from './fake-engine.ts';

let engine: Awaited<ReturnType<typeof startFakeEngine>>;
beforeEach(async () => {
  engine = await startFakeEngine();
});
afterEach(() => engine.close());

const PROTOCOLS = [
  { protocol: 'graphql-ws', start: 'start', stop: 'stop', next: 'data', alive: 'ka' },
  { protocol: 'graphql-transport-ws', start: 'subscribe', stop: 'complete', next: 'next', alive: 'ping' },
] as const;
const ready = (protocol: string, init?: unknown) => connectAndInit(engine.wsUrl, protocol, init);

describe.each(PROTOCOLS)('$protocol', ({ protocol, start, stop, next, alive }) => {
  const operation = (id: string, query: string, variables?: Record<string, unknown>) => ({
    id,
    type: start,
    payload: { query, variables },
  });

  /** Of what could not start the new protocol tells the text alone. */
  const startError = (message: string) =>
    protocol === 'graphql-ws' ? { message, extensions: { path: '$', code: 'start-failed' } } : message;

  test('is agreed on in the handshake', async () => {
    const socket = await connect(`${engine.wsUrl}/v1/graphql`, protocol);
    expect(socket.raw.protocol).toBe(protocol);
  });

  test('acknowledges, then says that it is alive', async () => {
    const socket = await ready(protocol);
    expect(await socket.next(alive)).toMatchObject({ type: alive });
  });

  test('answers a query and completes it', async () => {
    const socket = await ready(protocol);
    socket.send(operation('1', 'query a'));
    expect(await socket.next()).toEqual({
      type: next,
      id: '1',
      payload: { data: { query: 'query a', role: 'admin' } },
    });
    expect(await socket.next()).toEqual({ type: 'complete', id: '1' });
  });

  test('the headers of connection_init say who asks', async () => {
    const socket = await ready(protocol, {
      type: 'connection_init',
      payload: { headers: { 'X-Hasura-Admin-Secret': ADMIN_SECRET, 'x-hasura-role': 'user' } },
    });
    socket.send(operation('1', 'mutation a'));
    expect(await socket.next()).toMatchObject({ payload: { data: { role: 'user' } } });
  });

  test('an operation that fails tells its error and nothing of the inside', async () => {
    const socket = await ready(protocol);
    socket.send(operation('1', 'mutation fail'));
    const error = { message: 'no such luck', extensions: { path: '$', code: 'data-exception' } };
    expect(await socket.next()).toEqual(
      protocol === 'graphql-ws'
        ? { type: 'data', id: '1', payload: { data: null, errors: [error] } }
        : { type: 'error', id: '1', payload: [error] },
    );
    expect(await socket.next()).toEqual({ type: 'complete', id: '1' });
  });

  test('a bug ends in an error without its text, and the connection goes on', async () => {
    const socket = await ready(protocol);
    socket.send(operation('1', 'query explode'));
    expect(JSON.stringify(await socket.next())).not.toContain('details');
    await socket.next('complete');
    socket.send(operation('2', 'query b'));
    expect(await socket.next(next)).toMatchObject({ id: '2' });
  });

  test('a query that cannot be planned is refused', async () => {
    const socket = await ready(protocol);
    socket.send(operation('1', 'nonsense'));
    const error = {
      message: 'not a valid graphql query',
      extensions: { path: '$.query', code: 'validation-failed' },
    };
    expect(await socket.next()).toEqual({
      type: 'error',
      id: '1',
      payload: protocol === 'graphql-ws' ? { errors: [error] } : [error],
    });
    expect(await socket.next()).toEqual({ type: 'complete', id: '1' });
  });

  test('a live query answers at once and then only when its answer changes', async () => {
    engine.values.set('a:{}', 1);
    const socket = await ready(protocol);
    socket.send(operation('s', 'subscription a'));
    expect(await socket.next()).toMatchObject({ type: next, payload: { data: { value: 1 } } });
    const polled = engine.polls.length;
    await vi.waitFor(() => expect(engine.polls.length).toBeGreaterThan(polled + 3));
    expect(socket.pending()).toEqual([]);
    engine.values.set('a:{}', 2);
    expect(await socket.next()).toMatchObject({ id: 's', payload: { data: { value: 2 } } });
  });

  test('one poll answers all clients of a shape, and each cohort gets its own answer', async () => {
    engine.values.set('a:{"id":1}', 'one');
    engine.values.set('a:{"id":2}', 'two');
    const first = await ready(protocol);
    const second = await ready(protocol);
    first.send(operation('s', 'subscription a', { id: 1 }));
    second.send(operation('s', 'subscription a', { id: 2 }));
    second.send(operation('t', 'subscription a', { id: 1 }));
    expect(await first.next()).toMatchObject({ payload: { data: { value: 'one' } } });
    expect(await second.next()).toMatchObject({ id: 's', payload: { data: { value: 'two' } } });
    expect(await second.next()).toMatchObject({ id: 't', payload: { data: { value: 'one' } } });
    await vi.waitFor(() => expect(engine.polls.at(-1)).toEqual({ shape: 'a', cohorts: 2 }));
  });

  test('a live query that fails tells it once, and recovers', async () => {
    engine.values.set('a:{}', new EngineError('not-found', 'missing session variable'));
    const socket = await ready(protocol);
    socket.send(operation('s', 'subscription a'));
    const error = { message: 'missing session variable', extensions: { path: '$', code: 'not-found' } };
    expect(await socket.next()).toEqual({ type: next, id: 's', payload: { data: null, errors: [error] } });
    const polled = engine.polls.length;
    await vi.waitFor(() => expect(engine.polls.length).toBeGreaterThan(polled + 3));
    expect(socket.pending()).toEqual([]);
    engine.values.set('a:{}', 1);
    expect(await socket.next()).toMatchObject({ type: next, payload: { data: { value: 1 } } });
  });

  test('a subscription whose values its types do not take is refused, and never asked again', async () => {
    engine.values.set('a:{}', new EngineError('data-exception', 'invalid input syntax'));
    const socket = await ready(protocol);
    socket.send(operation('s', 'subscription a'));
    const error = { message: 'invalid input syntax', extensions: { path: '$', code: 'data-exception' } };
    expect(await socket.next()).toEqual({
      type: 'error',
      id: 's',
      payload: protocol === 'graphql-ws' ? { errors: [error] } : [error],
    });
    expect(await socket.next()).toEqual({ type: 'complete', id: 's' });
    engine.values.set('a:{}', 1);
    socket.send(operation('s', 'subscription a'));
    expect(await socket.next()).toMatchObject({ type: next, id: 's', payload: { data: { value: 1 } } });
    engine.values.set('a:{}', new EngineError('data-exception', 'division by zero'));
    expect(await socket.next()).toMatchObject({ type: next, payload: { errors: [{}] } });
    engine.values.set('a:{}', 2);
    expect(await socket.next()).toMatchObject({ type: next, payload: { data: { value: 2 } } });
  });

  test('a subscription that selects nothing is complete', async () => {
    const socket = await ready(protocol);
    socket.send(operation('s', 'subscription nothing'));
    expect(await socket.next()).toEqual({ type: 'complete', id: 's' });
    socket.send(operation('s', 'query again'));
    expect(await socket.next()).toMatchObject({ type: next, id: 's' });
  });

  test('a binary frame is a message too', async () => {
    const socket = await ready(protocol);
    socket.send(Buffer.from(JSON.stringify(operation('1', 'query a'))));
    expect(await socket.next()).toMatchObject({ type: next, id: '1' });
  });

  test.each([
    ['no UTF-8', Buffer.from('{"type":"ping\xff"}', 'latin1'), /Invalid UTF-8 stream$/],
    ['half of a surrogate pair', '{"type":"ping","payload":{"message":"\\ud800"}}', /Invalid UTF-8 stream$/],
    ['no JSON', '{"type":"ping"', /: Unexpected end-of-input, expecting , or }$/],
    ['no object', '[]', /: Error in \$: .*expected Object, but encountered Array$/],
    ['no type', '{}', /: Error in \$: key "type" not found$/],
    ['a type that is none', '{"type":"x"}', /: Error in \$: unexpected type for ClientMessage: x$/],
    ['no id', '{"type":"stop"}', /: Error in \$: key "id" not found$/],
    [
      'a number for its id',
      '{"type":"start","id":1,"payload":{"query":"query a"}}',
      /: Error in \$\.id: parsing Text failed, expected String, but encountered Number$/,
    ],
    [
      'a header that is a number',
      '{"type":"connection_init","payload":{"headers":{"x-hasura-user-id":1}}}',
      /: Error in \$\.payload\.headers\['x-hasura-user-id'\]: parsing Text failed, expected String, but encountered Number$/,
    ],
    ['a ping with other than text', '{"type":"ping","payload":{"message":1}}', /\$\.payload\.message: /],
    ['a ping with text', '{"type":"ping","payload":"x"}', /\$\.payload: .* encountered String$/],
    [
      'a request without query',
      '{"type":"start","id":"1","payload":{}}',
      /: Error in \$\.payload: .*key "query" not found$/,
    ],
  ])('a message with %s is told what is wrong with it', async (_, frame, problem) => {
    const socket = await connect(`${engine.wsUrl}/v1/graphql`, protocol);
    socket.send(frame);
    if (protocol === 'graphql-ws')
      expect(await socket.next()).toMatchObject({
        type: 'connection_error',
        payload: expect.stringMatching(problem),
      });
    else expect((await socket.closed).code).toBe(4400);
  });

  test('of a key that a message has twice the first counts', async () => {
    const socket = await connect(`${engine.wsUrl}/v1/graphql`, protocol);
    const secret = `"x-hasura-admin-secret":"${ADMIN_SECRET}"`;
    socket.send(
      `{"type":"connection_init","payload":{"headers":{${secret},"x-hasura-admin-secret":"wrong","x-hasura-role":"user","x-hasura-role":"admin"}}}`,
    );
    await socket.next('connection_ack');
    socket.send(`{"id":"1","type":"${start}","payload":{"query":"query a","query":"query b"}}`);
    expect(await socket.next(next)).toMatchObject({ payload: { data: { query: 'query a', role: 'user' } } });
  });

  test('a path with a query string is none', async () => {
    for (const path of ['/v1/graphql?x=1', '/v1/graphql/', '/v1//graphql'])
      await expect(connect(`${engine.wsUrl}${path}`, protocol)).rejects.toThrow('404');
  });

  test('stopping ends the polls; stopping what is not there is nothing', async () => {
    const socket = await ready(protocol);
    socket.send(operation('s', 'subscription a'));
    await socket.next(next);
    socket.send({ type: stop, id: 's' });
    socket.send({ type: stop, id: 'never-started' });
    socket.send(operation('q', 'query after'));
    await socket.next(next);
    const polled = engine.polls.length;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(engine.polls.length).toBeLessThanOrEqual(polled + 1);
  });

  test('closing ends the polls', async () => {
    const socket = await ready(protocol);
    socket.send(operation('s', 'subscription a'));
    await socket.next(next);
    socket.raw.close();
    await socket.closed;
    await vi.waitFor(async () => {
      const polled = engine.polls.length;
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(engine.polls.length).toBe(polled);
    });
  });

  test('an id that is in use is refused', async () => {
    const socket = await ready(protocol);
    socket.send(operation('s', 'subscription a'));
    await socket.next(next);
    socket.send(operation('s', 'subscription b'));
    expect(await socket.next('error')).toMatchObject({
      id: 's',
      payload: startError('an operation already exists with this id: s'),
    });
    if (protocol === 'graphql-transport-ws') expect((await socket.closed).code).toBe(1000);
  });

  test('nothing starts before connection_init', async () => {
    const socket = await connect(`${engine.wsUrl}/v1/graphql`, protocol);
    socket.send(operation('1', 'query a'));
    expect(await socket.next('error')).toMatchObject({
      payload: startError('start received before the connection is initialised'),
    });
  });

  test('a connection that may not ask is closed', async () => {
    const socket = await connect(`${engine.wsUrl}/v1/graphql`, protocol);
    socket.send({ type: 'connection_init', payload: { headers: { 'x-hasura-admin-secret': 'wrong' } } });
    const { code, reason } = await socket.closed;
    expect(code).toBe(protocol === 'graphql-ws' ? 4400 : 4403);
    expect(reason).not.toContain(ADMIN_SECRET);
    expect(socket.pending()).toEqual(
      protocol === 'graphql-ws'
        ? [{ type: 'connection_error', payload: 'invalid "x-hasura-admin-secret"/"x-hasura-access-key"' }]
        : [],
    );
  });

  test('changed metadata closes the connection, so that clients come again', async () => {
    const socket = await ready(protocol);
    engine.changeMetadata();
    expect((await socket.closed).code).toBe(1012);
  });

  test.each([
    '',
    'null',
    '[]',
    '{}',
    '{"type":1}',
    '{"type":"start"}',
    '{"type":"start","id":1,"payload":{}}',
    '{"type":"connection_init","payload":3}',
    '\u0000\uffff',
    `{"type":"${'x'.repeat(500)}"}`,
    '['.repeat(5000),
  ])('a malformed frame is answered, not fatal: %.40j', async (frame) => {
    const socket = await ready(protocol);
    socket.send(frame);
    if (protocol === 'graphql-ws') {
      expect(await socket.next()).toMatchObject({ type: 'connection_error' });
      socket.send(operation('1', 'query still'));
      expect(await socket.next()).toMatchObject({ type: 'data' });
    } else {
      expect((await socket.closed).code).toBe(4400);
    }
    const other = await ready(protocol);
    other.send(operation('1', 'query elsewhere'));
    expect(await other.next()).toMatchObject({ type: next });
  });

  test.each([undefined, null, 1, 'x', [], { query: 1 }, { query: 'query a', variables: [] }])(
    'a payload that is no request is answered, not fatal: %j',
    async (payload) => {
      const socket = await ready(protocol);
      socket.send({ id: '1', type: start, payload });
      if (protocol === 'graphql-ws') expect(await socket.next()).toMatchObject({ type: 'connection_error' });
      else expect((await socket.closed).code).toBe(4400);
    },
  );
});
