import { createSecretKey } from 'node:crypto';
import { CLAIM_SETTINGS } from '@latchkey/core/settings/claims';
import { base64url, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AUDIENCE, SUBJECT, startOidcIssuer, type TrustedIssuer } from '../../support/oidc.ts';

let issuer: TrustedIssuer;
beforeAll(async () => {
  issuer = await startOidcIssuer();
});
afterAll(() => issuer.close());

const strangers = await generateKeyPair('RS256');
const now = () => Math.floor(Date.now() / 1000);
const refusal = expect.objectContaining({ code: 'token-invalid', status: 401 });
const verify = (token: string, context: Parameters<TrustedIssuer['provider']>[1] = {}) =>
  issuer.provider({}, context).tokens.verifyToken(token);

describe('accepted, as role user of the issuer, is', () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['an access token', {}, {}],
    ['one that says so (RFC 9068)', { client_id: 'spa' }, { typ: 'at+jwt' }],
    ['one that says so at length', {}, { typ: 'application/AT+JWT' }],
    ['one of Keycloak’s', { typ: 'Bearer', realm_access: { roles: ['admin'] } }, {}],
    ['an ID token for a client that is listed', { typ: 'ID', nonce: 'n' }, {}],
    ['one for several', { aud: ['account', AUDIENCE] }, {}],
    ['one with no kind at all', {}, { typ: undefined }],
    ['one that names Auth0’s kind of user', { sub: 'auth0|5f7c8ec7c33c6c004bbafe82' }, {}],
  ])('%s', async (_, claims, header) => {
    const verified = await verify(await issuer.sign(claims, header), { allowedRoles: ['editor'] });
    expect(verified).toMatchObject({
      issuer: issuer.issuer,
      tenant: issuer.issuer,
      subject: claims.sub ?? SUBJECT,
      defaultRole: 'user',
      allowedRoles: ['user'],
      sessionVariables: { 'x-hasura-user-id': claims.sub ?? SUBJECT },
    });
    expect(verified.expiresAt - (verified.issuedAt ?? 0)).toBe(300_000);
  });

  test.each(['ES256', 'PS256', 'EdDSA'])('one signed by %s', async (alg) => {
    const { privateKey, publicKey } = await generateKeyPair(alg);
    const other = await startOidcIssuer();
    other.jwks = [{ ...(await exportJWK(publicKey)), kid: 'key-1', use: 'sig' }];
    const token = await other.sign({}, { alg }, privateKey);
    expect(await other.provider().tokens.verifyToken(token)).toMatchObject({ subject: SUBJECT });
    await other.close();
  });
});

describe('refused is a token', () => {
  test.each<[string, Record<string, unknown>]>([
    ['without exp', { exp: undefined }],
    ['that has expired', { exp: now() - 60 }],
    ['that is not good yet', { nbf: now() + 600 }],
    ['without iat', { iat: undefined }],
    ['without aud', { aud: undefined }],
    ['for another audience', { aud: 'account' }],
    ['for none', { aud: [] }],
    ['for an audience that only begins alike', { aud: `${AUDIENCE}/` }],
    ['without iss', { iss: undefined }],
    ['of another issuer', { iss: 'https://login.example.com' }],
    ['without sub', { sub: undefined }],
    ['with an empty sub', { sub: '' }],
    ['of a user whose id is a path', { sub: '../admin' }],
    ['of a user whose id has spaces', { sub: 'ada lovelace' }],
    ['of a user whose id is too long', { sub: 'a'.repeat(256) }],
    ['of a refresh (Keycloak)', { typ: 'Refresh' }],
    ['of a refresh that lives on (Keycloak)', { typ: 'Offline' }],
    ['of a logout (Keycloak)', { typ: 'Logout' }],
    ['of a kind that is no text', { typ: ['Bearer'] }],
    ['of a refresh by token_use', { token_use: 'refresh' }],
    ['of a refresh by token_type', { token_type: 'refresh_token' }],
    ['of a refresh by tokenType (Casdoor)', { tokenType: 'refresh-token' }],
    ['of a refresh by TokenType (Casdoor)', { tokenType: 'access-token', TokenType: 'refresh-token' }],
    ['of a logout', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
    ['that is bound to a client’s key', { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } }],
    ['of a client (RFC 9068)', { sub: 'backend', client_id: 'backend' }],
    ['of a client by azp', { sub: 'backend', azp: 'backend' }],
    ['of a client (Auth0)', { sub: 'abc@clients', azp: 'abc', gty: 'client-credentials' }],
    ['of a client (Entra)', { idtyp: 'app' }],
  ])('%s', async (_, changes) => {
    await expect(verify(await issuer.sign(changes))).rejects.toEqual(refusal);
  });

  test.each(['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'application/logout+jwt', 'oauth-authz-req+jwt'])(
    'of the kind %s',
    async (typ) => {
      await expect(verify(await issuer.sign({}, { typ }))).rejects.toEqual(refusal);
    },
  );

  test('signed by somebody else, under the name of the issuer’s key or of no key', async () => {
    for (const kid of ['key-1', 'key-2', undefined]) {
      await expect(verify(await issuer.sign({}, { kid }, strangers.privateKey))).rejects.toEqual(refusal);
    }
  });

  test('signed with the public key as if it were a secret', async () => {
    const secret = new TextEncoder().encode(await exportSPKI(issuer.keys.publicKey));
    await expect(verify(await issuer.sign({}, { alg: 'HS256' }, secret))).rejects.toEqual(refusal);
  });

  test('signed with a secret that the issuer publishes among its keys', async () => {
    const other = await startOidcIssuer();
    const secret = createSecretKey(Buffer.alloc(32, 'x'));
    other.jwks.push({ ...secret.export({ format: 'jwk' }), kid: 'secret', alg: 'HS256', use: 'sig' });
    const token = await other.sign({}, { alg: 'HS256', kid: 'secret' }, Buffer.alloc(32, 'x'));
    await expect(other.provider().tokens.verifyToken(token)).rejects.toEqual(refusal);
    await other.close();
  });

  test('that is not signed', async () => {
    const [, payload] = (await issuer.sign()).split('.');
    const header = base64url.encode(JSON.stringify({ alg: 'none', typ: 'JWT' }));
    await expect(verify(`${header}.${payload}.`)).rejects.toEqual(refusal);
  });

  test('signed by an algorithm that its key is not for', async () => {
    const other = await startOidcIssuer();
    const token = await other.sign({}, { alg: 'RS512' }, (await generateKeyPair('RS512')).privateKey);
    await expect(other.provider().tokens.verifyToken(token)).rejects.toEqual(refusal);
    await other.close();
  });

  test('that brings the address or the text of its key along', async () => {
    const jwk = await exportJWK(strangers.publicKey);
    const header = { jwk, jku: `${issuer.issuer}/keys`, kid: 'mine' };
    await expect(verify(await issuer.sign({}, header, strangers.privateKey))).rejects.toEqual(refusal);
  });

  test('that says of a header parameter that it must be understood', async () => {
    const token = await issuer.sign().then((text) => text.split('.'));
    const header = base64url.encode(JSON.stringify({ alg: 'RS256', kid: 'key-1', crit: ['x'], x: 1 }));
    await expect(verify([header, token[1], token[2]].join('.'))).rejects.toEqual(refusal);
  });

  test.each(['', 'nonsense', 'a.b.c', `${'a'.repeat(50)}.${'b'.repeat(50)}.c`])(
    'that is none: %s',
    async (text) => {
      await expect(verify(text)).rejects.toEqual(refusal);
    },
  );
});

test('roles are those of the claim roles that are listed, and never admin', async () => {
  const token = await issuer.sign({ roles: ['editor', 'admin', 'user', 'other', 7] });
  const { allowedRoles } = await verify(token, { allowedRoles: ['editor', 'billing'] });
  expect(allowedRoles).toEqual(['user', 'editor']);
  const text = await issuer.sign({ roles: 'editor' });
  expect((await verify(text, { allowedRoles: ['editor'] })).allowedRoles).toEqual(['user']);
});

test('claims that are listed become session variables, and what speaks for Hasura does not', async () => {
  const { LATCHKEY_CLAIMS: claims } = CLAIM_SETTINGS.parse({
    LATCHKEY_CLAIMS: 'plan,workspace=tenant_id,missing,proto=__proto__',
  });
  const token = await issuer.sign({
    plan: 'gold',
    tenant_id: ['a', 'b'],
    unlisted: 'x',
    'x-hasura-role': 'admin',
    'https://hasura.io/jwt/claims': { 'x-hasura-user-id': 'another', 'x-hasura-allowed-roles': ['admin'] },
  });
  expect(await verify(token, { claims })).toMatchObject({
    sessionVariables: {
      'x-hasura-plan': 'gold',
      'x-hasura-workspace': ['a', 'b'],
      'x-hasura-user-id': SUBJECT,
    },
    allowedRoles: ['user'],
  });
});
