/** Handlers that end a connection instead of answering. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callWebhook } from '#outgoing/post.ts';

let server: Server;
let url: string;
/** What came, by path. */
let asked: string[] = [];
/** Answers `/ok`; drops the connection of `/drop`, and of `/begin` after the first part of the answer. */
beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/ok') response.end('{}');
    else if (request.url === '/begin') response.write('{', () => request.socket.destroy());
    else request.socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

const call = (path: string, timeoutMs = 5000) =>
  callWebhook({ url: url + path, headers: [], body: '{}', timeoutMs }).then(
    ({ status }) => status,
    (error: Error) => error.name,
  );

test('a connection that was used before and ends without an answer is given up for another', async () => {
  expect(await call('/ok')).toBe(200);
  expect(await call('/drop')).toBe('WebhookUnreachable');
  expect(asked).toEqual(['/ok', '/drop', '/drop']);
});

test('a new connection that ends without an answer is an error at once', async () => {
  expect(await call('/drop')).toBe('WebhookUnreachable');
  expect(asked).toEqual(['/drop']);
});

test('an answer that ends halfway is not asked for again', async () => {
  expect(await call('/ok')).toBe(200);
  expect(await call('/begin')).toBe('WebhookUnreachable');
  expect(asked).toEqual(['/ok', '/begin']);
});
