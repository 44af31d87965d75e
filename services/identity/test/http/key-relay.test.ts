import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { errorHandler } from '#http/errors.ts';
import { createLogger } from '#http/logger.ts';
import { authHook } from '#http/routes/auth-hook.ts';
import { keyRelay } from '#http/routes/key-relay.ts';
import { type Issuers, startIssuers } from '../support/issuer.ts';

let issuers: Issuers;
let app: FastifyInstance;
let logged: string;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  issuers = await startIssuers();
  logged = '';
  const logger: FastifyBaseLogger = createLogger('info', {
    write(line) {
      logged += line;
    },
  });
  app = Fastify({ loggerInstance: logger });
  app.setErrorHandler(errorHandler);
  // Whose row it is does not matter here.
  const users = { find: async () => undefined };
  authHook(app, { providers: issuers.providers, users, claims: [], unauthorizedRole: undefined });
  keyRelay(app, { providers: issuers.providers });
});
afterEach(async () => {
  vi.useRealTimers();
  await app.close();
  await issuers.close();
});

test.each(['clerk', 'casdoor', 'cognito', 'oidc'])(
  'the public keys of %s are given, for a minute',
  async (name) => {
    const answer = await app.inject(`/jwks/${name}`);
    expect([answer.statusCode, answer.headers['cache-control']]).toEqual([200, 'public, max-age=60']);
    expect(answer.json()).toEqual({
      keys: [{ kty: 'RSA', use: 'sig', kid: 'key-1', alg: 'RS256', n: expect.any(String), e: 'AQAB' }],
    });
  },
);

test('there are no keys of anybody else', async () => {
  for (const path of ['/jwks', '/jwks/', '/jwks/auth0', '/jwks/clerk/x', '/jwks/..%2Fclerk', '/jwks/CLERK']) {
    expect((await app.inject(path)).statusCode, path).toBe(404);
  }
  expect(issuers.asked()).toBe(0);
});

test('through an outage the last good keys are given, and a line says so', async () => {
  const good = (await app.inject('/jwks/casdoor')).json();
  issuers.answerWith(503);
  vi.setSystemTime(Date.now() + 120_000);
  const answer = await app.inject('/jwks/casdoor');
  expect([answer.statusCode, answer.json()]).toEqual([200, good]);
  const line: unknown = JSON.parse(logged.split('\n').find((text) => text.includes('last good')) ?? '{}');
  expect(line).toMatchObject({ level: 40, provider: 'casdoor', ageSeconds: 120 });
});

test('where there never were any, that is 503, to be asked again', async () => {
  issuers.answerWith(500);
  const answer = await app.inject('/jwks/clerk');
  expect(answer.statusCode).toBe(503);
  expect(answer.headers['cache-control']).toBeUndefined();
  expect(answer.json()).toEqual({ code: 'unavailable', message: expect.not.stringMatching(/stored/) });
});

test('a token by an unknown key brings the new keys early, for Hasura too', async () => {
  await app.inject('/jwks/clerk');
  vi.setSystemTime(Date.now() + 11_000);
  const unknown = `${btoa('{"alg":"RS256","kid":"key-2","typ":"JWT"}')}.${btoa(JSON.stringify({ iss: issuers.url }))}.x`;
  const headers = { authorization: `Bearer ${unknown.replaceAll('=', '')}` };
  for (const expected of [2, 2, 2]) {
    expect((await app.inject({ url: '/auth/hook', headers })).statusCode).toBe(401);
    expect(issuers.asked()).toBe(expected);
  }
});
