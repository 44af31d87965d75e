import { randomBytes } from 'node:crypto';
import { createGraphqlClient, type GraphqlClient } from '@latchkey/local/graphql-client';
import { freePort, LOOPBACK } from '@latchkey/local/processes/ports';
import { untilAnswers } from '@latchkey/local/processes/wait';
import { type ServiceProcess, startService } from '@latchkey/local/programs/service';
import { type LocalOidc, type OidcUser, startLocalOidc } from '@latchkey/local/stand-ins/oidc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SECRET } from '../support/clerk.ts';
import { applyProject, startTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/test-engine.ts';

const adminSecret = randomBytes(24).toString('base64url');
const actionSecret = randomBytes(24).toString('base64url');
let issuer: LocalOidc;
let service: ServiceProcess;
let engine: TestEngine;
let hasura: GraphqlClient;
let people = 0;

beforeAll(async () => {
  issuer = await startLocalOidc({ port: 0 });
  const [enginePort, port] = [await freePort(), await freePort()];
  service = await startService({
    engineUrl: `http://${LOOPBACK}:${enginePort}`,
    adminSecret,
    port,
    env: {
      ...issuer.serviceEnvironment,
      // Another provider beside it, of whom nobody has a token here.
      CLERK_WEBHOOK_SECRET: SECRET,
      CLERK_FRONTEND_API_URL: 'https://clerk.example.com',
      LATCHKEY_ACTION_SECRET: actionSecret,
      LATCHKEY_CLAIMS: 'plan',
    },
  });
  engine = await startTestEngine({
    adminSecret,
    authHook: true,
    port: enginePort,
    service: { url: service.url, actionSecret },
  });
  await applyProject(engine.url, adminSecret);
  await untilAnswers(`${service.url}/readyz`, service.child);
  hasura = createGraphqlClient(engine.url);
}, 120_000);
afterAll(async () => {
  await engine?.close();
  await service?.close();
  await issuer?.close();
});

function signUp(): OidcUser {
  people += 1;
  return issuer.directory.signUp({ email: `user-${people}@example.com`, given_name: 'Ada' });
}
const call = async (token: string, action: string) =>
  hasura.query(`mutation { answer: ${action} { id user { id email first_name } } }`, { token });
const asAdmin = async (query: string, variables: Record<string, unknown> = {}) =>
  (await hasura.query(query, { adminSecret }, variables)).data;
const row = async (id: string) =>
  (
    await asAdmin(
      'query ($id: String!) { users_by_pk(id: $id) { id provider tenant email email_verified first_name tokens_valid_from } }',
      { id },
    )
  )?.users_by_pk;
/** As Hasura does, with a session and headers of the caller's choice. */
const callService = async (user: string, headers: Record<string, string>) => {
  const answer = await fetch(`${service.url}/actions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-latchkey-secret': actionSecret, ...headers },
    body: JSON.stringify({
      action: { name: 'syncMe' },
      input: {},
      session_variables: {
        'x-hasura-role': 'user',
        'x-hasura-user-id': user,
        'x-hasura-identity-provider': 'oidc',
        'x-hasura-identity-tenant': issuer.url,
        'x-hasura-identity-issued-at': String(Math.floor(Date.now() / 1000)),
      },
    }),
  });
  return { status: answer.status, body: await answer.text() };
};

describe('syncMe', () => {
  test('brings the row of who calls it, as the issuer says who they are, and shows it to them alone', async () => {
    const [ada, ben] = [signUp(), signUp()];
    const tokens = [await issuer.token(ada), await issuer.token(ben)];
    for (const token of tokens) expect(await call(token, 'syncMe')).toMatchObject({ codes: [] });
    expect(await row(ada.id)).toMatchObject({
      provider: 'oidc',
      tenant: issuer.url,
      email: ada.email,
      email_verified: true,
      first_name: 'Ada',
    });
    for (const [index, { id }] of [ada, ben].entries()) {
      const { data } = await hasura.query('{ users { id } }', { token: tokens[index] ?? '' });
      expect(data).toEqual({ users: [{ id }] });
    }
  });

  test('brings what has changed since', async () => {
    const ada = signUp();
    await call(await issuer.token(ada), 'syncMe');
    issuer.directory.updateUser(ada.id, { given_name: 'Augusta' });
    expect(await call(await issuer.token(ada), 'syncMe')).toMatchObject({
      data: { answer: { user: { first_name: 'Augusta' } } },
    });
  });

  test('writes nothing without a token, by that of somebody else, or by one that is not good', async () => {
    const [ada, mallory] = [signUp(), signUp()];
    const refused: [Record<string, string>, number, string][] = [
      [{}, 400, 'forward_client_headers'],
      [{ authorization: `Bearer ${await issuer.token(mallory)}` }, 401, 'another user than the session'],
      [
        { authorization: `Bearer ${await issuer.token(ada, { claims: { aud: 'account' } })}` },
        401,
        'refused',
      ],
      [{ authorization: `Bearer ${await issuer.token(ada, { lifetimeSeconds: -60 })}` }, 401, 'expired'],
      [
        { authorization: `Bearer ${await issuer.token(ada, { claims: { typ: 'Refresh' } })}` },
        401,
        'neither',
      ],
      [{ authorization: 'Basic YTpi' }, 401, 'not Bearer'],
    ];
    for (const [headers, status, text] of refused) {
      expect(await callService(ada.id, headers)).toEqual({ status, body: expect.stringContaining(text) });
    }
    expect([await row(ada.id), await row(mallory.id)]).toEqual([null, null]);
    expect(await callService(ada.id, { authorization: `Bearer ${await issuer.token(ada)}` })).toMatchObject({
      status: 200,
    });
  });
});

test('an id that is another provider’s, or another issuer’s, is nobody’s here', async () => {
  const owners = [
    ['clerk', 'ins_1'],
    ['oidc', 'https://another.example.com'],
    ['oidc', `${issuer.url}/`],
  ];
  for (const [provider = '', tenant = ''] of owners) {
    const ada = signUp();
    const inserted = await asAdmin(
      'mutation ($row: users_insert_input!) { insert_users_one(object: $row) { id } }',
      { row: { id: ada.id, provider, tenant, email: 'owner@example.com', source_updated_at: '2026-01-01' } },
    );
    expect(inserted).not.toBeNull();
    const token = await issuer.token(ada);
    expect((await hasura.query('{ users { id email } }', { token })).data).toBeNull();
    expect((await call(token, 'syncMe')).data).toBeNull();
    expect((await callService(ada.id, { authorization: `Bearer ${token}` })).status).toBe(401);
    expect(await row(ada.id)).toMatchObject({ provider, tenant, email: 'owner@example.com' });
  }
});

describe('what takes an account at the provider is refused, and why is told', () => {
  test.each(['updateMyProfile(first_name: "X")', 'deleteMyAccount'])('%s', async (action) => {
    const ada = signUp();
    const token = await issuer.token(ada);
    await call(token, 'syncMe');
    expect(await call(token, action)).toMatchObject({
      codes: ['request-invalid'],
      message: expect.stringContaining('OpenID Connect tells of people by their tokens alone'),
    });
    expect(await row(ada.id)).toMatchObject({ first_name: 'Ada' });
  });
});

test.each(['with', 'without'])('signOutEverywhere ends the sessions of who is %s a row', async (wanted) => {
  const ada = signUp();
  const old = await issuer.token(ada, { claims: { iat: Math.floor(Date.now() / 1000) - 5 } });
  if (wanted === 'with') await call(old, 'syncMe');
  expect(await call(old, 'signOutEverywhere')).toMatchObject({ codes: [] });
  expect((await hasura.query('{ users { id } }', { token: old })).data).toBeNull();
  expect((await callService(ada.id, {})).status).toBe(401);
  // To the second, as tokens tell it.
  const fresh = await issuer.token(ada, { claims: { iat: Math.floor(Date.now() / 1000) + 1 } });
  expect(await call(fresh, 'syncMe')).toMatchObject({ codes: [] });
});

test('claims that are listed are in the session, by the token of each request', async () => {
  const ada = signUp();
  const hook = async (claims: Record<string, unknown>) => {
    const answer = await fetch(`${service.url}/auth/hook`, {
      headers: { authorization: `Bearer ${await issuer.token(ada, { claims })}` },
    });
    return answer.json();
  };
  await call(await issuer.token(ada, { claims: { plan: 'gold' } }), 'syncMe');
  expect(await hook({ plan: 'silver' })).toMatchObject({ 'x-hasura-plan': 'silver' });
  expect(await hook({ plan: ['a', 'b'] })).toMatchObject({ 'x-hasura-plan': '{"a","b"}' });
  expect(await hook({})).toMatchObject({ 'x-hasura-plan': '' });
});

test('there is no webhook of it', async () => {
  const answer = await fetch(`${service.url}/webhooks/oidc`, { method: 'POST', body: '{}' });
  expect([answer.status, await answer.json()]).toEqual([
    404,
    { code: 'not-found', message: expect.stringContaining('sends no webhooks') },
  ]);
});

test('the reconcile passes over it, and says why', async () => {
  const answer = await fetch(`${service.url}/jobs/reconcile`, {
    method: 'POST',
    headers: { 'x-latchkey-secret': actionSecret },
  });
  expect(await answer.json()).toMatchObject({
    providers: expect.arrayContaining([
      { provider: 'oidc', status: 'skipped', reason: expect.stringContaining('no directory') },
    ]),
  });
});
