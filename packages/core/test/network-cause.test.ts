import { createServer } from 'node:net';
import { freePort } from '@latchkey/local/processes/ports';
import { expect, onTestFinished, test } from 'vitest';
import { networkCause } from '#network-cause.ts';

const failureOf = (url: string, timeoutMs = 5_000): Promise<unknown> =>
  fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).then(
    () => undefined,
    (error: unknown) => error,
  );

/** A port on which every connection is accepted, and handled so. */
async function listen(handle: Parameters<typeof createServer>[1]): Promise<number> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test('a port on which nothing listens', async () => {
  expect(networkCause(await failureOf(`http://127.0.0.1:${await freePort()}`))).toBe(
    'the connection is refused: nothing listens there (ECONNREFUSED)',
  );
});

test('a host that there is not', async () => {
  expect(networkCause(await failureOf('http://nobody.invalid'))).toMatch(
    /^its host name is not found \(DNS\)/,
  );
});

test('a silence that is too long', async () => {
  const port = await listen((socket) => {
    socket.on('error', () => {});
  });
  expect(networkCause(await failureOf(`http://127.0.0.1:${port}`, 50))).toMatch(/^it timed out/);
});

test('a connection that breaks off', async () => {
  const port = await listen((socket) => socket.destroy());
  expect(networkCause(await failureOf(`http://127.0.0.1:${port}`))).toMatch(/^the connection broke off/);
});

test('TLS where none is spoken', async () => {
  const port = await listen((socket) => {
    socket.on('error', () => {});
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  expect(networkCause(await failureOf(`https://127.0.0.1:${port}`))).toMatch(/^TLS failed/);
});

test('what is no failure of the network has none', () => {
  expect(networkCause(new Error('status 404'))).toBeUndefined();
  expect(networkCause(undefined)).toBeUndefined();
});
