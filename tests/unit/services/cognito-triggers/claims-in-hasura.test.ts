import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuthenticator } from '../../../../hasura/embedded/auth/index.ts';
import { silentLogger } from '../../../../hasura/embedded/log.ts';
import { readClaimsConfig } from '../../../../services/cognito-triggers/config.ts';
import { createPreToken } from '../../../../services/cognito-triggers/pre-token.ts';
import type { CognitoConfig } from '../../../../services/identity/core/config.ts';
import { cognitoEngineAuth } from '../../../../services/identity/providers/cognito/engine-auth.ts';
import { CLIENT, CONFIG, fixture, type JsonFixture, POOL, SUB } from '../../../support/cognito.ts';
import { type LocalServer, serve } from '../../../support/http.ts';

const { privateKey, publicKey } = await generateKeyPair('RS256');
const jwk = { ...(await exportJWK(publicKey)), kid: '1234example=', use: 'sig', alg: 'RS256' };
let server: LocalServer;

beforeAll(async () => {
  server = await serve((_request, response) => response.end(JSON.stringify({ keys: [jwk] })));
});
afterAll(() => server.close());

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

function authenticatorFor(settings: Partial<CognitoConfig>) {
  const { jwtSecret } = cognitoEngineAuth({ ...CONFIG, endpoint: server.url, ...settings });
  return createAuthenticator(
    {
      adminSecrets: ['an-admin-secret'],
      jwtSecret: JSON.stringify(jwtSecret),
      authHook: undefined,
      unauthorizedRole: undefined,
    },
    silentLogger,
  );
}

async function engine(settings: Partial<CognitoConfig>) {
  const authenticator = await authenticatorFor(settings);
  return async (token: string, role?: string) => {
    const headers: [string, string][] = [['Authorization', `Bearer ${token}`]];
    if (role !== undefined) headers.push(['X-Hasura-Role', role]);
    const { session } = await authenticator.authenticate(headers);
    return { role: session.role, isAdmin: session.isAdmin, userId: session.variables['x-hasura-user-id'] };
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
    expect(await authenticate(token)).toEqual({ role: 'user', isAdmin: false, userId: SUB });
    expect(await authenticate(token, 'admins')).toEqual({ role: 'admins', isAdmin: false, userId: SUB });
    await expect(authenticate(token, 'admin')).rejects.toMatchObject({ code: 'access-denied' });
  },
);

test.each([
  ['V1_0', v1],
  ['V2_0', v2],
] as const)(
  '%s: Hasura takes organizations, tenant and listed attributes as texts',
  async (triggerVersion, event) => {
    const authenticator = await authenticatorFor({ triggerVersion });
    const token = await issue('id', event, { LATCHKEY_CLAIMS: 'address=email,plan' });
    const { session } = await authenticator.authenticate([['Authorization', `Bearer ${token}`]]);
    expect(session.variables).toMatchObject({
      'x-hasura-org-ids': `{"${POOL}/admins"}`,
      'x-hasura-identity-provider': 'cognito',
      'x-hasura-identity-tenant': POOL,
      'x-hasura-address': 'ada@example.com',
      'x-hasura-plan': '',
    });
  },
);

test('a machine gets the role that is configured for it, and no user', async () => {
  const authenticate = await engine({ triggerVersion: 'V3_0', tokenUse: 'access' });
  const token = await issue('access', fixture('pretoken.v3.client-credentials.json'));
  expect(await authenticate(token)).toEqual({ role: 'importer', isAdmin: false, userId: undefined });
  await expect(authenticate(token, 'user')).rejects.toMatchObject({ code: 'access-denied' });
});

test('an access token has no claims for Hasura under V1_0', async () => {
  const authenticate = await engine({ triggerVersion: 'V1_0' });
  const token = await issue('access', { ...v1, triggerSource: 'unknown', request: {} });
  await expect(authenticate(token)).rejects.toMatchObject({ code: expect.stringContaining('jwt-') });
});

test.each([
  ['V2_0', v1],
  ['V1_0', v2],
] as const)('a trigger of another version than %s is noticed', async (triggerVersion, event) => {
  const authenticate = await engine({ triggerVersion });
  await expect(issue('id', event).then((token) => authenticate(token))).rejects.toMatchObject({
    code: 'jwt-invalid-claims',
  });
});
