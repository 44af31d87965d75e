import { mkdtemp, rm, stat } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { readConfig } from '@latchkey/identity/config/read-config';
import { casdoorVerifier } from '@latchkey/identity/providers/casdoor/verify';
import { fixture } from '@latchkey/tests/support/casdoor';
import { serve } from '@latchkey/tests/support/http';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  type LocalCasdoor,
  type LocalCasdoorOptions,
  startLocalCasdoor,
} from '#stand-ins/casdoor/local-casdoor.ts';
import { TOKEN_FORMATS } from '#stand-ins/casdoor/tokens.ts';
import type { Attempt } from '#stand-ins/casdoor/webhooks.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function start(options: Partial<LocalCasdoorOptions> = {}): Promise<LocalCasdoor> {
  const casdoor = await startLocalCasdoor({ port: 0, pace: { pollMs: 1, retryMs: 5 }, ...options });
  open.push(casdoor);
  return casdoor;
}

type Received = { headers: IncomingHttpHeaders; body: string };

/** An endpoint that answers with one status after the other, the last one for ever. */
async function receiver(...statuses: number[]): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = await serve(async (request, response) => {
    received.push({ headers: request.headers, body: await text(request) });
    response.writeHead(statuses[Math.min(received.length, statuses.length) - 1] ?? 204).end();
  });
  open.push(server);
  return { url: server.url, received };
}

const object = z.record(z.string(), z.unknown());
const keysOf = (json: string): string[] => Object.keys(object.parse(JSON.parse(json))).sort();

test('a record has the fields of a recorded one, and its header is the service’s', async () => {
  const casdoor = await start();
  const { url, received } = await receiver();
  casdoor.deliverTo(url);
  casdoor.actions.signUp('acme/ada', { email: 'ada@example.com' });
  await casdoor.webhooks.idle();
  expect(received).toHaveLength(2);
  for (const { headers, body } of received) {
    expect(keysOf(body)).toEqual(keysOf(fixture('webhook.signup.json')));
    const env = { HASURA_GRAPHQL_ADMIN_SECRET: 'not used here', ...casdoor.serviceEnvironment };
    const config = readConfig(env).providers.casdoor;
    if (config === undefined) throw new Error('Casdoor is not configured.');
    const { id } = casdoorVerifier(config)({ headers, body: Buffer.from(body), receivedAt: 1 });
    expect(id).toMatch(/^casdoor:[0-9a-f-]{36}:(signup|new-user)$/);
  }
});

test('what fails is sent three times in all, and then it is lost', async () => {
  const attempts: Attempt[] = [];
  const casdoor = await start({ onAttempt: (attempt) => attempts.push(attempt) });
  const { url, received } = await receiver(500, 302, 503, 204);
  casdoor.deliverTo(url);
  casdoor.actions.addGroup('acme/staff');
  await casdoor.webhooks.idle();
  expect(received).toHaveLength(3);
  expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  expect(attempts.map(({ number, status, willRetry }) => [number, status, willRetry])).toEqual([
    [1, 500, true],
    [2, 302, true],
    [3, 503, false],
  ]);
});

test('a change by the API tells nobody', async () => {
  const casdoor = await start();
  const { records } = casdoor.intercept(() => casdoor.directory.addUser('acme/ada'));
  expect(records).toEqual([]);
});

describe('tokens', () => {
  test.each([
    ['JWT', 'token.jwt.json'],
    ['JWT-Empty', 'token.jwt-empty.json'],
    ['JWT-Standard', 'token.jwt-standard.json'],
    ['JWT-Custom', 'token.jwt-custom.owner.json'],
  ] as const)('of format %s carry no claim that a real one lacks, and verify', async (format, name) => {
    const casdoor = await start();
    casdoor.directory.addRole('acme/editor', { users: ['acme/ada'] });
    const token = await casdoor.token(casdoor.directory.addUser('acme/ada'), { format });
    const keys = createRemoteJWKSet(new URL(casdoor.keysUrl));
    const { payload } = await jwtVerify(token, keys, { issuer: casdoor.url });
    const real = z.object({ payload: object }).parse(JSON.parse(fixture(name))).payload;
    const unseen = Object.keys(payload).filter((claim) => !(claim in real));
    // Real users carry some that are empty here, and the recording leaves out as well.
    expect(unseen.filter((claim) => !['emailVerified', 'email_verified'].includes(claim))).toEqual([]);
    for (const claim of ['iss', 'sub', 'aud', 'azp', 'exp', 'jti', 'tokenType'])
      expect(payload).toHaveProperty(claim);
  });

  test.each(TOKEN_FORMATS)('that refresh those of format %s name no key', async (format) => {
    const casdoor = await start();
    const user = casdoor.directory.addUser('acme/ada');
    expect(decodeProtectedHeader(await casdoor.token(user, { format }))).toHaveProperty('kid');
    const refresh = await casdoor.token(user, { format, refresh: true });
    expect(decodeProtectedHeader(refresh)).not.toHaveProperty('kid');
  });

  test('come with keys that carry no Cache-Control', async () => {
    const casdoor = await start();
    const response = await fetch(casdoor.keysUrl);
    expect(response.headers.get('cache-control')).toBeNull();
    expect(await response.json()).toEqual({ keys: [casdoor.key.publicJwk] });
    expect(JSON.stringify(casdoor.key.publicJwk)).not.toContain(String(casdoor.key.privateJwk.d));
  });
});

describe('its API, as of v3.158,', () => {
  const ANSWER = z.object({ status: z.string(), data: z.unknown(), msg: z.string() });

  /** Two organizations with users of the same id, and one that is deleted while its user stays behind. */
  async function peopled() {
    const casdoor = await start();
    const { directory, credentials } = casdoor;
    directory.addOrganization('beta');
    directory.addUser('beta/mallory', { id: 'one-id' });
    directory.addUser('acme/bob', { id: 'one-id' });
    directory.addOrganization('gone');
    directory.addUser('gone/zed', { id: 'zeds-id' });
    directory.deleteOrganization('gone');
    const basic = Buffer.from(`${credentials.clientId}:${credentials.clientSecret}`).toString('base64');
    const headers = { authorization: `Basic ${basic}` };
    const ask = async (path: string) =>
      ANSWER.parse(await (await fetch(`${casdoor.url}/api/${path}`, { headers })).json());
    return { casdoor, ask };
  }

  test.each<[string, unknown]>([
    ['owner=acme&userId=one-id', { owner: 'acme', name: 'bob' }],
    ['owner=beta&userId=one-id', { owner: 'beta', name: 'mallory' }],
    // Asked without an organization it answers with the first.
    ['userId=one-id', { owner: 'beta', name: 'mallory' }],
    ['id=acme/bob&owner=beta', { owner: 'acme', name: 'bob' }],
    ['id=acme/bob&owner=beta&userId=one-id', { owner: 'beta', name: 'mallory' }],
  ])('finds by %s', async (query, user) => {
    expect(await (await peopled()).ask(`get-user?${query}`)).toMatchObject({ status: 'ok', data: user });
  });

  test.each([
    'owner=acme&userId=nope',
    'owner=nope&userId=one-id',
    'userId=nope',
    'id=acme/nope',
    'userId=',
    '',
  ])('finds nobody by %s, which is no error', async (query) => {
    expect(await (await peopled()).ask(`get-user?${query}`)).toMatchObject({ status: 'ok', data: null });
  });

  test.each(['owner=acme&userId=', 'id=acme', 'id=acme/x/y', 'id=gone/zed', 'owner=gone&userId=zeds-id'])(
    'has an error for %s',
    async (query) => {
      expect(await (await peopled()).ask(`get-user?${query}`)).toMatchObject({ status: 'error', data: null });
    },
  );

  test('lists whoever’s field holds a text', async () => {
    const { ask } = await peopled();
    const listed = await ask('get-users?owner=acme&field=id&value=one&p=1&pageSize=10');
    expect(listed.data).toMatchObject([{ name: 'bob' }]);
  });
});

test('a rename takes along what Casdoor takes along, and no more', async () => {
  const { directory } = await start();
  directory.addGroup('acme/crew');
  directory.addOrganization('beta');
  directory.addUser('acme/dave', { groups: ['acme/crew'] });
  directory.addRole('acme/editor', { users: ['acme/dave'] });
  directory.addRole('beta/editor', { users: ['beta/dave'] });
  directory.updateUser('acme/dave', { name: 'david' });
  // Of whatever organization: its look-up is by the name alone.
  expect(directory.state().roles.map(({ users }) => users)).toEqual([['acme/david'], ['beta/david']]);
  directory.updateGroup('acme/crew', { name: 'crew2' });
  expect(directory.findUser('acme/david')?.groups).toEqual(['acme/crew']);
  directory.updateOrganization('acme', { name: 'acme2' });
  expect(directory.findUser('acme2/david')).toMatchObject({ groups: ['acme/crew'] });
  expect(directory.state().roles[0]).toMatchObject({ owner: 'acme2', users: ['acme/david'] });
  directory.updateUser('acme2/david', { owner: 'beta' });
  expect(directory.rolesOf(directory.addUser('beta/zoe'))).toEqual([]);
  expect(directory.findUser('beta/david')).toBeDefined();
  expect(() => directory.updateUser('beta/zoe', { name: 'david' })).toThrow('already exists');
});

test('its pages can be had by curl: sign up, sign in, token, delete', async () => {
  const casdoor = await start();
  const form = (path: string, fields: Record<string, string>) =>
    fetch(`${casdoor.url}${path}`, { method: 'POST', body: new URLSearchParams(fields) });
  const user = z
    .object({ id: z.string(), owner: z.string(), name: z.string() })
    .parse(await (await form('/sign-up', { email: 'ada@example.com', name: 'Ada' })).json());
  expect(user).toMatchObject({ owner: 'acme', name: 'ada' });
  expect((await form('/sign-in', { user: 'ada@example.com' })).status).toBe(200);
  const token = await (await fetch(`${casdoor.url}/token?user=ada@example.com&lifetime=60`)).text();
  expect(token.split('.')).toHaveLength(3);
  await form('/users/delete', { user: user.id });
  expect(casdoor.directory.findUser(user.id)).toBeUndefined();
  expect(await (await form('/sign-in', { user: 'nobody' })).json()).toMatchObject({ status: 'error' });
});

test('a change on its pages is answered when its webhooks were tried, so that what follows can build on it', async () => {
  const casdoor = await start();
  const { url, received } = await receiver();
  casdoor.deliverTo(url);
  const body = new URLSearchParams({ email: 'ada@example.com' });
  expect((await fetch(`${casdoor.url}/sign-up`, { method: 'POST', body })).status).toBe(200);
  expect(received).toHaveLength(2);

  // One that fails is not waited for again.
  const broken = await receiver(500);
  casdoor.deliverTo(broken.url);
  const user = new URLSearchParams({ user: 'ada@example.com' });
  expect((await fetch(`${casdoor.url}/sign-in`, { method: 'POST', body: user })).status).toBe(200);
  expect(broken.received.length).toBeGreaterThan(0);
});

test('what it holds, its keys and its secrets outlive it, and nobody else can read them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-casdoor-'));
  open.push({ close: () => rm(folder, { recursive: true }) });
  const stateFile = join(folder, 'casdoor.json');
  const first = await start({ stateFile });
  const { id } = first.actions.addUser('acme/ada');
  const before = [first.webhookSecret, first.credentials, first.key.publicJwk];
  await first.close();
  expect((await stat(stateFile)).mode & 0o077).toBe(0);
  const second = await start({ stateFile });
  expect(second.directory.findUser('acme/ada')?.id).toBe(id);
  expect([second.webhookSecret, second.credentials, second.key.publicJwk]).toEqual(before);
});
