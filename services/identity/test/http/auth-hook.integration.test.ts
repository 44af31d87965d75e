import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { CLAIM_SETTINGS } from '@latchkey/core/settings/claims';
import { POOL } from '@latchkey/tests/support/cognito';
import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type LightMyRequestResponse } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSessionUsers } from '#auth/session-users.ts';
import { createHasuraClient } from '#hasura/client.ts';
import { errorHandler } from '#http/errors.ts';
import { createLogger } from '#http/logger.ts';
import { authHook } from '#http/routes/auth-hook.ts';
import { CASDOOR_OWNER, type Issuers, SUBJECT, startIssuers } from '../support/issuer.ts';

let project: EmbeddedProject;
beforeAll(async () => {
  project = await startEmbedded();
});
afterAll(() => project?.close());

let issuers: Issuers;
let app: FastifyInstance;
let logged: string;
beforeEach(async () => {
  issuers = await startIssuers(['editor']);
  app = build();
});
afterEach(async () => {
  vi.useRealTimers();
  await app.close();
  await issuers.close();
  await project.database.query('truncate users, organizations cascade');
});

const TENANTS = { clerk: '', casdoor: CASDOOR_OWNER, cognito: POOL };

/** The row of whoever the tokens are of. */
async function insertRow(columns: Record<string, unknown> = {}): Promise<void> {
  const row = { id: SUBJECT, provider: 'clerk', source_updated_at: '2026-01-01', ...columns };
  const places = Object.keys(row).map((_, index) => `$${index + 1}`);
  await project.database.query(
    `insert into users (${Object.keys(row)}) values (${places})`,
    Object.values(row),
  );
}

function build({
  unauthorizedRole,
  claims: listed = '',
  sessionSeconds,
}: {
  unauthorizedRole?: string;
  claims?: string;
  sessionSeconds?: number;
} = {}): FastifyInstance {
  logged = '';
  const claims = CLAIM_SETTINGS.parse({ LATCHKEY_CLAIMS: listed }).LATCHKEY_CLAIMS;
  const logger: FastifyBaseLogger = createLogger('trace', {
    write(line) {
      logged += line;
    },
  });
  const created = Fastify({ loggerInstance: logger });
  created.setErrorHandler(errorHandler);
  const users = createSessionUsers(createHasuraClient(project.config), claims);
  authHook(created, { providers: issuers.providers, users, claims, unauthorizedRole, sessionSeconds });
  return created;
}

type Headers = Record<string, string>;
const ask = (headers: Headers): Promise<LightMyRequestResponse> =>
  app.inject({
    method: 'POST',
    url: '/auth/hook',
    payload: { headers, request: { query: '{ users { id } }' } },
  });
const MODES: [string, typeof ask][] = [
  ['GET', (headers) => app.inject({ method: 'GET', url: '/auth/hook', headers })],
  ['POST', ask],
];
const bearer = (token: string): Headers => ({ Authorization: `Bearer ${token}` });

describe.each(MODES)('mode %s', (_mode, ask) => {
  test.each(['clerk', 'casdoor', 'cognito', 'oidc'] as const)(
    'tells who the bearer of a token of %s is',
    async (name) => {
      const exp = Math.floor(Date.now() / 1000) + 600;
      vi.useFakeTimers({ toFake: ['Date'], now: (exp - 600) * 1000 });
      const tenant = name === 'oidc' ? `${issuers.url}/oidc` : TENANTS[name];
      await insertRow({ provider: name, tenant });
      const answer = await ask(bearer(await issuers.token(name, { exp, iat: exp - 600 })));
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
      await issuers.token('cognito', { 'cognito:groups': ['editor', 'admin', 'owner'] }),
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
    const honest = bearer(await issuers.token('clerk'));
    const { 'Cache-Control': _, ...session } = (await ask({ ...honest, ...smuggled })).json();
    const { 'Cache-Control': __, ...expected } = (await ask(honest)).json();
    expect(session).toEqual(expected);
    expect(JSON.stringify(session)).not.toMatch(/somebody|org_1|casdoor|acme|pro"|backend/);
  });

  test('refuses whoever has no good token, by 401 that nobody may keep', async () => {
    const expired = await issuers.token('clerk', { exp: Math.floor(Date.now() / 1000) - 60 });
    for (const headers of [{}, bearer(expired), bearer('a.b.c'), { authorization: 'Basic YTpi' }]) {
      const answer = await ask(headers);
      expect([answer.statusCode, answer.json().code, answer.headers['cache-control']]).toEqual([
        401,
        'token-invalid',
        'no-store',
      ]);
    }
    expect(logged).not.toContain(expired.slice(-40));
  });

  test('gives the role for nobody only to whom has no token at all', async () => {
    await app.close();
    app = build({ unauthorizedRole: 'visitor' });
    const answer = await ask({ 'x-hasura-user-id': SUBJECT });
    expect([answer.statusCode, answer.json()]).toEqual([200, { 'x-hasura-role': 'visitor' }]);
    expect((await ask({ 'x-hasura-role': 'visitor' })).statusCode).toBe(200);
    for (const headers of [{ 'x-hasura-role': 'user' }, { 'x-hasura-role': 'admin' }, bearer('a.b.c')]) {
      expect((await ask(headers)).statusCode).toBe(401);
    }
    expect(
      (await ask({ ...bearer(await issuers.token('clerk')), 'x-hasura-role': 'visitor' })).statusCode,
    ).toBe(401);
  });

  test('answers 503, and not that the token is bad, where the keys cannot be had', async () => {
    issuers.answerWith(500);
    const headers = bearer(await issuers.token('clerk'));
    const answer = await ask(headers);
    expect([answer.statusCode, answer.headers['cache-control']]).toEqual([503, 'no-store']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    // Only a delivery would have been stored.
    expect(answer.json()).toEqual({ code: 'unavailable', message: expect.stringMatching(/ask again later/) });
    expect(logged).toContain(`keys cannot be had from ${issuers.url}`);
    issuers.answerWith(200);
    expect((await ask(headers)).statusCode).toBe(200);
  });

  test('goes on through an outage once it has had the keys', async () => {
    expect((await ask(bearer(await issuers.token('clerk')))).statusCode).toBe(200);
    issuers.answerWith(500);
    expect((await ask(bearer(await issuers.token('clerk', { jti: 'another' })))).statusCode).toBe(200);
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
    await insertRow({ ...row, email: 'victim@example.com', name: 'Victim' });
    const message = await refusal(await issuers.token(name, { iat }));
    expect(message).toMatch(/tenant.*docs\/tenants\.md/);
    // Nothing of whose it is.
    expect(message).not.toMatch(/clerk|casdoor|cognito|beta|ANOTHER99|victim/i);
  });

  test('lets in whose tenant is not known there yet', async () => {
    await insertRow({ provider: 'casdoor', tenant: '' });
    expect((await ask(bearer(await issuers.token('casdoor')))).statusCode).toBe(200);
  });

  test('keeps out a token of an organization that is called as rows are whose owner is not known', async () => {
    await insertRow({ provider: 'casdoor', tenant: '?' });
    expect(await refusal(await issuers.token('casdoor', { owner: '?' }))).toContain('tenant');
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['deleted', { deleted_at: '2026-01-01' }, /was deleted at the provider/],
    ['disabled', { disabled_at: '2026-01-01' }, /is disabled at the provider/],
  ])('keeps out who is %s', async (_what, row, message) => {
    await insertRow(row);
    expect(await refusal(await issuers.token('clerk', { iat }))).toMatch(message);
  });

  test('keeps out tokens of before the sessions were ended, and of no time at all', async () => {
    const ended = new Date((iat + 5) * 1000).toISOString();
    await insertRow({ tokens_valid_from: ended });
    for (const issuedAt of [iat, iat + 4]) {
      expect(await refusal(await issuers.token('clerk', { iat: issuedAt }))).toContain('sign in again');
    }
    expect(await refusal(await issuers.token('clerk'))).toContain('iat');
    for (const issuedAt of [iat + 5, iat + 6]) {
      expect((await ask(bearer(await issuers.token('clerk', { iat: issuedAt })))).statusCode).toBe(200);
    }
  });

  test('gives a session no longer than until it is asked about again', async () => {
    await app.close();
    app = build({ sessionSeconds: 120 });
    const headers = bearer(await issuers.token('clerk'));
    // Of nobody's row it is not known whose it will be.
    expect((await ask(headers)).json()['Cache-Control']).toBe('max-age=60');
    await app.close();
    app = build({ sessionSeconds: 120 });
    await insertRow();
    expect((await ask(headers)).json()['Cache-Control']).toBe('max-age=120');
    const short = await issuers.token('clerk', { exp: Math.floor(Date.now() / 1000) + 30 });
    expect((await ask(bearer(short))).json()['Cache-Control']).toMatch(/^max-age=(29|30)$/);
  });

  test('that cannot be read keeps everybody out by 503, and only for so long', async () => {
    await app.close();
    app = Fastify();
    app.setErrorHandler(errorHandler);
    let isDown = true;
    const engine = createHasuraClient(project.config, {
      fetch: (url, init) => (isDown ? Promise.reject(new TypeError('fetch failed')) : fetch(url, init)),
    });
    authHook(app, {
      providers: issuers.providers,
      users: createSessionUsers(engine, []),
      claims: [],
      unauthorizedRole: undefined,
    });
    const headers = bearer(await issuers.token('clerk'));
    const answer = await ask(headers);
    expect([answer.statusCode, answer.headers['cache-control']]).toEqual([503, 'no-store']);
    isDown = false;
    expect((await ask(headers)).statusCode).toBe(200);
  });

  test.each(['a\0b', 'a\ud800b', 'x'.repeat(256)])(
    'of an id that no row can have is not looked for (%#)',
    async (sub) => {
      // Asked for together with others, it would keep these out.
      const good = ask(bearer(await issuers.token('clerk')));
      expect(await refusal(await issuers.token('clerk', { sub }))).toContain('an id that no row can have');
      expect((await good).statusCode).toBe(200);
    },
  );
});

describe('session variables', () => {
  const NAMESPACE = 'https://hasura.io/jwt/claims';
  const claimed = (claims: Record<string, unknown>) => ({ [NAMESPACE]: claims });

  async function insertMembership(organization: string, { provider, tenant, role }: Record<string, string>) {
    const values = [organization, SUBJECT, provider, tenant, role];
    await project.database.query(
      'insert into organizations (id, provider, tenant, source_updated_at) values ($1, $2, $3, now())',
      [organization, provider, tenant],
    );
    await project.database.query(
      `insert into organization_memberships (organization_id, user_id, provider, tenant, role, source_updated_at)
         values ($1, $2, $3, $4, $5, now())`,
      values,
    );
  }
  const organizations = (variables: Record<string, string>) => [
    variables['x-hasura-org-id'],
    variables['x-hasura-org-role'],
    variables['x-hasura-org-ids'],
  ];

  test('of Clerk’s organizations: the active one of the token, all of the row', async () => {
    await insertRow();
    await insertMembership('org_1', { provider: 'clerk', tenant: '', role: 'org:admin' });
    const active = claimed({
      'x-hasura-org-id': 'org_1',
      'X-Hasura-Org-Role': 'org:admin',
      'x-hasura-org-ids': '{"org_9"}',
    });
    expect(organizations((await ask(bearer(await issuers.token('clerk', active)))).json())).toEqual([
      'org_1',
      'org:admin',
      '{"org_1"}',
    ]);
    expect(organizations((await ask(bearer(await issuers.token('clerk')))).json())).toEqual([
      '',
      '',
      '{"org_1"}',
    ]);
  });

  test('of Casdoor’s: the owner and the role of the row', async () => {
    await insertRow({ provider: 'casdoor', tenant: CASDOOR_OWNER });
    await insertMembership(CASDOOR_OWNER, { provider: 'casdoor', tenant: CASDOOR_OWNER, role: 'org:admin' });
    await insertMembership('acme/a"b', { provider: 'casdoor', tenant: CASDOOR_OWNER, role: 'org:member' });
    const token = await issuers.token(
      'casdoor',
      claimed({ 'x-hasura-org-id': 'beta', 'x-hasura-org-role': 'owner' }),
    );
    expect(organizations((await ask(bearer(token))).json())).toEqual([
      'acme',
      'org:admin',
      '{"acme","acme/a\\"b"}',
    ]);
  });

  test('of Cognito’s: all, and none is the active one', async () => {
    await insertRow({ provider: 'cognito', tenant: POOL });
    await insertMembership(`${POOL}/staff`, { provider: 'cognito', tenant: POOL, role: 'org:member' });
    const token = await issuers.token(
      'cognito',
      claimed({ 'x-hasura-org-id': 'x', 'x-hasura-org-role': 'y' }),
    );
    expect(organizations((await ask(bearer(token))).json())).toEqual(['', '', `{"${POOL}/staff"}`]);
  });

  test('of claims: those that are listed, the row’s before the token’s, and always there', async () => {
    await app.close();
    app = build({ claims: 'plan,tenant=tenant_id,absent,odd' });
    const told = claimed({
      'x-hasura-plan': 'free',
      'x-hasura-tenant': 't1',
      'x-hasura-odd': 'a\nb',
      'x-hasura-secret': 'not listed',
      'x-hasura-role': 'admin',
      'x-hasura-user-id': 'somebody else',
      'x-hasura-identity-provider': 'casdoor',
      'x-hasura-identity-tenant': 'acme',
      'x-hasura-identity-issued-at': '99999999999',
      'x-hasura-use-backend-only-permissions': 'true',
    });
    await insertRow({ metadata: { plan: 'pro', 'x-hasura-absent': 'no' } });
    const session = (await ask(bearer(await issuers.token('clerk', told)))).json();
    expect(session).toEqual({
      'x-hasura-user-id': SUBJECT,
      'x-hasura-role': 'user',
      'x-hasura-identity-provider': 'clerk',
      'x-hasura-identity-tenant': '',
      'x-hasura-identity-issued-at': '',
      'x-hasura-org-id': '',
      'x-hasura-org-role': '',
      'x-hasura-org-ids': '{}',
      'x-hasura-plan': 'pro',
      'x-hasura-tenant': 't1',
      'x-hasura-absent': '',
      'x-hasura-odd': '',
      'Cache-Control': expect.any(String),
    });
  });

  test('say the tenant of the row where the token does not tell it', async () => {
    await insertRow({ tenant: 'ins_1' });
    const session = (await ask(bearer(await issuers.token('clerk')))).json();
    expect(session).toMatchObject({ 'x-hasura-identity-tenant': 'ins_1' });
  });
});

test('two Authorization headers are refused, whichever is good and whatever their case', async () => {
  const good = `Bearer ${await issuers.token('clerk')}`;
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const status = await new Promise((resolve, reject) => {
    const sent = httpRequest(`${url}/auth/hook`, (answer) => {
      resolve(answer.statusCode);
      answer.resume();
    });
    sent.on('error', reject);
    sent.setHeader('authorization', [good, 'Bearer a.b.c']);
    sent.end();
  });
  expect(status).toBe(401);
  const posted = await app.inject({
    method: 'POST',
    url: '/auth/hook',
    payload: { headers: { Authorization: good, authorization: good } },
  });
  expect(posted.statusCode).toBe(401);
});

test.each([
  ['a body that never comes', ''],
  ['a body that never ends', '5\r\nhello\r\n'],
])(
  'a GET with Transfer-Encoding: chunked, as Hasura passes it on, is answered at once: %s',
  async (_what, body) => {
    const { hostname, port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
    const head = [
      'GET /auth/hook HTTP/1.1',
      `host: ${hostname}:${port}`,
      `authorization: Bearer ${await issuers.token('clerk')}`,
      'transfer-encoding: chunked',
    ];
    const socket = connect(Number(port), hostname);
    try {
      socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
      const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(5_000) });
      expect(String(answer)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(String(answer)).toContain(`"x-hasura-user-id":"${SUBJECT}"`);
    } finally {
      socket.destroy();
    }
  },
);

test.each<[string, unknown]>([
  ['no headers', {}],
  ['a list of headers', { headers: ['authorization'] }],
  ['headers that are no texts', { headers: { authorization: ['a', 'b'] } }],
  ['a text', '"headers"'],
  ['no JSON', '{"headers":'],
  ['a prototype', '{"headers":{"__proto__":{"authorization":"x"}}}'],
])('a body with %s is answered by 400', async (_what, body) => {
  const answer = await app.inject({
    method: 'POST',
    url: '/auth/hook',
    headers: { 'content-type': 'application/json' },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'request-invalid']);
});
