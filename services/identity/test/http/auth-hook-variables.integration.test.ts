import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { POOL } from '@latchkey/tests/support/cognito';
import { describe, expect, test } from 'vitest';
import { bearer, useAuthHook } from '../support/auth-hook.ts';
import { CASDOOR_OWNER, SUBJECT } from '../support/issuer.ts';

const hook = useAuthHook();
const { ask } = hook;

describe('session variables', () => {
  const NAMESPACE = 'https://hasura.io/jwt/claims';
  const claimed = (claims: Record<string, unknown>) => ({ [NAMESPACE]: claims });

  async function insertMembership(organization: string, { provider, tenant, role }: Record<string, string>) {
    const values = [organization, SUBJECT, provider, tenant, role];
    await hook.project.database.query(
      'insert into organizations (id, provider, tenant, source_updated_at) values ($1, $2, $3, now())',
      [organization, provider, tenant],
    );
    await hook.project.database.query(
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
    await hook.insertRow();
    await insertMembership('org_1', { provider: 'clerk', tenant: '', role: 'org:admin' });
    const active = claimed({
      'x-hasura-org-id': 'org_1',
      'X-Hasura-Org-Role': 'org:admin',
      'x-hasura-org-ids': '{"org_9"}',
    });
    expect(organizations((await ask(bearer(await hook.issuers.token('clerk', active)))).json())).toEqual([
      'org_1',
      'org:admin',
      '{"org_1"}',
    ]);
    expect(organizations((await ask(bearer(await hook.issuers.token('clerk')))).json())).toEqual([
      '',
      '',
      '{"org_1"}',
    ]);
  });

  test('of Casdoor’s: the owner and the role of the row', async () => {
    await hook.insertRow({ provider: 'casdoor', tenant: CASDOOR_OWNER });
    await insertMembership(CASDOOR_OWNER, { provider: 'casdoor', tenant: CASDOOR_OWNER, role: 'org:admin' });
    await insertMembership('acme/a"b', { provider: 'casdoor', tenant: CASDOOR_OWNER, role: 'org:member' });
    const token = await hook.issuers.token(
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
    await hook.insertRow({ provider: 'cognito', tenant: POOL });
    await insertMembership(`${POOL}/staff`, { provider: 'cognito', tenant: POOL, role: 'org:member' });
    const token = await hook.issuers.token(
      'cognito',
      claimed({ 'x-hasura-org-id': 'x', 'x-hasura-org-role': 'y' }),
    );
    expect(organizations((await ask(bearer(token))).json())).toEqual(['', '', `{"${POOL}/staff"}`]);
  });

  test('of claims: those that are listed, the row’s before the token’s, and always there', async () => {
    await hook.app.close();
    hook.app = hook.build({ claims: 'plan,tenant=tenant_id,absent,odd' });
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
    await hook.insertRow({ metadata: { plan: 'pro', 'x-hasura-absent': 'no' } });
    const session = (await ask(bearer(await hook.issuers.token('clerk', told)))).json();
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
    await hook.insertRow({ tenant: 'ins_1' });
    const session = (await ask(bearer(await hook.issuers.token('clerk')))).json();
    expect(session).toMatchObject({ 'x-hasura-identity-tenant': 'ins_1' });
  });
});

test('two Authorization headers are refused, whichever is good and whatever their case', async () => {
  const good = `Bearer ${await hook.issuers.token('clerk')}`;
  const url = await hook.app.listen({ host: '127.0.0.1', port: 0 });
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
  const posted = await hook.app.inject({
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
    const { hostname, port } = new URL(await hook.app.listen({ host: '127.0.0.1', port: 0 }));
    const head = [
      'GET /auth/hook HTTP/1.1',
      `host: ${hostname}:${port}`,
      `authorization: Bearer ${await hook.issuers.token('clerk')}`,
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
  const answer = await hook.app.inject({
    method: 'POST',
    url: '/auth/hook',
    headers: { 'content-type': 'application/json' },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'request-invalid']);
});
