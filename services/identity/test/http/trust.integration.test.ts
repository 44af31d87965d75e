import { startEngine } from '@latchkey/local/programs/engine';
import { SECRET as CLERK_SECRET } from '@latchkey/tests/support/clerk';
import { applyProject } from '@latchkey/tests/support/engine';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { createDatabase } from '@latchkey/tests/support/postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '#config/read-config.ts';
import { DELETION_LIMIT } from '#core/settings/deletion-limit.ts';
import { createHasuraClient } from '#hasura/client.ts';
import { readTrustMode } from '#hasura/trust-mode.ts';
import { buildApp } from '#http/app.ts';
import { createLogger } from '#http/logger.ts';
import { loadProviders } from '#providers/registry.ts';

const adminSecret = 'the-admin-secret-of-a-test';
const CASDOOR = {
  CASDOOR_ENDPOINT: 'https://door.example.com',
  CASDOOR_APPLICATION: 'app-acme',
  CASDOOR_CLIENT_ID: '0123456789abcdef0123',
  CASDOOR_CLIENT_SECRET: 'the-client-secret',
  CASDOOR_WEBHOOK_SECRET: 'a-secret-of-32-characters-or-so',
};
const CLERK = { CLERK_WEBHOOK_SECRET: CLERK_SECRET, CLERK_FRONTEND_API_URL: 'https://clerk.example.com' };
const COGNITO = {
  COGNITO_USER_POOL_ID: 'eu-west-1_EXAMPLE12',
  COGNITO_CLIENT_IDS: '1example23456789abcdefghij',
  COGNITO_WEBHOOK_SECRET: CLERK_SECRET,
};

/** What `/readyz` answers of a service with these settings, beside this engine. */
async function readiness(endpoint: string, settings: Record<string, string>) {
  const config = readConfig({
    HASURA_GRAPHQL_ENDPOINT: endpoint,
    HASURA_GRAPHQL_ADMIN_SECRET: adminSecret,
    ...settings,
  });
  const engine = createHasuraClient(config.engine);
  const app = buildApp({
    engine,
    providers: await loadProviders(config.providers, engine),
    writer: {
      write: () => Promise.reject(new Error('Nothing is written.')),
      writeDelivery: () => Promise.reject(new Error('Nothing is written.')),
      close: async () => {},
    },
    engineSecrets: [],
    retentionDays: 30,
    deletionLimit: DELETION_LIMIT,
    logger: createLogger('silent'),
    trustMode: () => readTrustMode(config.engine),
  });
  const answer = await app.inject('/readyz');
  await app.close();
  return { status: answer.statusCode, checks: answer.json().checks };
}

const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

let urls: { jwt: string; hook: string };
beforeAll(async () => {
  const database = await createDatabase();
  closers.push(() => database.close());
  const keys: LocalServer = await serve((_request, response) => response.end('{"keys":[]}'));
  closers.push(() => keys.close());
  const start = async (trust: { jwtSecret: { jwk_url: string; issuer: string } } | { authHook: true }) => {
    const engine = await startEngine({ databaseUrl: database.url, adminSecret, ...trust });
    closers.push(() => engine.close());
    return engine.url;
  };
  const jwt = await start({ jwtSecret: { jwk_url: keys.url, issuer: 'https://door.example.com' } });
  await applyProject(jwt, adminSecret);
  // Only then, so that it begins with these metadata and need not hear of them.
  urls = { jwt, hook: await start({ authHook: true }) };
});

describe('an engine in JWT mode', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    ['all organizations of Casdoor', CASDOOR, /CASDOOR_ORGANIZATIONS is empty/],
    ['several of them', { ...CASDOOR, CASDOOR_ORGANIZATIONS: 'acme,beta' }, /names several organizations/],
    [
      'a shared application',
      { ...CASDOOR, CASDOOR_ORGANIZATIONS: 'acme', CASDOOR_AUDIENCE: '0123-org-acme' },
      /shared application/,
    ],
    [
      'Casdoor beside another provider',
      { ...CASDOOR, CASDOOR_ORGANIZATIONS: 'acme', ...CLERK },
      /Casdoor lets administrators choose the ids of their users, those of clerk too/,
    ],
  ])('is not ready for %s, and says why and the fix', async (_what, settings, problem) => {
    expect(await readiness(urls.jwt, settings)).toEqual({
      status: 503,
      checks: {
        engine: 'ok',
        trust: expect.toSatisfy((text: string) => problem.test(text) && /jwt-secret --strict/.test(text)),
      },
    });
  });

  test.each<[string, Record<string, string>]>([
    ['one organization of Casdoor', { ...CASDOOR, CASDOOR_ORGANIZATIONS: 'acme' }],
    ['Clerk', CLERK],
    ['Clerk and Cognito, whose ids are their own', { ...CLERK, ...COGNITO }],
  ])('is ready for %s', async (_what, settings) => {
    expect(await readiness(urls.jwt, settings)).toEqual({ status: 200, checks: { engine: 'ok' } });
  });
});

test('an engine that asks the hook is ready for all of them', async () => {
  expect(await readiness(urls.hook, { ...CASDOOR, ...CLERK, ...COGNITO })).toMatchObject({ status: 200 });
});

test('of an engine that does not tell how it trusts tokens nothing is assumed', async () => {
  const silent = await serve((request, response) => {
    response.statusCode = request.url === '/v1/graphql' ? 200 : 404;
    response.setHeader('content-type', 'application/json').end('{"data":{}}');
  });
  closers.push(() => silent.close());
  expect(await readiness(silent.url, CASDOOR)).toMatchObject({ status: 200 });
});
