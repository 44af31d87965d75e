import { createSecretKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  bearer,
  claims,
  ec,
  ed,
  jwtAuthenticator,
  NAMESPACE,
  otherRsa,
  pem,
  rsa,
  secondsFromNow,
  sign,
} from './tokens.ts';

const refusal = async (token: string, jwt: Record<string, unknown> = {}, ...headers: [string, string][]) => {
  const authenticator = await jwtAuthenticator(jwt);
  const outcome = await authenticator.authenticate(bearer(token, ...headers)).then(
    () => 'accepted',
    (error: unknown) => error,
  );
  return outcome;
};
const session = async (token: string, jwt: Record<string, unknown> = {}, ...headers: [string, string][]) =>
  (await (await jwtAuthenticator(jwt)).authenticate(bearer(token, ...headers))).session;

/** A secret of so many bytes, and a token signed with it. */
async function signedByHmac(alg: string, bytes: number): Promise<{ key: string; token: string }> {
  const key = 'k'.repeat(bytes);
  return { key, token: await sign(claims(), alg, createSecretKey(Buffer.from(key))) };
}

describe('a token that verifies', () => {
  test('becomes the session of its default role, without the role lists', async () => {
    expect(await session(await sign(claims({ 'X-Hasura-Org': 'o1' })))).toEqual({
      role: 'user',
      variables: { 'x-hasura-role': 'user', 'x-hasura-user-id': 'u1', 'x-hasura-org': 'o1' },
      isAdmin: false,
      backendOnly: false,
    });
  });

  test('takes another of its roles on request', async () => {
    const { role } = await session(await sign(claims()), {}, ['X-Hasura-Role', 'editor']);
    expect(role).toBe('editor');
  });

  test('ignores session variables that the client sends beside it', async () => {
    const { variables } = await session(await sign(claims()), {}, ['X-Hasura-User-Id', 'someone-else']);
    expect(variables['x-hasura-user-id']).toBe('u1');
  });

  test.each([
    ['ES256', ec],
    ['Ed25519', ed],
    ['RS256', rsa],
  ] as const)('may be signed with a key of type %s', async (type, pair) => {
    const token = await sign(claims(), type === 'Ed25519' ? 'EdDSA' : type, pair.privateKey);
    expect((await session(token, { type, key: pem(pair.publicKey) })).role).toBe('user');
  });

  test('may be signed with a shared secret', async () => {
    const key = 'a-secret-of-thirty-two-characters';
    const token = await sign(claims(), 'HS256', createSecretKey(Buffer.from(key)));
    expect((await session(token, { type: 'HS256', key })).role).toBe('user');
  });

  test.each([
    ['HS256', 'HS384', 48],
    ['HS256', 'HS512', 64],
    ['HS512', 'HS256', 64],
  ])('passes where the secret of %s is long enough for %s', async (type, alg, bytes) => {
    const { key, token } = await signedByHmac(alg, bytes);
    expect((await session(token, { type, key })).role).toBe('user');
  });

  test.each([
    ['no issuer', {}],
    ['the configured issuer', { iss: 'https://a.example' }],
  ])('passes with %s', async (_, extra) => {
    const token = await sign({ ...claims(), ...extra });
    expect((await session(token, { issuer: 'https://a.example', audience: 'app' })).role).toBe('user');
  });

  test('passes with any one of the configured audiences', async () => {
    const token = await sign({ ...claims(), aud: ['x', 'app-2'] });
    expect((await session(token, { audience: ['app-1', 'app-2'] })).role).toBe('user');
  });

  test('ends a connection at its exp', async () => {
    const exp = secondsFromNow(60);
    const authenticator = await jwtAuthenticator();
    const { expiresAt } = await authenticator.authenticate(bearer(await sign({ ...claims(), exp })));
    expect(expiresAt).toBe(exp * 1000);
  });

  test('may have expired within the allowed skew', async () => {
    const token = await sign({ ...claims(), exp: secondsFromNow(-30) });
    expect((await session(token, { allowed_skew: 60 })).role).toBe('user');
  });
});

describe('a token is refused', () => {
  test.each<[string, () => Promise<string>, Record<string, unknown>, string]>([
    ['when it has expired', () => sign({ ...claims(), exp: secondsFromNow(-1) }), {}, 'JWTExpired'],
    ['before its time', () => sign({ ...claims(), nbf: secondsFromNow(60) }), {}, 'JWTNotYetValid'],
    [
      'from another issuer',
      () => sign({ ...claims(), iss: 'https://evil.example' }),
      { issuer: 'https://a.example' },
      'JWTNotInIssuer',
    ],
    [
      'for another audience',
      () => sign({ ...claims(), aud: 'other' }),
      { audience: 'app' },
      'JWTNotInAudience',
    ],
    [
      'signed by another key',
      () => sign(claims(), 'RS256', otherRsa.privateKey),
      {},
      'JWSError JWSInvalidSignature',
    ],
    [
      'signed with the public key as a shared secret',
      () => sign(claims(), 'HS256', createSecretKey(Buffer.from(pem(rsa.publicKey)))),
      {},
      'JWSError JWSInvalidSignature',
    ],
  ])('%s', async (_, token, jwt, why) => {
    expect(await refusal(await token(), jwt)).toMatchObject({
      code: 'invalid-jwt',
      message: `Could not verify JWT: ${why}`,
    });
  });

  test.each([
    ['HS256', 'HS384', 40],
    ['HS256', 'HS512', 40],
    ['HS256', 'HS512', 63],
    ['HS384', 'HS512', 48],
  ])('when a secret of %s signs by %s with %i bytes, fewer than the hash', async (type, alg, bytes) => {
    const { key, token } = await signedByHmac(alg, bytes);
    expect(await refusal(token, { type, key })).toMatchObject({
      code: 'invalid-jwt',
      message: 'Could not verify JWT: JWSError JWSInvalidSignature',
    });
  });

  test('when its algorithm is none', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none' })}.${part(claims())}.`;
    expect(await refusal(token)).toMatchObject({ code: 'invalid-jwt' });
  });

  test('when a byte of it was changed', async () => {
    const [header, , signature] = (await sign(claims())).split('.');
    const forged = Buffer.from(JSON.stringify(claims({ 'x-hasura-allowed-roles': ['admin'] }))).toString(
      'base64url',
    );
    expect(await refusal(`${header}.${forged}.${signature}`)).toMatchObject({
      message: 'Could not verify JWT: JWSError JWSInvalidSignature',
    });
  });

  test.each(['', 'x', 'a.b', 'a.b.c', '..', 'a.b.c.d', `${'A'.repeat(5000)}.e30.x`])(
    'when it is no token: %j',
    async (token) => {
      expect(await refusal(token)).toMatchObject({ code: expect.stringMatching(/^invalid-(jwt|headers)$/) });
    },
  );

  test('when the second look finds it expired, though the first remembered its signature', async () => {
    const authenticator = await jwtAuthenticator();
    const exp = secondsFromNow(1);
    const token = await sign({ ...claims(), exp });
    await authenticator.authenticate(bearer(token));
    while (Date.now() < exp * 1000)
      await new Promise((resolve) => setTimeout(resolve, exp * 1000 - Date.now()));
    await expect(authenticator.authenticate(bearer(token))).rejects.toMatchObject({
      message: 'Could not verify JWT: JWTExpired',
    });
  });
});

describe('roles', () => {
  test.each(['admin', 'Editor', 'someone'])(
    'a role that the token does not list is refused: %s',
    async (role) => {
      expect(await refusal(await sign(claims()), {}, ['x-hasura-role', role])).toMatchObject({
        code: 'access-denied',
        status: 400,
        message: 'Your requested role is not in allowed roles',
      });
    },
  );

  test('a default role outside the allowed ones is refused', async () => {
    expect(await refusal(await sign(claims({ 'x-hasura-default-role': 'boss' })))).toMatchObject({
      code: 'access-denied',
    });
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    [
      'no allowed roles',
      { 'x-hasura-allowed-roles': undefined },
      'jwt-missing-role-claims',
      'JWT claim does not contain "x-hasura-allowed-roles"',
    ],
    [
      'no default role',
      { 'x-hasura-default-role': undefined },
      'jwt-missing-role-claims',
      'JWT claim does not contain "x-hasura-default-role"',
    ],
    [
      'allowed roles that are text',
      { 'x-hasura-allowed-roles': 'user' },
      'jwt-invalid-claims',
      'invalid "x-hasura-allowed-roles"; should be a list of roles: parsing [] failed, expected Array, but encountered String',
    ],
    [
      'a null session variable',
      { 'x-hasura-org': null },
      'jwt-invalid-claims',
      'x-hasura-* claims: parsing Text failed, expected String, but encountered Null',
    ],
  ])('%s are an error', async (_, extra, code, message) => {
    expect(await refusal(await sign(claims(extra)))).toMatchObject({ code, message });
  });
});

describe('where the claims are', () => {
  const inner = claims()[NAMESPACE];

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['under another namespace', { claims_namespace: 'mine' }, { mine: inner }],
    ['at the root', { claims_namespace_path: '$' }, Object(inner)],
    ['at a path', { claims_namespace_path: '$.hasura.claims' }, { hasura: { claims: inner } }],
    [
      'at a path with odd names',
      { claims_namespace_path: "$.hasura['claims%']" },
      { hasura: { 'claims%': inner } },
    ],
    ['as text', { claims_format: 'stringified_json' }, { [NAMESPACE]: JSON.stringify(inner) }],
  ])('%s', async (_, jwt, payload) => {
    expect((await session(await sign(payload), jwt)).variables['x-hasura-user-id']).toBe('u1');
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
    ['nowhere', {}, {}, `claims key: '${NAMESPACE}' not found`],
    [
      'not at the path',
      { claims_namespace_path: '$.a.b' },
      {},
      "claims not found at claims_namespace_path: '$.a.b'",
    ],
    [
      'text instead of an object',
      {},
      { [NAMESPACE]: '{}' },
      'expecting a json object when claims_format is json',
    ],
    [
      'an object instead of text',
      { claims_format: 'stringified_json' },
      { [NAMESPACE]: {} },
      'expecting a string when claims_format is stringified_json',
    ],
  ])('%s is an error', async (_, jwt, payload, message) => {
    expect(await refusal(await sign(payload), jwt)).toMatchObject({ code: 'jwt-invalid-claims', message });
  });
});

describe('claims_map', () => {
  const map = {
    'x-hasura-allowed-roles': { path: '$.roles', default: ['user'] },
    'x-hasura-default-role': { path: '$.roles[0]', default: 'user' },
    'x-hasura-user-id': { path: '$.sub' },
    'x-hasura-plan': 'free',
  };

  test('takes values from paths, defaults where they do not resolve, and literals', async () => {
    expect(await session(await sign({ sub: 's1' }), { claims_map: map })).toMatchObject({
      role: 'user',
      variables: { 'x-hasura-role': 'user', 'x-hasura-user-id': 's1', 'x-hasura-plan': 'free' },
    });
    expect(await session(await sign({ sub: 's1', roles: ['editor'] }), { claims_map: map })).toMatchObject({
      role: 'editor',
    });
  });

  test('a path that does not resolve, without a default, is an error', async () => {
    expect(await refusal(await sign({}), { claims_map: map })).toMatchObject({
      code: 'jwt-invalid-claims',
      message: 'JWT claim from claims_map, "x-hasura-user-id" not found',
    });
  });

  test('a null at the path is an error, whatever the default', async () => {
    const withDefault = { ...map, 'x-hasura-org': { path: '$.org', default: 'none' } };
    expect(await refusal(await sign({ sub: 's1', org: null }), { claims_map: withDefault })).toMatchObject({
      code: 'jwt-invalid-claims',
    });
  });
});

describe('where the token is', () => {
  test('in a cookie', async () => {
    const authenticator = await jwtAuthenticator({ header: { type: 'Cookie', name: 'token' } });
    const token = await sign(claims());
    const { session: found } = await authenticator.authenticate([['Cookie', `a=b; token=${token}; c=d`]]);
    expect(found.role).toBe('user');
  });

  test('in a header of another name, without Bearer', async () => {
    const authenticator = await jwtAuthenticator({ header: { type: 'CustomHeader', name: 'X-Token' } });
    const { session: found } = await authenticator.authenticate([['x-token', await sign(claims())]]);
    expect(found.role).toBe('user');
  });

  test.each(['Basic dXNlcg==', 'Bearer', 'Bearer a b'])('not in %j', async (value) => {
    const authenticator = await jwtAuthenticator();
    await expect(authenticator.authenticate([['Authorization', value]])).rejects.toMatchObject({
      code: 'invalid-headers',
      message: 'Malformed Authorization header',
    });
  });

  test('nowhere: an error, or the unauthorized role', async () => {
    await expect((await jwtAuthenticator()).authenticate([])).rejects.toMatchObject({
      code: 'invalid-headers',
      message: "Missing 'Authorization' or 'Cookie' header in JWT authentication mode",
    });
    const open = await jwtAuthenticator({}, 'anonymous');
    expect((await open.authenticate([['x-hasura-role', 'admin']])).session).toMatchObject({
      role: 'anonymous',
      isAdmin: false,
    });
  });
});
