import { request as httpRequest } from 'node:http';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type LightMyRequestResponse } from 'fastify';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { answerError } from '../../../../../services/identity/http/errors.ts';
import { createLogger } from '../../../../../services/identity/http/logger.ts';
import { authHook } from '../../../../../services/identity/http/routes/auth-hook.ts';
import { type Issuers, SUBJECT, startIssuers } from '../../../../support/issuer.ts';

let issuers: Issuers;
let app: FastifyInstance;
let logged: string;
beforeEach(async () => {
  issuers = await startIssuers(['editor']);
  app = build();
});
afterEach(async () => {
  vi.useRealTimers();
  await app.close();
  await issuers.close();
});

function build(unauthorizedRole?: string): FastifyInstance {
  logged = '';
  const logger: FastifyBaseLogger = createLogger('trace', {
    write(line) {
      logged += line;
    },
  });
  const created = Fastify({ loggerInstance: logger });
  created.setErrorHandler(answerError);
  authHook(created, { providers: issuers.providers, unauthorizedRole });
  return created;
}

type Headers = Record<string, string>;
const MODES: [string, (headers: Headers) => Promise<LightMyRequestResponse>][] = [
  ['GET', (headers) => app.inject({ method: 'GET', url: '/auth/hook', headers })],
  [
    'POST',
    (headers) =>
      app.inject({
        method: 'POST',
        url: '/auth/hook',
        payload: { headers, request: { query: '{ users { id } }' } },
      }),
  ],
];
const bearer = (token: string): Headers => ({ Authorization: `Bearer ${token}` });

describe.each(MODES)('mode %s', (_mode, ask) => {
  test.each(['clerk', 'casdoor', 'cognito'] as const)(
    'tells who the bearer of a token of %s is',
    async (name) => {
      const exp = Math.floor(Date.now() / 1000) + 600;
      vi.useFakeTimers({ toFake: ['Date'], now: (exp - 600) * 1000 });
      const answer = await ask(bearer(await issuers.token(name, { exp })));
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toEqual({
        'x-hasura-user-id': SUBJECT,
        'x-hasura-role': 'user',
        'Cache-Control': 'max-age=600',
      });
      expect(answer.headers['cache-control']).toBe('max-age=600');
    },
  );

  test('gives the role that is asked for where the token allows it, and refuses any other', async () => {
    const headers = bearer(
      await issuers.token('cognito', { 'cognito:groups': ['editor', 'admin', 'owner'] }),
    );
    for (const role of ['editor', 'user']) {
      expect((await ask({ ...headers, 'X-Hasura-Role': role })).json()).toMatchObject({
        'x-hasura-role': role,
      });
    }
    for (const role of ['admin', 'owner', 'Editor', 'editor, user', ' ']) {
      expect((await ask({ ...headers, 'X-Hasura-Role': role })).statusCode, role).toBe(401);
    }
  });

  test('passes on nothing of what the client sends', async () => {
    const smuggled = {
      'x-hasura-user-id': 'somebody else',
      'X-Hasura-Allowed-Roles': '["admin"]',
      'x-hasura-org-id': 'org_1',
      'x-hasura-use-backend-only-permissions': 'true',
      cookie: 'x-hasura-role=admin',
      'x-forwarded-for': '127.0.0.1',
    };
    const answer = await ask({ ...bearer(await issuers.token('clerk')), ...smuggled });
    expect(answer.json()).toEqual({
      'x-hasura-user-id': SUBJECT,
      'x-hasura-role': 'user',
      'Cache-Control': expect.any(String),
    });
  });

  test('refuses whoever has no good token, by 401 that nobody may keep', async () => {
    const expired = await issuers.token('clerk', { exp: Math.floor(Date.now() / 1000) - 60 });
    for (const headers of [{}, bearer(expired), bearer('a.b.c'), { authorization: 'Basic YTpi' }]) {
      const answer = await ask(headers);
      expect([answer.statusCode, answer.json().code, answer.headers['cache-control']]).toEqual([
        401,
        'token-invalid',
        'no-store',
      ]);
    }
    expect(logged).not.toContain(expired.slice(-40));
  });

  test('gives the role for nobody only to whom has no token at all', async () => {
    await app.close();
    app = build('visitor');
    const answer = await ask({ 'x-hasura-user-id': SUBJECT });
    expect([answer.statusCode, answer.json()]).toEqual([200, { 'x-hasura-role': 'visitor' }]);
    expect((await ask({ 'x-hasura-role': 'visitor' })).statusCode).toBe(200);
    for (const headers of [{ 'x-hasura-role': 'user' }, { 'x-hasura-role': 'admin' }, bearer('a.b.c')]) {
      expect((await ask(headers)).statusCode).toBe(401);
    }
    expect(
      (await ask({ ...bearer(await issuers.token('clerk')), 'x-hasura-role': 'visitor' })).statusCode,
    ).toBe(401);
  });

  test('answers 503, and not that the token is bad, where the keys cannot be had', async () => {
    issuers.answerWith(500);
    const headers = bearer(await issuers.token('clerk'));
    const answer = await ask(headers);
    expect([answer.statusCode, answer.headers['cache-control']]).toEqual([503, 'no-store']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    issuers.answerWith(200);
    expect((await ask(headers)).statusCode).toBe(200);
  });

  test('goes on through an outage once it has had the keys', async () => {
    expect((await ask(bearer(await issuers.token('clerk')))).statusCode).toBe(200);
    issuers.answerWith(500);
    expect((await ask(bearer(await issuers.token('clerk', { jti: 'another' })))).statusCode).toBe(200);
  });
});

test('two Authorization headers are refused, whichever is good and whatever their case', async () => {
  const good = `Bearer ${await issuers.token('clerk')}`;
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const status = await new Promise((resolve, reject) => {
    const sent = httpRequest(`${url}/auth/hook`, (answer) => {
      resolve(answer.statusCode);
      answer.resume();
    });
    sent.on('error', reject);
    sent.setHeader('authorization', [good, 'Bearer a.b.c']);
    sent.end();
  });
  expect(status).toBe(401);
  const posted = await app.inject({
    method: 'POST',
    url: '/auth/hook',
    payload: { headers: { Authorization: good, authorization: good } },
  });
  expect(posted.statusCode).toBe(401);
});

test.each<[string, unknown]>([
  ['no headers', {}],
  ['a list of headers', { headers: ['authorization'] }],
  ['headers that are no texts', { headers: { authorization: ['a', 'b'] } }],
  ['a text', '"headers"'],
  ['no JSON', '{"headers":'],
  ['a prototype', '{"headers":{"__proto__":{"authorization":"x"}}}'],
])('a body with %s is answered by 400', async (_what, body) => {
  const answer = await app.inject({
    method: 'POST',
    url: '/auth/hook',
    headers: { 'content-type': 'application/json' },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'request-invalid']);
});
