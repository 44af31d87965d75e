import { randomBytes } from 'node:crypto';
import { createGraphqlClient, type GraphqlClient } from '@latchkey/local/graphql-client';
import { untilAnswers } from '@latchkey/local/processes/wait';
import { type ServiceProcess, startService } from '@latchkey/local/programs/service';
import {
  type CasdoorRecord,
  type LocalCasdoor,
  newRecord,
  startLocalCasdoor,
  TOKEN_FORMATS,
} from '@latchkey/local/stand-ins/casdoor';
import { jwtSecretOf } from '@latchkey/scripts/stack/trust';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyProject, startTestEngine } from '../support/engine.ts';
import { latchkey } from '../support/latchkey.ts';
import type { TestEngine } from '../support/test-engine.ts';

const adminSecret = randomBytes(24).toString('base64url');
let casdoor: LocalCasdoor;
let engine: TestEngine;
let service: ServiceProcess;
let hasura: GraphqlClient;
let log = '';

beforeAll(async () => {
  casdoor = await startLocalCasdoor({ port: 0, pace: { pollMs: 5, retryMs: 50 } });
  engine = await startTestEngine({ adminSecret, jwtSecret: jwtSecretOf(casdoor) });
  await applyProject(engine.url, adminSecret);
  service = await startService({
    engineUrl: engine.url,
    adminSecret,
    env: casdoor.serviceEnvironment,
    onLine: (line) => {
      log += `${line}\n`;
    },
  });
  await untilAnswers(`${service.url}/readyz`, service.child);
  casdoor.deliverTo(`${service.url}/webhooks/casdoor`);
  hasura = createGraphqlClient(engine.url);
});
afterAll(async () => {
  await casdoor?.close();
  await service?.close();
  await engine?.close();
});

async function asAdmin(query: string, variables: Record<string, unknown> = {}) {
  const { data, message } = await hasura.query(query, { adminSecret }, variables);
  if (data === null) throw new Error(message);
  return data;
}
async function userRow(id: string) {
  const query = `query ($id: String!) {
    users_by_pk(id: $id) { provider email username roles deleted_at }
    organization_memberships(where: {user_id: {_eq: $id}}, order_by: {organization_id: asc}) {
      organization_id role deleted_at
    }
  }`;
  return asAdmin(query, { id });
}
async function post(record: CasdoorRecord, headers: Record<string, string> = {}): Promise<number> {
  const response = await casdoor.webhooks.post(record, headers);
  await response.arrayBuffer();
  return response.status;
}

test('who signs up is a row, is seen by themselves alone, and leaves a tombstone', async () => {
  const ada = casdoor.actions.signUp('acme/ada', { email: 'ada@example.com', emailVerified: true });
  const grace = casdoor.actions.signUp('acme/grace', { email: 'grace@example.com' });
  await casdoor.webhooks.idle();
  for (const format of TOKEN_FORMATS) {
    const token = await casdoor.token(ada, { format });
    const { data } = await hasura.query(
      '{ users { id email } organization_memberships { organization_id role user_id } organizations { name } }',
      { token },
    );
    expect(data, format).toEqual({
      users: [{ id: ada.id, email: 'ada@example.com' }],
      organization_memberships: [{ organization_id: 'acme', role: 'org:member', user_id: ada.id }],
      // It was there before the service was: the first member brings it along.
      organizations: [{ name: 'Acme' }],
    });
  }

  casdoor.actions.deleteUser('acme/grace');
  await casdoor.webhooks.idle();
  expect(await userRow(grace.id)).toMatchObject({
    users_by_pk: { email: null, username: null, deleted_at: expect.any(String) },
  });
  const { data } = await hasura.query('{ users { id } }', { token: await casdoor.token(grace) });
  expect(data).toEqual({ users: [] });
});

test('what a user is told to be changes with them: names, roles, groups', async () => {
  const { actions } = casdoor;
  actions.addGroup('acme/staff', 'The Staff');
  actions.addGroup('acme/crew');
  const { id } = actions.addUser('acme/linus', { groups: ['acme/staff'] });
  actions.addRole('acme/editor', { groups: ['acme/staff'] });
  await casdoor.webhooks.idle();
  expect(await userRow(id)).toEqual({
    users_by_pk: { provider: 'casdoor', email: null, username: 'linus', roles: ['editor'], deleted_at: null },
    organization_memberships: [
      { organization_id: 'acme', role: 'org:member', deleted_at: null },
      { organization_id: 'acme/staff', role: 'org:member', deleted_at: null },
    ],
  });

  actions.updateUser('acme/linus', { name: 'torvalds', isAdmin: true, groups: ['acme/crew'] });
  await casdoor.webhooks.idle();
  expect(await userRow(id)).toMatchObject({
    users_by_pk: { username: 'torvalds', roles: [] },
    organization_memberships: [
      { organization_id: 'acme', role: 'org:admin', deleted_at: null },
      { organization_id: 'acme/crew', role: 'org:member', deleted_at: null },
      { organization_id: 'acme/staff', deleted_at: expect.any(String) },
    ],
  });
});

test('a role that is taken away is gone from those who had it', async () => {
  const { id } = casdoor.actions.addUser('acme/hedy');
  casdoor.actions.addRole('acme/inventor', { users: ['acme/hedy'] });
  await casdoor.webhooks.idle();
  expect(await userRow(id)).toMatchObject({ users_by_pk: { roles: ['inventor'] } });
  casdoor.actions.updateRole('acme/inventor', { users: [] });
  await casdoor.webhooks.idle();
  expect(await userRow(id)).toMatchObject({ users_by_pk: { roles: [] } });
});

test('a picture alone is news, though only the upload tells of it', async () => {
  const { id } = casdoor.actions.signUp('acme/joan');
  casdoor.actions.uploadAvatar('acme/joan', 'https://cdn.example.org/joan.png');
  await casdoor.webhooks.idle();
  const { users_by_pk: row } = await asAdmin('query ($id: String!) { users_by_pk(id: $id) { image_url } }', {
    id,
  });
  expect(row).toEqual({ image_url: 'https://cdn.example.org/joan.png' });
});

test('who is kept out sees nothing until they are let in again, whichever way it was done', async () => {
  const user = casdoor.actions.signUp('acme/betty');
  const token = await casdoor.token(user);
  const seen = async () => {
    await casdoor.webhooks.idle();
    return (await hasura.query('{ users { id } organizations { id } }', { token })).data;
  };
  const everything = { users: [{ id: user.id }], organizations: [{ id: 'acme' }] };
  const nothing = { users: [], organizations: [] };
  expect(await seen()).toEqual(everything);
  for (const how of [{ isForbidden: true }, { isDeleted: true }]) {
    casdoor.actions.updateUser('acme/betty', how);
    expect(await seen()).toEqual(nothing);
    casdoor.actions.updateUser('acme/betty', { isForbidden: false, isDeleted: false });
    expect(await seen()).toEqual(everything);
  }
});

test('after an ordinary deletion nothing is adrift: memberships end with their user', async () => {
  casdoor.actions.addGroup('acme/team');
  const { id } = casdoor.actions.addUser('acme/shirley', { groups: ['acme/team'] });
  await casdoor.webhooks.idle();
  const env = {
    ...casdoor.serviceEnvironment,
    HASURA_GRAPHQL_ENDPOINT: engine.url,
    HASURA_GRAPHQL_ADMIN_SECRET: adminSecret,
  };
  const sync = (task: string) => latchkey(['sync', task, '--provider', 'casdoor'], env);
  expect(await sync('repair')).toMatchObject({ code: 0 });
  casdoor.actions.deleteUser('acme/shirley');
  await casdoor.webhooks.idle();
  expect(await userRow(id)).toMatchObject({
    organization_memberships: [
      { organization_id: 'acme', deleted_at: expect.any(String) },
      { organization_id: 'acme/team', deleted_at: expect.any(String) },
    ],
  });
  const { code, stdout } = await sync('drift');
  expect(code, stdout).toBe(0);

  const unknown = await latchkey(['sync', 'drift', '--provider', 'casdoor'], {
    ...env,
    CASDOOR_ORGANIZATIONS: 'Acme',
  });
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('CASDOOR_ORGANIZATIONS names Acme');
  expect(unknown.stderr).toContain('it has acme, built-in.');
});

describe('a hint', () => {
  test('that comes twice, late or again years later changes nothing that is not so', async () => {
    const { result: mary, records } = casdoor.intercept(() => casdoor.actions.signUp('acme/mary'));
    for (const record of records) expect(await post(record)).toBe(200);
    const { records: deletion } = casdoor.intercept(() => casdoor.actions.deleteUser('acme/mary'));
    for (const record of [...deletion, ...records, ...deletion, ...records])
      expect(await post(record)).toBe(200);
    expect(await userRow(mary.id)).toMatchObject({ users_by_pk: { deleted_at: expect.any(String) } });
    const { identity_deliveries: ledger } = await asAdmin(
      `query ($name: String!) {
        identity_deliveries(where: {id: {_like: $name}}) { type status payload }
      }`,
      { name: `casdoor:${deletion[0]?.name}:%` },
    );
    expect(ledger).toEqual([{ type: 'delete-user', status: 'applied', payload: null }]);
  });

  test('of somebody who was gone before they were heard of leaves nothing', async () => {
    const { result: rose, records } = casdoor.intercept(() => casdoor.actions.signUp('acme/rose'));
    const { records: deletion } = casdoor.intercept(() => casdoor.actions.deleteUser('acme/rose'));
    for (const record of [...deletion, ...records]) expect(await post(record)).toBe(200);
    expect(await userRow(rose.id)).toMatchObject({ users_by_pk: null });
  });

  test('of a call that failed is taken and ignored, and the ledger says why', async () => {
    const { id } = casdoor.directory.addUser('acme/safe');
    const object = JSON.stringify({ owner: 'acme', name: 'safe', id });
    const response = '{status:"error", msg:"Unauthorized operation"}';
    const record = newRecord({ action: 'delete-user', object, response });
    const answer = await casdoor.webhooks.post(record);
    // Casdoor files a record of its own for every other answer.
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ignored' }]);
    expect(await userRow(id)).toMatchObject({ users_by_pk: null });
    const { identity_deliveries_by_pk: row } = await asAdmin(
      'query ($id: String!) { identity_deliveries_by_pk(id: $id) { status error } }',
      { id: `casdoor:${record.name}:delete-user` },
    );
    expect(row).toEqual({ status: 'ignored', error: 'The call had failed, or was refused, at Casdoor.' });
    expect(log).toContain('The call had failed, or was refused, at Casdoor.');
  });

  test('with a forged header stores nothing', async () => {
    const record = newRecord({ action: 'delete-user', object: '{"id":"forged-id"}' });
    expect(await post(record, { 'x-webhook-secret': 'a-guess-of-32-characters-or-more' })).toBe(401);
    expect(await userRow('forged-id')).toMatchObject({ users_by_pk: null });
  });

  test('that is none is kept as dead, without its body', async () => {
    const response = await fetch(`${service.url}/webhooks/casdoor`, {
      method: 'POST',
      headers: { 'x-webhook-secret': casdoor.webhookSecret },
      body: '{"password":"in-plain-text"',
    });
    expect(response.status).toBe(400);
    const { identity_deliveries: dead } = await asAdmin(
      '{ identity_deliveries(where: {provider: {_eq: "casdoor"}, status: {_eq: "dead"}}) { payload error } }',
    );
    expect(dead).toEqual([{ payload: null, error: expect.stringContaining('Content type') }]);
  });
});

// Hasura takes some eleven seconds to end.
test('what happens while the engine is away is delivered again and not lost', {
  timeout: 120_000,
}, async () => {
  await engine.stop();
  const { result: late, records } = casdoor.intercept(() => casdoor.actions.signUp('acme/late'));
  for (const record of records) expect(await post(record)).toBe(503);
  await engine.start();
  for (const record of records) expect(await post(record)).toBe(200);
  expect(await userRow(late.id)).toMatchObject({ users_by_pk: { username: 'late' } });
});

test('nothing secret or personal is in the ledger or the log', async () => {
  const { identity_deliveries: ledger } = await asAdmin(
    '{ identity_deliveries { id type subject payload error } }',
  );
  expect(ledger).not.toHaveLength(0);
  for (const text of [JSON.stringify(ledger), log]) {
    expect(text).not.toMatch(/in-plain-text|the-salt|password|example\.com|torvalds/i);
    expect(text).not.toContain(casdoor.webhookSecret);
    expect(text).not.toContain(casdoor.credentials.clientSecret);
  }
});
