import type { JwtSecret } from '@latchkey/core/jwt-secret';
import { cognitoEngineAuth } from '@latchkey/identity/providers/cognito/engine-auth';
import type { CognitoTokens } from '@latchkey/identity/providers/cognito/settings';
import { createGraphqlClient } from '@latchkey/local/graphql-client';
import { createMetadataApi } from '@latchkey/scripts/project/metadata-api';
import { CLIENT, fixture, type JsonFixture, POOL, SUB } from '@latchkey/tests/support/cognito';
import { startTestEngine } from '@latchkey/tests/support/engine';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import type { TestEngine } from '@latchkey/tests/support/test-engine';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readClaimsConfig } from '#config.ts';
import { createPreToken } from '#pre-token.ts';

const { privateKey, publicKey } = await generateKeyPair('RS256');
const jwk = { ...(await exportJWK(publicKey)), kid: '1234example=', use: 'sig', alg: 'RS256' };
let server: LocalServer;

beforeAll(async () => {
  server = await serve((_request, response) => response.end(JSON.stringify({ keys: [jwk] })));
});
afterAll(async () => {
  for (const started of engines.values()) await (await started).close();
  await server.close();
});

/** The token that Cognito makes of a recorded one and of what the trigger adds to it. */
async function issue(
  kind: 'id' | 'access',
  event: JsonFixture,
  environment: Record<string, string> = {},
): Promise<string> {
  const { config } = readClaimsConfig({
    LATCHKEY_ALLOWED_ROLES: 'admins',
    LATCHKEY_MACHINE_ROLES: `${CLIENT}=importer`,
    ...environment,
  });
  if (config === undefined) throw new Error('no configuration');
  const answer: { response?: unknown } = await createPreToken(config, () => {})(event);
  const { claimsOverrideDetails, claimsAndScopeOverrideDetails } = Object(answer.response);
  const added = claimsOverrideDetails ?? claimsAndScopeOverrideDetails?.[`${kind}TokenGeneration`];
  const { payload } = fixture(`${kind}-token.json`);
  return new SignJWT({
    ...Object(payload),
    ...added?.claimsToAddOrOverride,
    iss: `${server.url}/${POOL}`,
    exp: Math.floor(Date.now() / 1000) + 60,
  })
    .setProtectedHeader({ alg: 'RS256', kid: '1234example=' })
    .sign(privateKey);
}

/** What the engine makes of a token, told by a function that is given the session. */
const WHO_AM_I = `
  create table who (role text, user_id text, variables json);
  create function who_am_i(session json) returns setof who stable language sql
    as $$ select (session->>'x-hasura-role', session->>'x-hasura-user-id', session)::who $$;`;
const engines = new Map<string, Promise<TestEngine>>();

async function startEngine(jwtSecret: JwtSecret): Promise<TestEngine> {
  const adminSecret = 'an-admin-secret';
  const engine = await startTestEngine({ adminSecret, jwtSecret });
  const api = createMetadataApi(engine.url, adminSecret);
  await api.query('run_sql', { source: 'default', sql: WHO_AM_I });
  await api.metadata('pg_track_table', { table: 'who' });
  await api.metadata('pg_track_function', {
    function: 'who_am_i',
    configuration: { session_argument: 'session' },
  });
  for (const role of ['user', 'admins', 'importer'])
    await api.metadata('pg_create_select_permission', {
      table: 'who',
      role,
      permission: { columns: '*', filter: {} },
    });
  return engine;
}

/** An engine as it is configured for these settings; one for all tests that have the same. */
async function engine(settings: Partial<CognitoTokens>) {
  const { jwtSecret } = cognitoEngineAuth({
    userPoolIds: [POOL],
    clientIds: [CLIENT],
    tokenUse: 'id',
    triggerVersion: 'V1_0',
    issuer: undefined,
    keysUrl: undefined,
    endpoint: server.url,
    ...settings,
  });
  const key = JSON.stringify(jwtSecret);
  const started = engines.get(key) ?? startEngine(jwtSecret);
  engines.set(key, started);
  const hasura = createGraphqlClient((await started).url);
  return async (token: string, role?: string) => {
    const answer = await hasura.query('{ who_am_i { role user_id variables } }', {
      token,
      ...(role === undefined ? {} : { role }),
    });
    return answer.data?.who_am_i ?? answer.codes;
  };
}

const v1 = fixture('pretoken.v1.json');
const v2 = fixture('pretoken.v2.json');
const v3 = { ...v2, version: '3' };

test.each([
  ['V1_0', 'id', v1],
  ['V2_0', 'id', v2],
  ['V2_0', 'access', v2],
  ['V3_0', 'id', v3],
  ['V3_0', 'access', v3],
] as const)(
  '%s: an %s token is taken by Hasura as it is configured for it',
  async (triggerVersion, kind, event) => {
    const authenticate = await engine({ triggerVersion, tokenUse: kind });
    const token = await issue(kind, event);
    expect(await authenticate(token)).toMatchObject([{ role: 'user', user_id: SUB }]);
    expect(await authenticate(token, 'admins')).toMatchObject([{ role: 'admins', user_id: SUB }]);
    expect(await authenticate(token, 'admin')).toEqual(['access-denied']);
  },
);

test.each([
  ['V1_0', v1],
  ['V2_0', v2],
] as const)(
  '%s: Hasura takes organizations, tenant and listed attributes as texts',
  async (triggerVersion, event) => {
    const authenticate = await engine({ triggerVersion });
    const token = await issue('id', event, { LATCHKEY_CLAIMS: 'address=email,plan' });
    const variables = {
      'x-hasura-org-ids': `{"${POOL}/admins"}`,
      'x-hasura-identity-provider': 'cognito',
      'x-hasura-identity-tenant': POOL,
      'x-hasura-address': 'ada@example.com',
      'x-hasura-plan': '',
    };
    expect(await authenticate(token)).toMatchObject([{ variables }]);
  },
);

test('a machine gets the role that is configured for it, and no user', async () => {
  const authenticate = await engine({ triggerVersion: 'V3_0', tokenUse: 'access' });
  const token = await issue('access', fixture('pretoken.v3.client-credentials.json'));
  expect(await authenticate(token)).toMatchObject([{ role: 'importer', user_id: null }]);
  expect(await authenticate(token, 'user')).toEqual(['access-denied']);
});

test('an access token has no claims for Hasura under V1_0', async () => {
  const authenticate = await engine({ triggerVersion: 'V1_0' });
  const token = await issue('access', { ...v1, triggerSource: 'unknown', request: {} });
  expect(await authenticate(token)).toEqual([expect.stringContaining('jwt-')]);
});

test.each([
  ['V2_0', v1],
  ['V1_0', v2],
] as const)('a trigger of another version than %s is noticed', async (triggerVersion, event) => {
  const authenticate = await engine({ triggerVersion });
  expect(await authenticate(await issue('id', event))).toEqual(['jwt-invalid-claims']);
});
