import { CLIENT, fixture, POOL, SUB } from '@latchkey/tests/support/cognito';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCognito } from '#providers/cognito/index.ts';
import { cognitoKeySource } from '#providers/cognito/keys.ts';
import { type PoolPlace, placesOf } from '#providers/cognito/pool.ts';
import type { CognitoConfig } from '#providers/cognito/settings.ts';
import { cognitoTokenVerifier } from '#providers/cognito/verify-token.ts';
import { CONFIG } from '../../support/cognito.ts';

const { privateKey, publicKey } = await generateKeyPair('RS256');
const stranger = await generateKeyPair('RS256');
const jwk = { ...(await exportJWK(publicKey)), kid: '1234example=', use: 'sig', alg: 'RS256' };
/** A second pool has keys of its own, under the same name. */
const OTHER = 'us-east-1_Other9';
const other = await generateKeyPair('RS256');
const otherJwk = { ...(await exportJWK(other.publicKey)), kid: '1234example=', use: 'sig', alg: 'RS256' };
let server: LocalServer;
let issuer: string;

beforeAll(async () => {
  server = await serve((request, response) => {
    const key = new Map([
      [`/${POOL}/.well-known/jwks.json`, jwk],
      [`/${OTHER}/.well-known/jwks.json`, otherJwk],
    ]).get(request.url ?? '');
    response.statusCode = key === undefined ? 404 : 200;
    response.end(JSON.stringify({ keys: [key] }));
  });
  issuer = `${server.url}/${POOL}`;
});
afterAll(() => server.close());

const verifier = (settings: Partial<CognitoConfig> = {}, allowedRoles: string[] = []) => {
  const config = { ...CONFIG, endpoint: server.url, ...settings };
  const [first, ...others] = placesOf(config);
  const withKeys = (place: PoolPlace) => ({ place, keys: cognitoKeySource(place) });
  return cognitoTokenVerifier(config, [withKeys(first), ...others.map(withKeys)], allowedRoles);
};

/** A recorded token, issued by the stand-in now, with some of its claims changed (undefined: left out). */
function token(name: string, changes: Record<string, unknown> = {}, key = privateKey): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const { payload } = fixture(name);
  const claims = { ...Object(payload), iss: issuer, iat: now, exp: now + 600, ...changes };
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: '1234example=' }).sign(key);
}
const refusal = (why: RegExp) =>
  expect.objectContaining({ code: 'token-invalid', message: expect.stringMatching(why) });

test('an ID token tells the user, as user and as nothing more', async () => {
  const iat = Math.floor(Date.now() / 1000) - 7;
  const exp = iat + 60;
  expect(await verifier()(await token('id-token.json', { iat, exp }))).toEqual({
    issuer,
    tenant: POOL,
    subject: SUB,
    expiresAt: exp * 1000,
    issuedAt: iat * 1000,
    defaultRole: 'user',
    allowedRoles: ['user'],
    sessionVariables: { 'x-hasura-user-id': SUB },
  });
});

test.each([
  ['id-token.hasura-v1-stringified.json', 'id'],
  ['access-token.hasura-v2-object.json', 'access'],
] as const)('%s: what its claims allow does not raise the role', async (name, tokenUse) => {
  const verified = await verifier({ tokenUse })(await token(name));
  expect(verified).toMatchObject({ allowedRoles: ['user'], sessionVariables: { 'x-hasura-user-id': SUB } });
});

test('claims of the application pass; claims that speak for Hasura do not', async () => {
  const claims = {
    'X-Hasura-Tenant-Id': 't1',
    'x-hasura-role': 'admin',
    'x-hasura-admin-secret': 'x',
    'x-hasura-default-role': 'admin',
    'X-Hasura-Allowed-Roles': 'admin',
    'x-hasura-user-id': 'somebody-else',
    'x-hasura-number': 7,
    role: 'admin',
  };
  for (const value of [claims, JSON.stringify(claims)]) {
    const verified = await verifier()(
      await token('id-token.json', { 'https://hasura.io/jwt/claims': value }),
    );
    expect(verified.sessionVariables).toEqual({
      'x-hasura-tenant-id': 't1',
      'x-hasura-user-id': SUB,
    });
  }
});

test.each([
  ['cognito-local.id-token.json', 'id'],
  ['cognito-local.access-token.json', 'access'],
] as const)('%s: a token of the local stand-in is one like any other', async (name, tokenUse) => {
  const { payload } = fixture(name);
  const { aud, client_id } = Object(payload);
  const verify = verifier({ tokenUse, clientIds: [aud ?? client_id] });
  expect((await verify(await token(name))).sessionVariables).toEqual({
    'x-hasura-user-id': SUB,
  });
});

test('the roles are those of the trigger, or else the groups, as far as they are allowed', async () => {
  const claims = JSON.stringify({ 'X-Hasura-Allowed-Roles': ['user', 'editor', 'admin'] });
  const groups = { 'cognito:groups': ['editor', 'moderator', 'admin'] };
  const rolesOf = async (changes: Record<string, unknown>, allowed: string[]) =>
    (await verifier({}, allowed)(await token('id-token.json', changes))).allowedRoles;
  const written = { ...groups, 'https://hasura.io/jwt/claims': claims };
  expect(await rolesOf(groups, [])).toEqual(['user']);
  expect(await rolesOf(groups, ['moderator', 'editor'])).toEqual(['user', 'moderator', 'editor']);
  expect(await rolesOf(written, ['moderator', 'editor'])).toEqual(['user', 'editor']);
  // A text is no list of groups, whatever it holds.
  expect(await rolesOf({ 'cognito:groups': 'editor' }, ['editor', 'moderator'])).toEqual(['user']);
});

test('an access token is accepted where access tokens are asked for', async () => {
  expect((await verifier({ tokenUse: 'access' })(await token('access-token.json'))).subject).toBe(SUB);
});

test.each<[string, string, Record<string, unknown>, Partial<CognitoConfig>, RegExp]>([
  ['an access token for an ID token', 'access-token.json', {}, {}, /not the id token/],
  ['an ID token for an access token', 'id-token.json', {}, { tokenUse: 'access' }, /not the access token/],
  ['a token of no kind', 'id-token.json', { token_use: undefined }, {}, /not the id token/],
  ['an ID token of another app client', 'id-token.json', { aud: 'other' }, {}, /app client/],
  ['an ID token of no app client', 'id-token.json', { aud: undefined }, {}, /app client/],
  ['an ID token of several app clients', 'id-token.json', { aud: [CLIENT, 'other'] }, {}, /app client/],
  [
    'an access token of another app client that names ours in aud',
    'access-token.json',
    { client_id: 'other', aud: CLIENT },
    { tokenUse: 'access' },
    /app client/,
  ],
  ['a token of another pool', 'id-token.json', { iss: 'https://example.com/x' }, {}, /claims do not hold/],
  ['a token of no issuer', 'id-token.json', { iss: undefined }, {}, /claims do not hold/],
  ['a token without an end', 'id-token.json', { exp: undefined }, {}, /claims do not hold/],
  ['an expired token', 'id-token.json', { exp: 1 }, {}, /expired/],
  ['a token of nobody', 'id-token.json', { sub: undefined }, {}, /claims do not hold/],
  ['a token of an empty name', 'id-token.json', { sub: '' }, {}, /names no user/],
  [
    'a machine with client credentials',
    'access-token.json',
    { sub: CLIENT },
    { tokenUse: 'access' },
    /machine/,
  ],
])('%s: refused', async (_, name, changes, settings, why) => {
  await expect(verifier(settings)(await token(name, changes))).rejects.toEqual(refusal(why));
});

test('a token that somebody else signed is refused, as is one that nobody signed', async () => {
  await expect(verifier()(await token('id-token.json', {}, stranger.privateKey))).rejects.toEqual(
    refusal(/signature/),
  );
  const [, claims] = (await token('id-token.json')).split('.');
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  await expect(verifier()(`${none}.${claims}.`)).rejects.toEqual(refusal(/signature/));
});

test("a refresh token, which is encrypted and no JWT of Cognito's keys, is refused", async () => {
  const head = Buffer.from('{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}').toString('base64url');
  await expect(verifier()(`${head}.a2V5.aXY.Y2lwaGVy.dGFn`)).rejects.toEqual(refusal(/signature/));
});

test('keys that cannot be had are no fault of the token', async () => {
  const valid = await token('id-token.json');
  await expect(verifier({ userPoolIds: ['eu-west-1_other'] })(valid)).rejects.toEqual(
    expect.objectContaining({
      code: 'provider-unreachable',
      message: expect.stringContaining('COGNITO_USER_POOL_ID'),
    }),
  );
});

describe('with several pools', () => {
  const verify = () => verifier({ userPoolIds: [POOL, OTHER] });

  test('a token is good for the pool that issued it, and says which that is', async () => {
    const [one, two] = [
      await verify()(await token('id-token.json')),
      await verify()(await token('id-token.json', { iss: `${server.url}/${OTHER}` }, other.privateKey)),
    ];
    expect([one.tenant, one.issuer]).toEqual([POOL, issuer]);
    expect([two.tenant, two.issuer]).toEqual([OTHER, `${server.url}/${OTHER}`]);
  });

  test('one pool’s key signs nothing for another', async () => {
    for (const forged of [
      token('id-token.json', { iss: `${server.url}/${OTHER}` }, privateKey),
      token('id-token.json', { iss: issuer }, other.privateKey),
    ]) {
      await expect(verify()(await forged)).rejects.toEqual(refusal(/signature/));
    }
  });

  test('the relay gives the keys of the first pool alone, for Hasura tries all that it is given', async () => {
    const stored = {
      organizationsOf: async () => [],
      usersWithRole: async () => [],
      hasTenant: async () => false,
      ownerOf: async () => undefined,
    };
    const provider = createCognito({ ...CONFIG, endpoint: server.url, userPoolIds: [OTHER, POOL] }, stored);
    const { keySet } = await provider.tokens.keys();
    expect(keySet.keys.map(({ n }) => n)).toEqual([otherJwk.n]);
    expect(provider.tokens.engineAuth().jwtSecret.issuer).toBe(`${server.url}/${OTHER}`);
    expect(provider.tokens.engineAuth().issuers).toEqual([`${server.url}/${OTHER}`, issuer]);
  });

  test('a token of a pool that is not configured is refused', async () => {
    const foreign = await token('id-token.json', { iss: `${server.url}/${OTHER}` }, other.privateKey);
    await expect(verifier()(foreign)).rejects.toEqual(refusal(/signature/));
  });
});

test('a stand-in that signs in AWS’s name is believed by the keys that are at its address', async () => {
  const iss = `https://cognito-idp.eu-west-1.amazonaws.com/${POOL}`;
  const settings = { issuer: 'https://cognito-idp.eu-west-1.amazonaws.com' };
  const signed = await token('id-token.json', { iss });
  expect(await verifier(settings)(signed)).toMatchObject({ issuer: iss, tenant: POOL });
  const elsewhere = { ...settings, endpoint: 'http://moto:5000', keysUrl: server.url };
  expect(await verifier(elsewhere)(signed)).toMatchObject({ issuer: iss });
  await expect(verifier(settings)(await token('id-token.json'))).rejects.toEqual(refusal(/claims/));
});
