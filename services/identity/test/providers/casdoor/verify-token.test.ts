import {
  type CasdoorUser,
  type LocalCasdoor,
  startLocalCasdoor,
  TOKEN_FORMATS,
} from '@latchkey/local/stand-ins/casdoor';
import { fixture } from '@latchkey/tests/support/casdoor';
import { exportSPKI, generateKeyPair, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { StoredOwner, StoredState } from '#core/stored-state.ts';
import { casdoorKeySource } from '#providers/casdoor/keys.ts';
import { casdoorTokenVerifier } from '#providers/casdoor/verify-token.ts';
import { configOf, NOTHING_STORED, storedUser } from '../../support/casdoor.ts';

let casdoor: LocalCasdoor;
let ada: CasdoorUser;
beforeAll(async () => {
  casdoor = await startLocalCasdoor({ port: 0 });
  casdoor.directory.addRole('acme/admin', { users: ['acme/ada'] });
  ada = casdoor.directory.addUser('acme/ada');
});
afterAll(() => casdoor.close());

const verify = (
  token: string,
  settings: Record<string, string> = {},
  allowedRoles: string[] = [],
  stored: Pick<StoredState, 'ownerOf'> = NOTHING_STORED,
) => {
  const config = configOf(casdoor, settings);
  return casdoorTokenVerifier(config, casdoorKeySource(config), stored, allowedRoles)(token);
};
const refusal = expect.objectContaining({ code: 'token-invalid', status: 401 });

/** The user of the recorded tokens. */
const PERSON = { tenant: 'acme', id: '7c9e6679-7425-40de-944b-e07fc1f90ae7' };
const rowOf = (more: Partial<StoredOwner>) => storedUser(PERSON, [], { roles: ['editor'], ...more });

test.each<[string, boolean]>([
  ['RS256', true],
  ['RS512', true],
  ['ES256', true],
  ['ES384', true],
  ['ES512', true],
  // Casdoor signs with none of these.
  ['RS384', false],
  ['PS256', false],
  ['EdDSA', false],
])('a token signed by %s: %s', async (alg, isTaken) => {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const config = configOf(casdoor);
  const verifyToken = casdoorTokenVerifier(config, { find: async () => publicKey }, NOTHING_STORED, []);
  const { clientId } = casdoor.credentials;
  const claims = { owner: 'acme', tokenType: 'access-token', azp: clientId, sub: ada.id };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg, kid: 'cert' })
    .setIssuer(config.issuer)
    .setAudience(clientId)
    .setExpirationTime('1 minute')
    .sign(privateKey);
  if (isTaken) expect((await verifyToken(token)).subject).toBe(ada.id);
  else await expect(verifyToken(token)).rejects.toThrow(refusal);
});

const TOKEN = z.object({
  _header: z.record(z.string(), z.unknown()),
  payload: z.record(z.string(), z.unknown()),
});
/** A recorded token, signed anew and good for a minute. */
function recorded(name: string, claims: Record<string, unknown> = {}): Promise<string> {
  const { _header, payload } = TOKEN.parse(JSON.parse(fixture(name)));
  const now = Math.floor(Date.now() / 1000);
  const { clientId } = casdoor.credentials;
  const fresh = { iss: casdoor.url, aud: [clientId], azp: clientId, iat: now, nbf: now, exp: now + 60 };
  return casdoor.key.sign({ ...payload, ...fresh, ...claims }, _header);
}

describe('accepted, as role user and nothing more, is', () => {
  test.each(TOKEN_FORMATS)('an access token of format %s', async (format) => {
    const verified = await verify(await casdoor.token(ada, { format, lifetimeSeconds: 60 }));
    expect(verified).toEqual({
      issuer: casdoor.url,
      tenant: 'acme',
      subject: ada.id,
      expiresAt: expect.any(Number),
      issuedAt: expect.any(Number),
      defaultRole: 'user',
      allowedRoles: ['user'],
      sessionVariables: { 'x-hasura-user-id': ada.id },
    });
    expect(Math.abs(verified.expiresAt - Date.now() - 60_000)).toBeLessThan(5_000);
    expect(Math.abs((verified.issuedAt ?? 0) - Date.now())).toBeLessThan(5_000);
  });

  test.each([
    'token.jwt.json',
    'token.jwt-empty.json',
    'token.jwt-standard.json',
    'token.jwt-custom.hasura-root.json',
    'token.jwt-custom.roles-strings.json',
    'token.jwt-custom.tokenFields-Roles.json',
    'token.jwt-custom.owner.json',
  ])('the recorded %s', async (name) => {
    // Those of JWT-Custom were recorded without Owner among the token fields.
    const { sessionVariables, allowedRoles } = await verify(await recorded(name, { owner: 'acme' }));
    expect(sessionVariables).toEqual({ 'x-hasura-user-id': '7c9e6679-7425-40de-944b-e07fc1f90ae7' });
    expect(allowedRoles).toEqual(['user']);
  });

  test.each<[string, string[]]>([
    ['token.jwt.json', ['user', 'editor']],
    ['token.jwt-custom.roles-strings.json', ['user']],
    ['token.jwt-custom.tokenFields-Roles.json', ['user', 'editor']],
    ['token.jwt-empty.json', ['user']],
    // Its claims speak to Hasura; whoever can edit the application could write anything there.
    ['token.jwt-custom.hasura-root.json', ['user']],
  ])('%s: of its roles those that are allowed', async (name, roles) => {
    const token = await recorded(name, { owner: 'acme' });
    expect((await verify(token, {}, ['editor', 'moderator'])).allowedRoles).toEqual(roles);
  });

  test.each<[string, Partial<StoredState>, string[]]>([
    ['the row has it', storedUser(PERSON, [], { roles: ['editor', 'admin'] }), ['user', 'editor']],
    ['the row has it not', storedUser(PERSON, [], { roles: ['moderator'] }), ['user']],
    ['there is no row', {}, ['user']],
    ['the row is of another organization', rowOf({ tenant: 'beta' }), ['user']],
    ['the row is of another provider', rowOf({ provider: 'clerk' }), ['user']],
    ['the row is a tombstone', rowOf({ deleted: true }), ['user']],
  ])('a role that is a text, which tells not whose it is, only where %s', async (_what, stored, roles) => {
    const token = await recorded('token.jwt-custom.roles-strings.json', { owner: 'acme' });
    const state = { ...NOTHING_STORED, ...stored };
    expect((await verify(token, {}, ['editor', 'moderator'], state)).allowedRoles).toEqual(roles);
  });

  test('another organization’s role of an allowed name gives nothing', async () => {
    const roles = [{ owner: 'beta', name: 'editor', isEnabled: true }];
    const token = await casdoor.token(ada, { claims: { roles } });
    expect((await verify(token, {}, ['editor'])).allowedRoles).toEqual(['user']);
  });

  test('a role that is switched off, or called otherwise, gives nothing', async () => {
    const roles = [
      { owner: 'acme', name: 'editor', isEnabled: false },
      { owner: 'acme', name: 'Editor', isEnabled: true },
      'admin',
      null,
      7,
    ];
    const token = await casdoor.token(ada, { claims: { roles } });
    expect((await verify(token, {}, ['editor'])).allowedRoles).toEqual(['user']);
  });

  test('one of a shared application, under its audience for the organization', async () => {
    const { clientId } = casdoor.credentials;
    const token = await casdoor.token(ada, { claims: { aud: [`${clientId}-org-acme`] } });
    await expect(verify(token)).rejects.toThrow(refusal);
    expect((await verify(token, { CASDOOR_AUDIENCE: `${clientId}-org-acme` })).subject).toBe(ada.id);
  });
});

describe('refused is', () => {
  test.each(TOKEN_FORMATS)('a refresh token of format %s', async (format) => {
    await expect(verify(await casdoor.token(ada, { format, refresh: true }))).rejects.toThrow(refusal);
  });

  test('the recorded refresh token that says it is an access token', async () => {
    await expect(verify(await recorded('token.jwt-custom.refresh.json'))).rejects.toThrow(refusal);
  });

  test('a token that names no key, or is of no type, or of two', async () => {
    const payload = {
      sub: ada.id,
      owner: 'acme',
      iss: casdoor.url,
      exp: Math.floor(Date.now() / 1000) + 60,
    };
    const { clientId } = casdoor.credentials;
    const right = { ...payload, aud: clientId, azp: clientId, tokenType: 'access-token' };
    const { kid } = casdoor.key.publicJwk;
    expect((await verify(await casdoor.key.sign(right, { kid }))).subject).toBe(ada.id);
    await expect(verify(await casdoor.key.sign(right, {}))).rejects.toThrow(refusal);
    const untyped = { ...right, tokenType: undefined };
    await expect(verify(await casdoor.key.sign(untyped, { kid }))).rejects.toThrow(refusal);
    const both = { ...right, TokenType: 'refresh-token' };
    await expect(verify(await casdoor.key.sign(both, { kid }))).rejects.toThrow(refusal);
  });

  test('an application’s own token, which is nobody’s', async () => {
    await expect(verify(await recorded('token.client-credentials.jwt-empty.json'))).rejects.toThrow(
      'it is an application’s own',
    );
    const claims = { owner: undefined, sub: 'admin/app-acme' };
    await expect(verify(await casdoor.token(ada, { claims }))).rejects.toThrow('it is an application’s own');
  });

  test('a user whose id holds a slash, and is told so', async () => {
    const claims = { sub: 'github/4711' };
    await expect(verify(await casdoor.token(ada, { claims }))).rejects.toThrow('id holds a slash');
  });

  test('a token that does not tell the organization, and how it would', async () => {
    for (const owner of [undefined, '', 7]) {
      const token = await casdoor.token(ada, { format: 'JWT-Custom', claims: { owner } });
      await expect(verify(token)).rejects.toThrow('add Owner to the Token fields');
    }
  });

  test('a token of an organization that is not kept in step', async () => {
    const settings = { CASDOOR_ORGANIZATIONS: 'beta' };
    await expect(verify(await casdoor.token(ada), settings)).rejects.toThrow('CASDOOR_ORGANIZATIONS');
  });

  test.each<[string, Record<string, unknown>]>([
    ['of another application', { aud: ['another-client'], azp: 'another-client' }],
    ['that another application asked for in our name', { azp: 'another-client' }],
    ['without an application', { azp: undefined }],
    ['without an audience', { aud: undefined }],
    ['of another issuer', { iss: 'https://door.example.com' }],
    ['without an issuer', { iss: undefined }],
    ['without an end', { exp: undefined }],
    ['that is over', { exp: Math.floor(Date.now() / 1000) - 60 }],
    ['that is not yet good', { nbf: Math.floor(Date.now() / 1000) + 600 }],
    ['without a user', { sub: undefined }],
    ['of a user with no name', { sub: '' }],
  ])('a token %s', async (_what, claims) => {
    await expect(verify(await casdoor.token(ada, { claims }))).rejects.toThrow(refusal);
  });

  test('a token by the key of another organization, though Casdoor publishes that too', async () => {
    const strangers = await casdoor.strangersKey();
    const all = z
      .object({ keys: z.array(z.object({ kid: z.string() })) })
      .parse(await (await fetch(`${casdoor.url}/.well-known/jwks`)).json());
    expect(all.keys.map(({ kid }) => kid)).toContain(strangers.publicJwk.kid);
    const { clientId } = casdoor.credentials;
    const payload = {
      sub: ada.id,
      iss: casdoor.url,
      aud: [clientId],
      azp: clientId,
      tokenType: 'access-token',
      exp: Math.floor(Date.now() / 1000) + 60,
    };
    await expect(verify(await strangers.sign(payload))).rejects.toThrow(refusal);
    const borrowed = await strangers.sign(payload, { kid: casdoor.key.publicJwk.kid });
    await expect(verify(borrowed)).rejects.toThrow(refusal);
  });

  test('a token by no key, and one by the public key as if it were a secret', async () => {
    const { clientId } = casdoor.credentials;
    const claims = { sub: ada.id, iss: casdoor.url, aud: clientId, azp: clientId, tokenType: 'access-token' };
    await expect(verify(new UnsecuredJWT(claims).setExpirationTime('1m').encode())).rejects.toThrow(refusal);
    const publicKey = await importJWK(casdoor.key.publicJwk, 'RS256', { extractable: true });
    if (publicKey instanceof Uint8Array) throw new Error('An RSA key is no secret.');
    const secret = new TextEncoder().encode(await exportSPKI(publicKey));
    const confused = new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'cert-built-in', typ: 'JWT' })
      .setExpirationTime('1m')
      .sign(secret);
    await expect(verify(await confused)).rejects.toThrow(refusal);
  });

  test('what is no token at all', async () => {
    for (const text of ['', 'x', 'a.b.c']) await expect(verify(text)).rejects.toThrow(refusal);
  });
});

test('keys of everybody, which Casdoor hands out for an application that it does not know, are not trusted', async () => {
  const wrong = { CASDOOR_APPLICATION: 'app-of-nobody' };
  await expect(verify(await casdoor.token(ada), wrong)).rejects.toThrow(
    expect.objectContaining({
      code: 'provider-unreachable',
      message: expect.stringContaining('CASDOOR_APPLICATION'),
    }),
  );
});

test('where Casdoor’s keys cannot be had, that is no fault of the token', async () => {
  await expect(
    verify(await casdoor.token(ada), {
      CASDOOR_ENDPOINT: 'http://127.0.0.1:9',
      CASDOOR_ISSUER: casdoor.url,
    }),
  ).rejects.toThrow(expect.objectContaining({ code: 'provider-unreachable' }));
});
