import { CLIENT, POOL } from '@latchkey/tests/support/cognito';
import { expect, test } from 'vitest';
import { cognitoEngineAuth } from '#providers/cognito/engine-auth.ts';
import { issuerOf } from '#providers/cognito/pool.ts';
import { CONFIG } from '../../support/cognito.ts';

const ISSUER = `https://cognito-idp.eu-west-1.amazonaws.com/${POOL}`;

test('a V1_0 trigger writes a text, so Hasura is told to parse one', () => {
  expect(cognitoEngineAuth(CONFIG).jwtSecret).toEqual({
    jwk_url: `${ISSUER}/.well-known/jwks.json`,
    issuer: ISSUER,
    audience: [CLIENT],
    claims_format: 'stringified_json',
    allowed_skew: 5,
  });
});

test.each(['V2_0', 'V3_0'] as const)(
  'a %s trigger writes an object, which is what Hasura expects',
  (version) => {
    const { jwtSecret } = cognitoEngineAuth({ ...CONFIG, tokenUse: 'access', triggerVersion: version });
    expect(jwtSecret).toEqual({
      jwk_url: `${ISSUER}/.well-known/jwks.json`,
      issuer: ISSUER,
      audience: [CLIENT],
      allowed_skew: 5,
    });
  },
);

test('the setup names the screens, the functions and the kind of token', () => {
  const text = JSON.stringify(cognitoEngineAuth(CONFIG).setup);
  expect(text).toContain('Trigger event version: Basic features;');
  expect(text).toContain('send the ID token');
  expect(text).toContain('latchkey-pre-token-generation');
  expect(text).toContain('latchkey-forward-sign-in');
  expect(text).toContain('deploy/cognito/event-rule.json');
});

test('the issuer follows from the pool; only a stand-in on this machine is an issuer of its own', () => {
  const usual = { endpoint: undefined, issuer: undefined, keysUrl: undefined };
  expect(issuerOf({ ...usual, userPoolId: POOL })).toBe(ISSUER);
  const endpoint = 'https://vpce-1.cognito-idp.eu-west-1.vpce.amazonaws.com';
  expect(issuerOf({ ...usual, userPoolId: POOL, endpoint })).toBe(ISSUER);
  expect(issuerOf({ ...usual, userPoolId: 'local_abc', endpoint: 'http://127.0.0.1:9229' })).toBe(
    'http://127.0.0.1:9229/local_abc',
  );
  expect(issuerOf({ ...usual, userPoolId: 'cn-north-1_abc' })).toBe(
    'https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_abc',
  );
});

test.each([
  ['on this machine', { endpoint: 'http://127.0.0.1:5000', keysUrl: undefined }, 'http://127.0.0.1:5000'],
  ['elsewhere', { endpoint: 'http://moto:5000', keysUrl: 'http://moto:5000' }, 'http://moto:5000'],
])('the keys of a stand-in %s that signs in AWS’s name are its own', (_, addresses, folder) => {
  const { jwtSecret, issuers } = cognitoEngineAuth({
    ...CONFIG,
    ...addresses,
    issuer: 'https://cognito-idp.eu-west-1.amazonaws.com',
  });
  expect(issuers).toEqual([ISSUER]);
  expect(jwtSecret).toMatchObject({ issuer: ISSUER, jwk_url: `${folder}/${POOL}/.well-known/jwks.json` });
});

test('several pools are several issuers, which only the hook can trust, and the fix is named', () => {
  expect(cognitoEngineAuth(CONFIG)).toMatchObject({ tenant: POOL });
  expect(cognitoEngineAuth(CONFIG).needsHook).toBeUndefined();
  const { issuers, needsHook, tenant } = cognitoEngineAuth({
    ...CONFIG,
    userPoolIds: [POOL, 'us-east-1_Other'],
  });
  expect(issuers).toEqual([ISSUER, 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other']);
  expect(tenant).toBeUndefined();
  expect(needsHook).toMatch(/COGNITO_USER_POOL_ID names several pools.*jwt-secret --strict/);
});
