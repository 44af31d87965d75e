import { describe, expect, test } from 'vitest';
import { createAuthenticator } from '#auth/authenticator.ts';
import { silentLogger } from '#base/log.ts';
import { pem, rsa } from './tokens.ts';

const JWT = JSON.stringify({ type: 'RS256', key: pem(rsa.publicKey) });
const start = (settings: {
  adminSecrets?: string[];
  jwtSecret?: string;
  authHook?: { url: string; mode: 'GET' | 'POST'; sendRequestBody: boolean };
  unauthorizedRole?: string;
}) =>
  createAuthenticator(
    { adminSecrets: [], jwtSecret: undefined, authHook: undefined, unauthorizedRole: undefined, ...settings },
    silentLogger,
  );
const hook = { url: 'http://127.0.0.1:1', mode: 'GET' as const, sendRequestBody: true };

describe('without an admin secret', () => {
  test('everyone is admin, or whoever they say they are', async () => {
    const authenticator = await start({});
    expect((await authenticator.authenticate([])).session).toMatchObject({ role: 'admin', isAdmin: true });
    expect((await authenticator.authenticate([['X-Hasura-Role', 'user']])).session).toMatchObject({
      role: 'user',
      isAdmin: false,
    });
  });
});

describe('with admin secrets', () => {
  test.each(['x-hasura-admin-secret', 'X-Hasura-Access-Key'])('any of them opens, by %s', async (header) => {
    const authenticator = await start({ adminSecrets: ['one', 'two'] });
    for (const secret of ['one', 'two']) {
      const { session } = await authenticator.authenticate([[header, secret]]);
      expect(session.isAdmin).toBe(true);
      expect(JSON.stringify(session)).not.toContain(secret);
    }
  });

  test.each(['', 'three', 'One', 'one '])('%j does not', async (secret) => {
    const authenticator = await start({ adminSecrets: ['one', 'two'] });
    await expect(authenticator.authenticate([['x-hasura-admin-secret', secret]])).rejects.toMatchObject({
      code: 'access-denied',
      status: 401,
      message: 'invalid "x-hasura-admin-secret"/"x-hasura-access-key"',
    });
  });

  test('none at all is refused, unless there is an unauthorized role', async () => {
    await expect((await start({ adminSecrets: ['one'] })).authenticate([])).rejects.toMatchObject({
      message: '"x-hasura-admin-secret"/"x-hasura-access-key" required, but not found',
    });
    const open = await start({ adminSecrets: ['one'], unauthorizedRole: 'guest' });
    expect((await open.authenticate([['x-hasura-role', 'admin']])).session.role).toBe('guest');
  });

  test('the admin may act as another role, with its variables and backend-only permissions', async () => {
    const authenticator = await start({ adminSecrets: ['one'] });
    const { session } = await authenticator.authenticate([
      ['x-hasura-admin-secret', 'one'],
      ['X-Hasura-Role', 'user'],
      ['X-Hasura-User-Id', '7'],
      ['x-hasura-use-backend-only-permissions', 'true'],
    ]);
    expect(session).toMatchObject({ role: 'user', isAdmin: false, backendOnly: true });
    expect(session.variables['x-hasura-user-id']).toBe('7');
  });

  test('a backend-only header that is no boolean is an error', async () => {
    const authenticator = await start({ adminSecrets: ['one'] });
    await expect(
      authenticator.authenticate([
        ['x-hasura-admin-secret', 'one'],
        ['x-hasura-use-backend-only-permissions', 'maybe'],
      ]),
    ).rejects.toMatchObject({ code: 'bad-request' });
  });
});

describe('settings that Hasura does not start with', () => {
  test.each<[string, Parameters<typeof start>[0], RegExp]>([
    [
      'a JWT secret alone',
      { jwtSecret: JWT },
      /HASURA_GRAPHQL_JWT_SECRET: requires HASURA_GRAPHQL_ADMIN_SECRET/,
    ],
    ['a hook alone', { authHook: hook }, /HASURA_GRAPHQL_AUTH_HOOK: requires/],
    [
      'JWT and hook',
      { adminSecrets: ['s'], jwtSecret: JWT, authHook: hook },
      /Both webhook and JWT mode cannot be enabled at the same time/,
    ],
    [
      'a hook and an unauthorized role',
      { adminSecrets: ['s'], authHook: hook, unauthorizedRole: 'x' },
      /HASURA_GRAPHQL_UNAUTHORIZED_ROLE/,
    ],
    ['a JWT secret that is no JSON', { adminSecrets: ['s'], jwtSecret: '{type: RS256}' }, /not valid JSON/],
    ['no key', { adminSecrets: ['s'], jwtSecret: '{}' }, /key and jwk_url both cannot be empty/],
    [
      'key and jwk_url',
      { adminSecrets: ['s'], jwtSecret: '{"type":"HS256","key":"x","jwk_url":"http://a"}' },
      /both cannot be present/,
    ],
    [
      'a namespace and a path to it',
      {
        adminSecrets: ['s'],
        jwtSecret: JSON.stringify({
          ...JSON.parse(JWT),
          claims_namespace: 'a',
          claims_namespace_path: '$.a',
        }),
      },
      /both cannot be set/,
    ],
    [
      'a short shared secret',
      { adminSecrets: ['s'], jwtSecret: '{"type":"HS256","key":"short"}' },
      /at ?least 32/,
    ],
    ['an unknown key type', { adminSecrets: ['s'], jwtSecret: '{"type":"none","key":"x"}' }, /not supported/],
    [
      'a path with a wildcard',
      {
        adminSecrets: ['s'],
        jwtSecret: JSON.stringify({ ...JSON.parse(JWT), claims_namespace_path: '$.a[*]' }),
      },
      /invalid JSON path/,
    ],
    [
      'a claims_map without roles',
      { adminSecrets: ['s'], jwtSecret: JSON.stringify({ ...JSON.parse(JWT), claims_map: {} }) },
      /claims_map/,
    ],
  ])('%s', async (_, settings, message) => {
    await expect(start(settings)).rejects.toThrow(message);
  });
});
