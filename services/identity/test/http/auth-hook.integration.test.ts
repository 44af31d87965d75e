import { POOL } from '@latchkey/tests/support/cognito';
import { describe, expect, test, vi } from 'vitest';
import { bearer, TENANTS, useAuthHook } from '../support/auth-hook.ts';
import { CASDOOR_OWNER, SUBJECT } from '../support/issuer.ts';

const hook = useAuthHook();
const MODES: [string, typeof hook.ask][] = [
  ['GET', (headers) => hook.app.inject({ method: 'GET', url: '/auth/hook', headers })],
  ['POST', hook.ask],
];
const { ask } = hook;

describe.each(MODES)('mode %s', (_mode, ask) => {
  test.each(['clerk', 'casdoor', 'cognito', 'oidc'] as const)(
    'tells who the bearer of a token of %s is',
    async (name) => {
      const exp = Math.floor(Date.now() / 1000) + 600;
      vi.useFakeTimers({ toFake: ['Date'], now: (exp - 600) * 1000 });
      const tenant = name === 'oidc' ? `${hook.issuers.url}/oidc` : TENANTS[name];
      await hook.insertRow({ provider: name, tenant });
      const answer = await ask(bearer(await hook.issuers.token(name, { exp, iat: exp - 600 })));
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toEqual({
        'x-hasura-user-id': SUBJECT,
        'x-hasura-role': 'user',
        'x-hasura-identity-provider': name,
        'x-hasura-identity-tenant': tenant,
        'x-hasura-identity-issued-at': String(exp - 600),
        'x-hasura-org-id': '',
        'x-hasura-org-role': '',
        'x-hasura-org-ids': '{}',
        'Cache-Control': 'max-age=600',
      });
      expect(answer.headers['cache-control']).toBe('max-age=600');
    },
  );

  test('gives the role that is asked for where the token allows it, and refuses any other', async () => {
    const headers = bearer(
      await hook.issuers.token('cognito', { 'cognito:groups': ['editor', 'admin', 'owner'] }),
    );
    for (const role of ['editor', 'user']) {
      expect((await ask({ ...headers, 'X-Hasura-Role': role })).json()).toMatchObject({
        'x-hasura-role': role,
      });
    }
    for (const role of ['admin', 'owner', 'Editor', 'editor, user', ' ']) {
      expect((await ask({ ...headers, 'X-Hasura-Role': role })).statusCode, role).toBe(401);
    }
  });

  test('passes on nothing of what the client sends', async () => {
    const smuggled = {
      'x-hasura-user-id': 'somebody else',
      'X-Hasura-Allowed-Roles': '["admin"]',
      'x-hasura-org-id': 'org_1',
      'x-hasura-use-backend-only-permissions': 'true',
      cookie: 'x-hasura-role=admin',
      'x-forwarded-for': '127.0.0.1',
      'x-hasura-identity-provider': 'casdoor',
      'x-hasura-identity-tenant': 'acme',
      'x-hasura-org-ids': '{"org_1"}',
      'x-hasura-plan': 'pro',
    };
    const honest = bearer(await hook.issuers.token('clerk'));
    const { 'Cache-Control': _, ...session } = (await ask({ ...honest, ...smuggled })).json();
    const { 'Cache-Control': __, ...expected } = (await ask(honest)).json();
    expect(session).toEqual(expected);
    expect(JSON.stringify(session)).not.toMatch(/somebody|org_1|casdoor|acme|pro"|backend/);
  });

  test('refuses whoever has no good token, by 401 that nobody may keep', async () => {
    const expired = await hook.issuers.token('clerk', { exp: Math.floor(Date.now() / 1000) - 60 });
    for (const headers of [{}, bearer(expired), bearer('a.b.c'), { authorization: 'Basic YTpi' }]) {
      const answer = await ask(headers);
      expect([answer.statusCode, answer.json().code, answer.headers['cache-control']]).toEqual([
        401,
        'token-invalid',
        'no-store',
      ]);
    }
    expect(hook.logged).not.toContain(expired.slice(-40));
  });

  test('gives the role for nobody only to whom has no token at all', async () => {
    await hook.app.close();
    hook.app = hook.build({ unauthorizedRole: 'visitor' });
    const answer = await ask({ 'x-hasura-user-id': SUBJECT });
    expect([answer.statusCode, answer.json()]).toEqual([200, { 'x-hasura-role': 'visitor' }]);
    expect((await ask({ 'x-hasura-role': 'visitor' })).statusCode).toBe(200);
    for (const headers of [{ 'x-hasura-role': 'user' }, { 'x-hasura-role': 'admin' }, bearer('a.b.c')]) {
      expect((await ask(headers)).statusCode).toBe(401);
    }
    expect(
      (await ask({ ...bearer(await hook.issuers.token('clerk')), 'x-hasura-role': 'visitor' })).statusCode,
    ).toBe(401);
  });

  test('answers 503, and not that the token is bad, where the keys cannot be had', async () => {
    hook.issuers.answerWith(500);
    const headers = bearer(await hook.issuers.token('clerk'));
    const answer = await ask(headers);
    expect([answer.statusCode, answer.headers['cache-control']]).toEqual([503, 'no-store']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    // Only a delivery would have been stored.
    expect(answer.json()).toEqual({ code: 'unavailable', message: expect.stringMatching(/ask again later/) });
    expect(hook.logged).toContain(`keys cannot be had from ${hook.issuers.url}`);
    hook.issuers.answerWith(200);
    expect((await ask(headers)).statusCode).toBe(200);
  });

  test('goes on through an outage once it has had the keys', async () => {
    expect((await ask(bearer(await hook.issuers.token('clerk')))).statusCode).toBe(200);
    hook.issuers.answerWith(500);
    expect((await ask(bearer(await hook.issuers.token('clerk', { jti: 'another' })))).statusCode).toBe(200);
  });
});

describe('the row of the user', () => {
  const refusal = async (token: string): Promise<string> => {
    const answer = await ask(bearer(token));
    expect([answer.statusCode, answer.json().code, answer.headers['cache-control']]).toEqual([
      401,
      'token-invalid',
      'no-store',
    ]);
    return answer.json().message;
  };
  const iat = Math.floor(Date.now() / 1000) - 10;

  test.each<['clerk' | 'casdoor' | 'cognito', string, Record<string, unknown>]>([
    ['casdoor', 'another provider', { provider: 'clerk', tenant: '' }],
    [
      'casdoor',
      'another provider with a tenant of the same name',
      { provider: 'clerk', tenant: CASDOOR_OWNER },
    ],
    ['clerk', 'another provider', { provider: 'casdoor', tenant: 'acme' }],
    ['cognito', 'a provider that is not known here', { provider: 'google', tenant: POOL }],
    ['casdoor', 'another organization', { provider: 'casdoor', tenant: 'beta' }],
    ['casdoor', 'an organization that begins alike', { provider: 'casdoor', tenant: 'acme/staff' }],
    ['cognito', 'another pool', { provider: 'cognito', tenant: 'eu-west-1_ANOTHER99' }],
    ['casdoor', 'nobody knows whom', { provider: 'casdoor', tenant: '?' }],
    ['clerk', 'nobody knows whom', { provider: 'clerk', tenant: '?' }],
  ])('keeps out a token of %s where it is of %s', async (name, _what, row) => {
    await hook.insertRow({ ...row, email: 'victim@example.com', name: 'Victim' });
    const message = await refusal(await hook.issuers.token(name, { iat }));
    expect(message).toMatch(/tenant.*docs\/tenants\.md/);
    // Nothing of whose it is.
    expect(message).not.toMatch(/clerk|casdoor|cognito|beta|ANOTHER99|victim/i);
  });

  test('lets in whose tenant is not known there yet', async () => {
    await hook.insertRow({ provider: 'casdoor', tenant: '' });
    expect((await ask(bearer(await hook.issuers.token('casdoor')))).statusCode).toBe(200);
  });

  test('keeps out a token of an organization that is called as rows are whose owner is not known', async () => {
    await hook.insertRow({ provider: 'casdoor', tenant: '?' });
    expect(await refusal(await hook.issuers.token('casdoor', { owner: '?' }))).toContain('tenant');
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['deleted', { deleted_at: '2026-01-01' }, /was deleted at the provider/],
    ['disabled', { disabled_at: '2026-01-01' }, /is disabled at the provider/],
  ])('keeps out who is %s', async (_what, row, message) => {
    await hook.insertRow(row);
    expect(await refusal(await hook.issuers.token('clerk', { iat }))).toMatch(message);
  });

  test('keeps out tokens of before the sessions were ended, and of no time at all', async () => {
    const ended = new Date((iat + 5) * 1000).toISOString();
    await hook.insertRow({ tokens_valid_from: ended });
    for (const issuedAt of [iat, iat + 4]) {
      expect(await refusal(await hook.issuers.token('clerk', { iat: issuedAt }))).toContain('sign in again');
    }
    expect(await refusal(await hook.issuers.token('clerk'))).toContain('iat');
    for (const issuedAt of [iat + 5, iat + 6]) {
      expect((await ask(bearer(await hook.issuers.token('clerk', { iat: issuedAt })))).statusCode).toBe(200);
    }
  });

  test('gives a session no longer than until it is asked about again', async () => {
    await hook.app.close();
    hook.app = hook.build({ sessionSeconds: 120 });
    const headers = bearer(await hook.issuers.token('clerk'));
    // Of nobody's row it is not known whose it will be.
    expect((await ask(headers)).json()['Cache-Control']).toBe('max-age=60');
    await hook.app.close();
    hook.app = hook.build({ sessionSeconds: 120 });
    await hook.insertRow();
    expect((await ask(headers)).json()['Cache-Control']).toBe('max-age=120');
    const short = await hook.issuers.token('clerk', { exp: Math.floor(Date.now() / 1000) + 30 });
    expect((await ask(bearer(short))).json()['Cache-Control']).toMatch(/^max-age=(29|30)$/);
  });

  test('that cannot be read keeps everybody out by 503, and only for so long', async () => {
    await hook.app.close();
    let isDown = true;
    hook.app = hook.build({
      fetch: (url, init) => (isDown ? Promise.reject(new TypeError('fetch failed')) : fetch(url, init)),
    });
    const headers = bearer(await hook.issuers.token('clerk'));
    const answer = await ask(headers);
    expect([answer.statusCode, answer.headers['cache-control']]).toEqual([503, 'no-store']);
    isDown = false;
    expect((await ask(headers)).statusCode).toBe(200);
  });

  test.each(['a\0b', 'a\ud800b', 'x'.repeat(256)])(
    'of an id that no row can have is not looked for (%#)',
    async (sub) => {
      // Asked for together with others, it would keep these out.
      const good = ask(bearer(await hook.issuers.token('clerk')));
      expect(await refusal(await hook.issuers.token('clerk', { sub }))).toContain(
        'an id that no row can have',
      );
      expect((await good).statusCode).toBe(200);
    },
  );
});
