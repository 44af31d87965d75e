import { afterEach, beforeEach, expect, test } from 'vitest';
import { claims, pem, rsa, secondsFromNow, sign } from '../auth/tokens.ts';
import { connect, connectAndInit, INIT, startFakeEngine } from './fake-engine.ts';

let engine: Awaited<ReturnType<typeof startFakeEngine>>;
beforeEach(async () => {
  engine = await startFakeEngine();
});
afterEach(() => engine.close());

test('ping is answered with pong and the message that it brought', async () => {
  const socket = await connectAndInit(engine.wsUrl, 'graphql-transport-ws');
  socket.send({ type: 'ping', payload: { message: 'm', a: 1 } });
  expect(await socket.next()).toEqual({ type: 'pong', payload: { message: 'm' } });
  socket.send({ type: 'ping', payload: { a: 1 } });
  expect(await socket.next()).toEqual({ type: 'pong', payload: { message: null } });
  socket.send({ type: 'ping', payload: null });
  expect(await socket.next()).toEqual({ type: 'pong' });
  socket.send({ type: 'ping' });
  expect(await socket.next()).toEqual({ type: 'pong' });
});

test('of both protocols the old one is chosen', async () => {
  for (const offered of [
    ['graphql-ws', 'graphql-transport-ws'],
    ['graphql-transport-ws', 'graphql-ws'],
  ]) {
    const socket = await connect(`${engine.wsUrl}/v1/graphql`, offered);
    expect(socket.raw.protocol).toBe('graphql-ws');
    socket.send(INIT);
    await socket.next('connection_ack');
    expect(await socket.next('ka')).toEqual({ type: 'ka' });
  }
});

test('a client that asks for no protocol gets the old one, and no protocol in the answer', async () => {
  const socket = await connect(`${engine.wsUrl}/v1/graphql`, undefined);
  expect(socket.raw.protocol).toBe('');
  socket.send(INIT);
  expect(await socket.next()).toEqual({ type: 'connection_ack' });
  expect(await socket.next('ka')).toEqual({ type: 'ka' });
});

test('errors at /v1alpha1/graphql have the old shape', async () => {
  const socket = await connect(`${engine.wsUrl}/v1alpha1/graphql`, 'graphql-ws');
  socket.send(INIT);
  await socket.next('connection_ack');
  socket.send({ id: '1', type: 'start', payload: { query: 'nonsense' } });
  expect(await socket.next()).toEqual({
    type: 'error',
    id: '1',
    payload: { error: 'not a valid graphql query', path: '$.query', code: 'validation-failed' },
  });
});

test('other paths and unknown origins are refused before the upgrade', async () => {
  await expect(connect(`${engine.wsUrl}/v1/other`, 'graphql-ws')).rejects.toThrow('404');
  const strict = await startFakeEngine({ HASURA_GRAPHQL_CORS_DOMAIN: 'https://a.example' });
  await expect(
    connect(`${strict.wsUrl}/v1/graphql`, 'graphql-ws', { Origin: 'https://b.example' }),
  ).rejects.toThrow('400');
  (
    await connect(`${strict.wsUrl}/v1/graphql`, 'graphql-ws', { Origin: 'https://a.example' })
  ).raw.terminate();
  await strict.close();
});

test('a connection ends with its token', async () => {
  const jwtEngine = await startFakeEngine({
    HASURA_GRAPHQL_JWT_SECRET: JSON.stringify({ type: 'RS256', key: pem(rsa.publicKey) }),
  });
  const socket = await connect(`${jwtEngine.wsUrl}/v1/graphql`, 'graphql-transport-ws');
  const exp = secondsFromNow(1);
  const token = await sign({ ...claims(), exp });
  socket.send({ type: 'connection_init', payload: { headers: { Authorization: `Bearer ${token}` } } });
  await socket.next('connection_ack');
  await socket.closed;
  expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000 - 50);
  await jwtEngine.close();
});

test('a connection that says nothing is closed', async () => {
  const hasty = await startFakeEngine({ HASURA_GRAPHQL_WEBSOCKET_CONNECTION_INIT_TIMEOUT: '1' });
  for (const [protocol, code] of [
    ['graphql-transport-ws', 4408],
    ['graphql-ws', 1011],
  ] as const) {
    const socket = await connect(`${hasty.wsUrl}/v1/graphql`, protocol);
    expect(await socket.closed).toEqual({ code, reason: 'Connection initialisation timed out' });
  }
  await hasty.close();
});

test('the cookie authenticates a browser only where CORS allows it', async () => {
  const jwt = {
    HASURA_GRAPHQL_JWT_SECRET: JSON.stringify({
      type: 'RS256',
      key: pem(rsa.publicKey),
      header: { type: 'Cookie', name: 'token' },
    }),
    HASURA_GRAPHQL_DISABLE_CORS: 'true',
  };
  const headers = { Origin: 'https://evil.example', Cookie: `token=${await sign(claims())}` };
  const closedEngine = await startFakeEngine(jwt);
  const refused = await connect(`${closedEngine.wsUrl}/v1/graphql`, 'graphql-ws', headers);
  refused.send({ type: 'connection_init' });
  expect(await refused.next()).toMatchObject({ type: 'connection_error' });
  await closedEngine.close();
  const openEngine = await startFakeEngine({ ...jwt, HASURA_GRAPHQL_WS_READ_COOKIE: 'true' });
  const accepted = await connect(`${openEngine.wsUrl}/v1/graphql`, 'graphql-ws', headers);
  accepted.send({ type: 'connection_init' });
  expect(await accepted.next()).toEqual({ type: 'connection_ack' });
  await openEngine.close();
});
