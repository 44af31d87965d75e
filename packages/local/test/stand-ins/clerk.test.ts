import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createClerkClient } from '@clerk/backend';
import { clerkVerifier } from '@latchkey/identity/providers/clerk/verify';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { Webhook } from 'svix';
import { afterEach, expect, test } from 'vitest';
import { type LocalClerk, type LocalClerkOptions, startLocalClerk } from '#stand-ins/clerk/local-clerk.ts';
import type { Attempt } from '#stand-ins/clerk/webhooks.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function start(options: Partial<LocalClerkOptions> = {}): Promise<LocalClerk> {
  const clerk = await startLocalClerk({ port: 0, scheduleMs: [5, 10, 20], ...options });
  open.push(clerk);
  return clerk;
}

type Received = { headers: IncomingHttpHeaders; body: string };

/** An endpoint that answers with one status after the other, the last one for ever. */
async function receiver(...statuses: number[]): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: await text(request) });
    const status = statuses[Math.min(received.length, statuses.length) - 1] ?? 204;
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  open.push({
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return { url: `http://127.0.0.1:${port}/webhooks/clerk`, received };
}

test('its token is one that Clerk would make of the template, and its published key verifies it', async () => {
  const clerk = await start();
  const { id } = clerk.directory.signUp({ email: 'ada@example.com' });
  const token = await clerk.token(id);
  const keys = createRemoteJWKSet(new URL(`${clerk.url}/.well-known/jwks.json`));
  const { payload } = await jwtVerify(token, keys, { issuer: clerk.url });

  expect(Object.keys(payload).sort()).toEqual(
    ['azp', 'exp', 'https://hasura.io/jwt/claims', 'iat', 'iss', 'jti', 'nbf', 'sub'].sort(),
  );
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
  expect(payload['https://hasura.io/jwt/claims']).toEqual({
    'x-hasura-allowed-roles': ['user'],
    'x-hasura-default-role': 'user',
    'x-hasura-user-id': id,
    'x-hasura-org-id': '',
    'x-hasura-org-role': '',
    'x-hasura-identity-provider': 'clerk',
  });
});

test('the key set says what its keys are for and how long it may be kept, and holds nothing private', async () => {
  const clerk = await start();
  const response = await fetch(`${clerk.url}/.well-known/jwks.json`);
  expect(response.headers.get('cache-control')).toMatch(/max-age=\d+/);
  const { keys } = (await response.json()) as { keys: Record<string, unknown>[] };
  expect(keys).toEqual([
    { use: 'sig', kty: 'RSA', alg: 'RS256', kid: expect.any(String), n: expect.any(String), e: 'AQAB' },
  ]);
});

test('Clerk’s own client reads, changes and deletes its users', async () => {
  const clerk = await start();
  const client = createClerkClient({
    secretKey: clerk.serviceEnvironment.CLERK_SECRET_KEY ?? '',
    apiUrl: clerk.url,
  });
  const ada = clerk.directory.signUp({ email: 'ada@example.com', firstName: 'Ada' });
  const ben = clerk.directory.signUp({ email: 'ben@example.com' });
  const organization = clerk.directory.createOrganization({ name: 'Example Org' });
  clerk.directory.setMembership(organization.id, ada.id, 'org:admin');

  const page = await client.users.getUserList({ limit: 1, offset: 1, orderBy: '+created_at' });
  expect(page).toMatchObject({ totalCount: 2, data: [{ id: ben.id }] });
  expect((await client.users.getUser(ada.id)).primaryEmailAddress?.emailAddress).toBe('ada@example.com');
  expect(await client.users.updateUser(ada.id, { firstName: 'Augusta' })).toMatchObject({
    firstName: 'Augusta',
  });
  expect(await client.organizations.getOrganizationList()).toMatchObject({
    data: [{ name: 'Example Org', membersCount: 1 }],
  });
  const { data: members } = await client.organizations.getOrganizationMembershipList({
    organizationId: organization.id,
  });
  expect(members).toMatchObject([{ role: 'org:admin', publicUserData: { userId: ada.id } }]);
  await client.users.deleteUser(ada.id);
  await expect(client.users.getUser(ada.id)).rejects.toMatchObject({ status: 404 });
  expect(await client.users.getCount()).toBe(1);
  expect(await client.instance.get()).toMatchObject({ id: clerk.instanceId });
});

test('Clerk’s own client bans, locks and lets in again, and the sessions end with a ban', async () => {
  const clerk = await start();
  const { users, sessions } = createClerkClient({
    secretKey: clerk.serviceEnvironment.CLERK_SECRET_KEY ?? '',
    apiUrl: clerk.url,
  });
  const { id } = clerk.directory.signUp({ email: 'ada@example.com' });
  clerk.directory.signIn(id);
  clerk.directory.signIn(id);
  const active = async () => (await sessions.getSessionList({ userId: id, status: 'active' })).totalCount;
  expect(await active()).toBe(2);
  const [one] = (await sessions.getSessionList({ userId: id, limit: 1 })).data;
  expect(await sessions.revokeSession(one?.id ?? '')).toMatchObject({ status: 'revoked', userId: id });
  expect(await active()).toBe(1);

  expect(await users.banUser(id)).toMatchObject({ id, banned: true, locked: false });
  expect(await active()).toBe(0);
  expect(await users.unbanUser(id)).toMatchObject({ banned: false });
  expect(await users.lockUser(id)).toMatchObject({ locked: true });
  expect((await users.getUser(id)).raw).toMatchObject({ locked: true, lockout_expires_in_seconds: 3600 });
  expect(await users.unlockUser(id)).toMatchObject({ locked: false });
  await expect(users.banUser('user_nobody')).rejects.toMatchObject({ status: 404 });
});

test('who is banned or locked gets no session and no token until they are let in, by hand or in time', async () => {
  const clerk = await start();
  const { id } = clerk.directory.signUp({ email: 'ada@example.com' });
  const post = (path: string) =>
    fetch(`${clerk.url}${path}`, { method: 'POST', body: new URLSearchParams({ user: 'ada@example.com' }) });
  const statuses = async () => {
    const { status } = await fetch(`${clerk.url}/token?user=ada@example.com`);
    return [status, (await post('/sign-in')).status];
  };
  expect(await statuses()).toEqual([200, 200]);
  for (const [shut, open] of [
    ['ban', 'unban'],
    ['lock', 'unlock'],
  ]) {
    expect((await post(`/users/${shut}`)).status).toBe(200);
    expect(await statuses()).toEqual([403, 403]);
    expect((await post(`/users/${open}`)).status).toBe(200);
    expect(await statuses()).toEqual([200, 200]);
  }
  // It runs out, and nothing tells.
  const { messages } = clerk.intercept(() => clerk.directory.lockUser(id, -1));
  expect(messages).toHaveLength(1);
  expect(clerk.directory.findUser(id)).toMatchObject({ locked: false, lockout_expires_in_seconds: null });
  expect(await statuses()).toEqual([200, 200]);
});

test('a ban is told as Clerk tells it: the user as they are, and each session that ends', async () => {
  const clerk = await start();
  const { id } = clerk.directory.signUp({ email: 'ada@example.com' });
  clerk.directory.signIn(id);
  const eventsOf = (change: () => unknown) =>
    clerk.intercept(change).messages.map(({ body }) => JSON.parse(body) as { type: string; data: object });
  expect(eventsOf(() => clerk.directory.banUser(id))).toMatchObject([
    { type: 'session.revoked', data: { object: 'session', status: 'revoked', user_id: id, user: { id } } },
    { type: 'user.updated', data: { object: 'user', id, banned: true, locked: false } },
  ]);
  expect(eventsOf(() => clerk.directory.unbanUser(id))).toMatchObject([
    { type: 'user.updated', data: { id, banned: false } },
  ]);
});

test('the Backend API wants the secret key', async () => {
  const clerk = await start();
  const response = await fetch(`${clerk.url}/v1/users`, {
    headers: { authorization: 'Bearer sk_test_wrong' },
  });
  expect(response.status).toBe(401);
  expect(await response.json()).toMatchObject({ errors: [{ code: 'authentication_invalid' }] });
});

test('each change fires the event Clerk sends, signed so that the service accepts it', async () => {
  const clerk = await start();
  const { url, received } = await receiver(204);
  clerk.deliverTo(url);
  const ada = clerk.directory.signUp({ email: 'ada@example.com' });
  clerk.directory.updateUser(ada.id, { firstName: 'Ada' });
  clerk.directory.signIn(ada.id);
  const { id } = clerk.directory.createOrganization({ name: 'Example Org' });
  clerk.directory.setMembership(id, ada.id, 'org:member');
  clerk.directory.setMembership(id, ada.id, 'org:admin');
  clerk.directory.removeMembership(id, ada.id);
  clerk.directory.deleteOrganization(id);
  clerk.directory.deleteUser(ada.id);
  await clerk.webhooks.idle();

  const types = received.map(({ body }) => (JSON.parse(body) as { type: string }).type);
  expect(types.sort()).toEqual(
    [
      'user.created',
      'user.updated',
      'user.deleted',
      'session.created',
      'organization.created',
      'organization.deleted',
      'organizationMembership.created',
      'organizationMembership.updated',
      'organizationMembership.deleted',
    ].sort(),
  );
  const verify = clerkVerifier([clerk.serviceEnvironment.CLERK_WEBHOOK_SECRET ?? '']);
  for (const { headers, body } of received) {
    expect(verify({ headers, body: Buffer.from(body), receivedAt: Date.now() }).id).toMatch(/^msg_/);
  }
});

test('a delivery that fails, by status or by redirect, is made again with the same id and body', async () => {
  const attempts: Attempt[] = [];
  const clerk = await start({ onAttempt: (attempt) => attempts.push(attempt) });
  const { url, received } = await receiver(503, 302, 204);
  clerk.deliverTo(url);
  expect(await clerk.webhooks.send(clerk.message('user.created', { id: 'user_1' }))).toBe(true);

  expect(attempts.map(({ status, delivered, willRetry }) => [status, delivered, willRetry])).toEqual([
    [503, false, true],
    [302, false, true],
    [204, true, false],
  ]);
  expect(new Set(received.map(({ headers }) => headers['svix-id'])).size).toBe(1);
  expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  const webhook = new Webhook(clerk.serviceEnvironment.CLERK_WEBHOOK_SECRET ?? '');
  for (const { headers, body } of received) {
    const signed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    expect(() => webhook.verify(body, signed)).not.toThrow();
  }
});

test('a delivery is given up after the last wait', async () => {
  const clerk = await start();
  const { url, received } = await receiver(500);
  clerk.deliverTo(url);
  expect(await clerk.webhooks.send(clerk.message('user.created', { id: 'user_1' }))).toBe(false);
  expect(received).toHaveLength(4);
});

test('users, keys and secrets are the same after a restart, in a file for the owner only', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
  open.push({ close: () => rm(folder, { recursive: true }) });
  const stateFile = join(folder, 'clerk.json');
  const first = await startLocalClerk({ port: 0, stateFile, scheduleMs: [] });
  const { id } = first.directory.signUp({ email: 'ada@example.com' });
  first.directory.signIn(id);
  first.directory.lockUser(id);
  const { sessions } = first.directory.state();
  await first.close();

  const second = await start({ stateFile });
  expect(second.directory.findUser('ADA@example.com')).toMatchObject({ id, locked: true });
  expect(second.directory.state().sessions).toEqual(sessions);
  expect(second.key.publicJwk).toEqual(first.key.publicJwk);
  expect(second.serviceEnvironment.CLERK_WEBHOOK_SECRET).toBe(first.serviceEnvironment.CLERK_WEBHOOK_SECRET);
  expect((await stat(stateFile)).mode & 0o777).toBe(0o600);
});

test('people sign up and get tokens with nothing but curl', async () => {
  const clerk = await start();
  const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) });
  const signedUp = await fetch(`${clerk.url}/sign-up`, form({ email: 'ada@example.com', first_name: 'Ada' }));
  expect(await signedUp.json()).toMatchObject({ object: 'user', first_name: 'Ada' });

  const token = await (await fetch(`${clerk.url}/token?user=ada@example.com&lifetime=3600`)).text();
  expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);

  const again = await fetch(`${clerk.url}/sign-up`, form({ email: 'Ada@example.com' }));
  expect(again.status).toBe(422);
  expect((await fetch(`${clerk.url}/sign-up`, form({ email: 'nonsense' }))).status).toBe(422);
  expect((await fetch(`${clerk.url}/token?user=nobody@example.com`)).status).toBe(404);
});

test('a change made over HTTP is answered when its webhook was tried, so that what follows can build on it', async () => {
  const { url, received } = await receiver(204);
  const clerk = await start();
  clerk.deliverTo(url);
  const response = await fetch(`${clerk.url}/sign-up`, {
    method: 'POST',
    body: new URLSearchParams({ email: 'ada@example.com' }),
  });
  expect(response.status).toBe(200);
  expect(received.map(({ body }) => JSON.parse(body).type)).toEqual(['user.created']);
});

test('who founds an organization is its admin, and a token can name it as the active one', async () => {
  const clerk = await start();
  clerk.directory.signUp({ email: 'ada@example.com' });
  const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) });
  const founded = await fetch(
    `${clerk.url}/organizations`,
    form({ name: 'Example Org', user: 'ada@example.com' }),
  );
  const { id } = (await founded.json()) as { id: string };
  const token = await (await fetch(`${clerk.url}/token?user=ada@example.com&organization=${id}`)).text();
  const [, payload = ''] = token.split('.');
  expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
    'https://hasura.io/jwt/claims': { 'x-hasura-org-id': id, 'x-hasura-org-role': 'org:admin' },
  });
});
