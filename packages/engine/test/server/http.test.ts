import { connect as connectRaw } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { corsHeaders, createCorsPolicy } from '#server/cors.ts';
import { ADMIN_SECRET, startFakeEngine } from './fake-engine.ts';

let engine: Awaited<ReturnType<typeof startFakeEngine>>;
beforeAll(async () => {
  engine = await startFakeEngine();
});
afterAll(() => engine.close());

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(engine.url + path, {
    method: 'POST',
    body,
    headers: { 'x-hasura-admin-secret': ADMIN_SECRET, ...headers },
  });

describe('/v1/graphql', () => {
  test('answers a request', async () => {
    const response = await post('/v1/graphql', JSON.stringify({ query: 'query a' }));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ data: { query: 'query a', role: 'admin' } });
  });

  test('answers a batch, each request for itself', async () => {
    const response = await post(
      '/v1/graphql',
      JSON.stringify([{ query: 'query a' }, { query: 'mutation fail' }]),
    );
    expect(await response.json()).toMatchObject([{ data: {} }, { errors: [{ message: 'no such luck' }] }]);
  });

  test.each([
    ['/v1/graphql', 200],
    ['/v1alpha1/graphql', 400],
  ])('%s answers errors with status %i', async (path, status) => {
    const response = await post(path, JSON.stringify({ query: 'mutation fail' }), {
      'x-hasura-role': 'user',
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      errors: [{ message: 'no such luck', extensions: { path: '$', code: 'data-exception' } }],
    });
  });

  test('tells admins what happened inside, and nobody of a bug', async () => {
    const told = await (await post('/v1/graphql', JSON.stringify({ query: 'mutation fail' }))).json();
    expect(told).toMatchObject({ errors: [{ extensions: { internal: { secret: 1 } } }] });
    const bug = await post('/v1/graphql', JSON.stringify({ query: 'query explode' }), {
      'x-hasura-role': 'user',
    });
    expect(await bug.text()).not.toContain('details');
  });

  test('takes no GET, which is for persisted queries', async () => {
    const get = async (headers: Record<string, string>) =>
      (await fetch(`${engine.url}/v1/graphql?query={a}`, { headers })).json();
    expect(await get({ 'x-hasura-admin-secret': ADMIN_SECRET })).toEqual({
      errors: [{ message: 'PersistedQueryNotSupported', extensions: { path: '$', code: 'not-supported' } }],
    });
    expect(await get({ 'x-hasura-admin-secret': 'wrong' })).toMatchObject({
      errors: [{ extensions: { code: 'access-denied' } }],
    });
  });

  test('subscriptions need a WebSocket', async () => {
    const response = await post('/v1/graphql', JSON.stringify({ query: 'subscription a' }));
    expect(await response.json()).toMatchObject({
      errors: [{ message: 'subscriptions are not supported over HTTP, use websockets instead' }],
    });
  });

  test.each([
    '',
    '{',
    'null',
    '"query"',
    '1',
    '[1]',
    '{}',
    '{"query":1}',
    '{"query":"query a","variables":"x"}',
    '{"query":"query a","operationName":{}}',
    '{"query":"query a","extensions":{"persistedQuery":{}}}',
    `${'['.repeat(20_000)}`,
    '{"__proto__":{"query":"query a"}}',
  ])('a body that is no request is an error, never a crash: %.30s', async (body) => {
    const response = await post('/v1/graphql', body);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: expect.any(String) } }] });
    const alive = await fetch(`${engine.url}/healthz`);
    expect(await alive.text()).toBe('OK');
  });
});

describe('the other paths', () => {
  test.each(['/v1/metadata', '/v2/query', '/v1/query'])(
    '%s answers errors with their status',
    async (path) => {
      expect((await post(path, '{')).status).toBe(400);
      const unauthorized = await fetch(engine.url + path, { method: 'POST', body: '{}' });
      expect(unauthorized.status).toBe(401);
      expect(await unauthorized.json()).toEqual({
        error: '"x-hasura-admin-secret"/"x-hasura-access-key" required, but not found',
        path: '$',
        code: 'access-denied',
      });
    },
  );

  test.each([
    ['PUT', '/v1/graphql'],
    ['PUT', '/v1/metadata'],
    ['GET', '/'],
    ['GET', '/v1/../v1/nothing'],
    ['GET', '/%'],
  ])('%s %s is not there', async (method, path) => {
    const response = await fetch(engine.url + path, { method });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: 'resource does not exist', path: '$', code: 'not-found' });
  });

  test.each(['//', '///', '//[', 'http://[', '*', '/v1/graphql?%', '/api/rest/%'])(
    'a path that is no path is answered, not fatal: %s',
    async (path) => {
      const { port } = new URL(engine.url);
      const socket = connectRaw(Number(port), '127.0.0.1');
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 (4\d\d|200)/);
      expect((await fetch(`${engine.url}/healthz`)).status).toBe(200);
    },
  );

  test('/v1alpha1/config is for admins', async () => {
    const headers = { 'x-hasura-admin-secret': ADMIN_SECRET };
    const told = await fetch(`${engine.url}/v1alpha1/config`, { headers });
    expect(await told.json()).toMatchObject({ version: 'v2.48.16', is_admin_secret_set: true, jwt: [] });
    const refused = await fetch(`${engine.url}/v1alpha1/config`, {
      headers: { ...headers, 'x-hasura-role': 'user' },
    });
    expect(refused.status).toBe(400);
  });

  test('an API that is not enabled is not there', async () => {
    const partial = await startFakeEngine({ HASURA_GRAPHQL_ENABLED_APIS: 'metadata' });
    const response = await fetch(`${partial.url}/v1/graphql`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(404);
    await partial.close();
  });
});

describe('CORS', () => {
  const policy = createCorsPolicy(
    'http://localhost:3000, https://*.foo.bar, http://*.localhost:8000',
    false,
    false,
  );
  const allowed = (origin: string) => Object.keys(corsHeaders(policy, origin)).length > 0;

  test.each(['http://localhost:3000', 'https://app.foo.bar', 'http://x.localhost:8000'])(
    '%s may call',
    (origin) => {
      expect(allowed(origin)).toBe(true);
    },
  );

  test.each([
    'http://localhost',
    'https://foo.bar',
    'https://a.b.foo.bar',
    'http://app.foo.bar',
    'https://evilfoo.bar',
    'https://app.foo.bar.evil.example',
    'https://app.foo.bar:444',
    'null',
    '',
  ])('%s may not', (origin) => {
    expect(allowed(origin)).toBe(false);
  });

  test('a domain without a scheme is refused at start', () => {
    expect(() => createCorsPolicy('foo.bar', false, false)).toThrow(
      /HASURA_GRAPHQL_CORS_DOMAIN: invalid domain/,
    );
  });
});
