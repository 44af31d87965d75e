import { once } from 'node:events';
import { request } from 'node:http';
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

  /** By hand: `fetch` resolves dots, and some methods it does not send. */
  const ask = async (method: string, path: string, headers = '') => {
    const socket = connectRaw(Number(new URL(engine.url).port), '127.0.0.1');
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}\r\n`);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body };
  };

  test.each([
    ['GET', '/'],
    ['GET', '/v1/nothing'],
    ['POST', '/healthz'],
    ['GET', '/v1/../healthz'],
    ['GET', '/./healthz'],
    ['GET', '/v1%2Fversion'],
    ['GET', '/%2568ealthz'],
    ['GET', '/%'],
    ['GET', '/healthz%'],
  ])('%s %s is not there', async (method, path) => {
    const { status, body } = await ask(method, path);
    expect(status).toBe(404);
    expect(JSON.parse(body)).toEqual({ error: 'resource does not exist', path: '$', code: 'not-found' });
  });

  test.each(['/healthz', '//healthz', '/healthz/', '/%68ealthz', '/hasura//healthz/?a', 'http://x/healthz'])(
    '%s is the health check',
    async (path) => {
      expect(await ask('GET', path)).toMatchObject({ status: 200, body: 'OK' });
    },
  );

  test.each([
    ['HEAD', '/healthz'],
    ['PUT', '/v1/graphql'],
    ['DELETE', '/v1/metadata'],
    ['PATCH', '/nothing'],
    ['OPTIONS', '/v1/graphql'],
  ])('%s %s has no route: an error of the server', async (method, path) => {
    expect((await ask(method, path)).status).toBe(500);
  });

  test('a stored query has its methods, and no others', async () => {
    const secret = `x-hasura-admin-secret: ${ADMIN_SECRET}\r\n`;
    for (const method of ['OPTIONS', 'TRACE']) {
      const { status, body } = await ask(method, '/api/rest/x', secret);
      expect({ status, body: JSON.parse(body) }).toEqual({
        status: 400,
        body: { error: `Method ${method} not supported.`, path: '$', code: 'bad-request' },
      });
    }
    expect(JSON.parse((await ask('PUT', '/api/rest/x', secret)).body)).toMatchObject({ code: 'not-found' });
  });

  test.each(['/v1/graphql/', '/v1//graphql', '/v1/%67raphql'])(
    '%s is the GraphQL API, which tells errors with status 200',
    async (path) => {
      const response = await fetch(engine.url + path, { method: 'POST', body: '{"query":"query a"}' });
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'access-denied' } }] });
    },
  );

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

describe('a body', () => {
  const PATHS = [
    '/v1/graphql',
    '/v1alpha1/graphql',
    '/v1/metadata',
    '/v2/query',
    '/v1/query',
    '/v1/graphql/explain',
    '/v1alpha1/pg_dump',
  ];
  const BROKEN: [string, string | Buffer<ArrayBuffer>][] = [
    ['bytes that are no UTF-8', Buffer.from('{"query":"query \xff"}', 'latin1')],
    ['an encoded surrogate', Buffer.from('{"query":"query \xed\xa0\x80"}', 'latin1')],
    ['half of a surrogate pair', '{"query":"query \\ud800"}'],
    ['the other half', '{"query":"query \\udc00x"}'],
    ['two halves in the wrong order', '{"query":"query \\ude00\\ud83d"}'],
    ['half of a pair as a key', '{"query":"query a","\\uD800":1}'],
    ['half of a pair among long numbers', '{"n":12345678901234567890,"query":"\\ud800"}'],
  ];
  test.each(PATHS.flatMap((path) => BROKEN.map((one) => [path, ...one] as const)))(
    'to %s with %s is no JSON',
    async (path, _, body) => {
      const response = await fetch(engine.url + path, {
        method: 'POST',
        body,
        headers: { 'x-hasura-admin-secret': ADMIN_SECRET },
      });
      const answer = await response.text();
      expect(answer).toContain('"invalid-json"');
      expect(answer).toContain('Invalid UTF-8 stream');
    },
  );

  test('may have surrogates in pairs, and their escapes escaped', async () => {
    for (const query of ['query \\ud83d\\ude00', 'query \\\\ud800'])
      expect(await (await post('/v1/graphql', `{"query":"${query}"}`)).json()).toMatchObject({ data: {} });
  });

  test('with a byte order mark is no JSON', async () => {
    expect(await (await post('/v1/graphql', '\ufeff{"query":"query a"}')).json()).toMatchObject({
      errors: [{ extensions: { code: 'invalid-json' } }],
    });
  });

  test('with a key twice: the first counts', async () => {
    const answer = await post('/v1/graphql', '{"query":"query a","\\u0071uery":"query b","query":1}');
    expect(await answer.json()).toMatchObject({ data: { query: 'query a' } });
    const deep = await post('/v1/metadata', '{"a":{"b":[{"c":1,"c":{"d":2},"e":3}],"b":4},"a":5}');
    expect(await deep.json()).toEqual({ echo: { a: { b: [{ c: 1, e: 3 }] } } });
  });
});

describe('an answer is zipped', () => {
  const zipped = async (encoding: string | undefined, length: number) => {
    const { port } = new URL(engine.url);
    const asked = request({
      port,
      method: 'POST',
      path: '/v1/graphql',
      headers: {
        'x-hasura-admin-secret': ADMIN_SECRET,
        ...(encoding === undefined ? {} : { 'accept-encoding': encoding }),
      },
    });
    asked.end(JSON.stringify({ query: `query ${'a'.repeat(length)}` }));
    const [answer] = await once(asked, 'response');
    answer.resume();
    return answer.headers['content-encoding'];
  };

  test.each([
    ['gzip'],
    ['gzip, deflate, br'],
    ['br;q=1.0, gzip;q=0.5'],
    ['gzip; q=0'],
    ['x-other, gzip, *;q=0'],
  ])('for %s where it is long', async (encoding) => {
    expect(await zipped(encoding, 1000)).toBe('gzip');
  });

  test.each([[undefined], [''], ['*'], ['br'], ['deflate'], ['gzip;q=0'], ['gzip;q=0, gzip'], ['x-gzip']])(
    'not for %s',
    async (encoding) => {
      expect(await zipped(encoding, 1000)).toBeUndefined();
    },
  );

  test('however short, where nothing else is taken', async () => {
    expect(await zipped('gzip', 10)).toBeUndefined();
    expect(await zipped('gzip, identity;q=0', 10)).toBe('gzip');
    expect(await zipped('gzip, *;q=0', 10)).toBe('gzip');
    expect(await zipped('gzip, identity, *;q=0', 10)).toBeUndefined();
  });

  test('from 700 bytes on, not characters', async () => {
    const answer = await post('/v1/graphql', JSON.stringify({ query: `query ${'é'.repeat(400)}` }), {
      'accept-encoding': 'gzip',
    });
    expect(answer.headers.get('content-encoding')).toBe('gzip');
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
