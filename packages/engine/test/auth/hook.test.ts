import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { afterEach, describe, expect, test } from 'vitest';
import { createAuthenticator } from '#auth/authenticator.ts';
import { silentLogger } from '#base/log.ts';

let server: LocalServer | undefined;
afterEach(() => server?.close());

interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string | string[]>;
}

async function withHook(answer: Answer, mode: 'GET' | 'POST' = 'GET', sendRequestBody = true) {
  const seen: { request: IncomingMessage; body: string }[] = [];
  server = await serve(async (request, response) => {
    seen.push({ request, body: await text(request) });
    response.writeHead(answer.status ?? 200, answer.headers);
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {}));
  });
  const authenticator = await createAuthenticator(
    {
      adminSecrets: ['s'],
      jwtSecret: undefined,
      authHook: { url: server.url, mode, sendRequestBody },
      unauthorizedRole: undefined,
    },
    silentLogger,
  );
  return { authenticator, seen };
}

const USER = { 'X-Hasura-Role': 'user', 'x-hasura-user-id': '1', other: 'dropped' };

describe('the hook', () => {
  test('is asked with the headers of the client, less those of the connection, in GET mode', async () => {
    const { authenticator, seen } = await withHook({ body: USER });
    const { session } = await authenticator.authenticate([
      ['Authorization', 'Bearer x'],
      ['Origin', 'http://a'],
      ['X-Mine', '1'],
    ]);
    expect(session).toMatchObject({
      role: 'user',
      variables: { 'x-hasura-role': 'user', 'x-hasura-user-id': '1' },
      isAdmin: false,
    });
    expect(Object.keys(session.variables)).not.toContain('other');
    const { request } = seen[0] ?? {};
    expect(request?.method).toBe('GET');
    expect(request?.headers).toMatchObject({ authorization: 'Bearer x', 'x-mine': '1' });
    expect(request?.headers).not.toHaveProperty('origin');
  });

  test.each([true, false])('is told headers as written, and the request: %s, in POST mode', async (sends) => {
    const { authenticator, seen } = await withHook({ body: USER }, 'POST', sends);
    await authenticator.authenticate([['Authorization', 'Bearer x']], { query: '{a}' });
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
      headers: { Authorization: 'Bearer x' },
      ...(sends ? { request: { query: '{a}' } } : {}),
    });
  });

  test('is not asked when the admin secret is there', async () => {
    const { authenticator, seen } = await withHook({ status: 500 });
    await authenticator.authenticate([['x-hasura-admin-secret', 's']]);
    expect(seen).toHaveLength(0);
  });

  test.each<[string, Answer, Record<string, unknown>]>([
    [
      'refuses',
      { status: 401 },
      { code: 'access-denied', message: 'Authentication hook unauthorized this request' },
    ],
    ['fails', { status: 500 }, { code: 'unexpected', message: 'Invalid response from authorization hook' }],
    ['answers another 2xx', { status: 204 }, { code: 'unexpected' }],
    ['answers no JSON', { body: '<html>' }, { code: 'unexpected' }],
    ['answers other than text', { body: { 'x-hasura-role': 1 } }, { code: 'unexpected' }],
    [
      'forgets the role',
      { body: { 'x-hasura-user-id': '1' } },
      { code: 'invalid-params', message: '"x-hasura-role" not found in session variables' },
    ],
  ])('%s: an error', async (_, answer, error) => {
    const { authenticator } = await withHook(answer);
    await expect(authenticator.authenticate([])).rejects.toMatchObject(error);
  });

  test('cannot be reached: an error that tells nothing of it', async () => {
    const { authenticator } = await withHook({});
    await server?.close();
    await expect(authenticator.authenticate([])).rejects.toMatchObject({
      status: 500,
      message: 'webhook authentication request failed',
    });
  });

  test('passes its cookies on to the client', async () => {
    const { authenticator } = await withHook({ body: USER, headers: { 'Set-Cookie': ['a=1', 'b=2'] } });
    expect((await authenticator.authenticate([])).responseHeaders).toEqual([
      ['Set-Cookie', 'b=2'],
      ['Set-Cookie', 'a=1'],
    ]);
  });

  test('bounds the life of a connection by Cache-Control or Expires in its body', async () => {
    const before = Date.now();
    const first = await withHook({ body: { ...USER, 'Cache-Control': 'max-age=60' } });
    const { expiresAt } = await first.authenticator.authenticate([]);
    expect(expiresAt).toBeGreaterThanOrEqual(before + 60_000);
    await server?.close();
    const at = new Date('2999-01-01T00:00:00Z');
    const second = await withHook({ body: { ...USER, Expires: at.toUTCString() } });
    expect((await second.authenticator.authenticate([])).expiresAt).toBe(at.getTime());
  });
});

test('the hook gets Hasura’s own headers and a trace, in both modes', async () => {
  for (const mode of ['GET', 'POST'] as const) {
    const { authenticator, seen } = await withHook({ body: USER }, mode);
    await authenticator.authenticate([]);
    const headers = seen[0]?.request.headers;
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^hasura-graphql-engine\/v2/),
      'x-b3-traceid': expect.stringMatching(/^[0-9a-f]{32}$/),
      traceparent: expect.stringContaining(String(headers?.['x-b3-traceid'])),
    });
    await server?.close();
  }
});

test.each([
  ['[]', 'Error in $: parsing HashMap ~Text failed, expected Object, but encountered Array'],
  [
    '{"x-hasura-user-id": 1}',
    "Error in $['x-hasura-user-id']: parsing Text failed, expected String, but encountered Number",
  ],
  ['{"role": null}', 'Error in $.role: parsing Text failed, expected String, but encountered Null'],
])('an answer of %s is refused with what is wrong with it', async (body, reason) => {
  const { authenticator } = await withHook({ body });
  await expect(authenticator.authenticate([])).rejects.toMatchObject({
    code: 'unexpected',
    message: `Invalid response from authorization hook: ${reason}`,
  });
});
