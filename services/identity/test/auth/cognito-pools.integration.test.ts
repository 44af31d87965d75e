import { CLIENT, POOL, SUB } from '@latchkey/tests/support/cognito';
import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { findCaller } from '#actions/caller.ts';
import { createAuthHook } from '#auth/hook.ts';
import { createSessionUsers } from '#auth/session-users.ts';
import { createHasuraClient, type HasuraClient } from '#hasura/client.ts';
import { createCognito } from '#providers/cognito/index.ts';
import type { Provider } from '#providers/provider.ts';
import { CONFIG } from '../support/cognito.ts';

// Two pools, and somebody in each with the same sub. AWS never gives one twice; a stand-in may.

const OTHER = 'us-east-1_Other9';
const keys = { [POOL]: await generateKeyPair('RS256'), [OTHER]: await generateKeyPair('RS256') };

let project: EmbeddedProject;
let server: LocalServer;
let engine: HasuraClient;
let provider: Provider;
beforeAll(async () => {
  const sets = new Map<string, string>();
  for (const [pool, { publicKey }] of Object.entries(keys)) {
    const jwk = { ...(await exportJWK(publicKey)), kid: 'key-1', use: 'sig', alg: 'RS256' };
    sets.set(`/${pool}/.well-known/jwks.json`, JSON.stringify({ keys: [jwk] }));
  }
  [project, server] = await Promise.all([
    startEmbedded(),
    serve((request, response) => response.end(sets.get(request.url ?? '') ?? '{}')),
  ]);
  engine = createHasuraClient(project.config);
  provider = createCognito({ ...CONFIG, endpoint: server.url, userPoolIds: [POOL, OTHER] }, engine);
});
afterAll(async () => {
  await server?.close();
  await project?.close();
});
beforeEach(async () => {
  await project.database.query('TRUNCATE public.users CASCADE');
});

const insertRow = (tenant: string) =>
  project.database.query(
    "INSERT INTO public.users (id, provider, tenant, source_updated_at) VALUES ($1, 'cognito', $2, now())",
    [SUB, tenant],
  );

async function session(pool: typeof POOL | typeof OTHER): Promise<Readonly<Record<string, string>>> {
  const now = Math.floor(Date.now() / 1000);
  const token = await new SignJWT({ token_use: 'id', aud: CLIENT, sub: SUB, iat: now, exp: now + 60 })
    .setIssuer(`${server.url}/${pool}`)
    .setProtectedHeader({ alg: 'RS256', kid: 'key-1' })
    .sign(keys[pool].privateKey);
  const hook = createAuthHook({
    providers: new Map([['cognito', provider]]),
    users: createSessionUsers(engine, []),
    claims: [],
    unauthorizedRole: undefined,
  });
  return (await hook([['authorization', `Bearer ${token}`]])).variables;
}

test.each([
  [POOL, OTHER],
  [OTHER, POOL],
] as const)(
  'a token of %s is good for the row of its own pool, and not for one of %s',
  async (own, foreign) => {
    await insertRow(own);
    expect(await session(own)).toMatchObject({
      'x-hasura-user-id': SUB,
      'x-hasura-identity-provider': 'cognito',
      'x-hasura-identity-tenant': own,
    });
    await expect(session(foreign)).rejects.toMatchObject({ code: 'token-invalid' });
  },
);

test('nor do actions act for the row of another pool', async () => {
  await insertRow(POOL);
  const context = { engine, providers: new Map([['cognito', provider]] as const) };
  const variables = (tenant: string) => ({
    'x-hasura-user-id': SUB,
    'x-hasura-identity-provider': 'cognito',
    'x-hasura-identity-tenant': tenant,
  });
  expect(await findCaller(context, variables(POOL))).toMatchObject({ tenant: POOL, id: SUB });
  await expect(findCaller(context, variables(OTHER))).rejects.toMatchObject({ name: 'LatchkeyError' });
});

test('without a word of the pool, no action acts: JWT mode cannot tell several apart', async () => {
  await insertRow(POOL);
  const context = { engine, providers: new Map([['cognito', provider]] as const) };
  await expect(findCaller(context, { 'x-hasura-user-id': SUB })).rejects.toMatchObject({
    message: expect.stringContaining('COGNITO_USER_POOL_ID names several pools'),
  });
});
