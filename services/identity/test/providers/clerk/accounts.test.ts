import { type ClerkUser, type LocalClerk, startLocalClerk } from '@latchkey/local/stand-ins/clerk';
import { fixture } from '@latchkey/tests/support/clerk';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Person } from '#core/records.ts';
import { clerkAccounts } from '#providers/clerk/accounts.ts';

let clerk: LocalClerk;
let user: ClerkUser;
beforeAll(async () => {
  clerk = await startLocalClerk({ port: 0 });
});
afterAll(() => clerk.close());
beforeEach(() => {
  user = clerk.directory.signUp({ firstName: 'Ada', lastName: 'Byron' });
});

const person = (id: string): Person => ({ provider: 'clerk', tenant: clerk.instanceId, id });
const accounts = () =>
  clerkAccounts({
    secretKey: clerk.serviceEnvironment.CLERK_SECRET_KEY,
    apiUrl: clerk.url,
    instanceId: clerk.instanceId,
  });

test('reads a user by the clock of their state', async () => {
  expect(await accounts().read(person(user.id))).toMatchObject({
    provider: 'clerk',
    tenant: clerk.instanceId,
    id: user.id,
    clock: user.updated_at,
    firstName: 'Ada',
  });
  expect(await accounts().read(person('user_nobody'))).toBeUndefined();
});

test('changes what is given, and nothing else', async () => {
  const record = await accounts().change(person(user.id), { lastName: 'King' });
  expect(record).toMatchObject({ firstName: 'Ada', lastName: 'King', name: 'Ada King' });
  expect(record?.clock).toBeGreaterThan(user.updated_at);
  expect(await accounts().change(person('user_nobody'), { lastName: 'King' })).toBeUndefined();
});

test('says that Clerk keeps no name beside first and last name', async () => {
  await expect(accounts().change(person(user.id), { name: 'Ada' })).rejects.toMatchObject({
    code: 'request-invalid',
  });
});

test('deletes a user, and again without an error', async () => {
  await accounts().remove(person(user.id));
  expect(clerk.directory.findUser(user.id)).toBeUndefined();
  await accounts().remove(person(user.id));
});

test('is of its instance alone: whoever bears the id elsewhere is not touched', async () => {
  const elsewhere: Person = { provider: 'clerk', tenant: 'ins_elsewhere', id: user.id };
  clerk.directory.signIn(user.id);
  const before = clerk.directory.state();
  expect(await accounts().read(elsewhere)).toBeUndefined();
  expect(await accounts().change(elsewhere, { firstName: 'Mallory' })).toBeUndefined();
  await accounts().remove(elsewhere);
  await accounts().endSessions?.(elsewhere);
  expect(clerk.directory.state()).toEqual(before);
});

test('tells that somebody was banned, and let in again', async () => {
  clerk.directory.banUser(user.id);
  const banned = await accounts().read(person(user.id));
  expect(banned?.disabledAt).toBe(banned?.disabledCheckedAt);
  expect(Date.now() - (banned?.disabledAt ?? 0)).toBeLessThan(60_000);
  clerk.directory.unbanUser(user.id);
  expect(await accounts().read(person(user.id))).toMatchObject({ disabledAt: null });
});

describe('ending sessions', () => {
  const active = (id: string) =>
    clerk.directory.state().sessions.filter((one) => one.user_id === id && one.status === 'active').length;

  const sessionsOf = (id: string) =>
    JSON.stringify({ data: [{ object: 'session', id: 'sess_1', user_id: id }], total_count: 1 });

  test('revokes all of the user, and nobody else’s', async () => {
    const other = clerk.directory.signUp({ firstName: 'Grace' });
    for (const _ of Array.from({ length: 25 })) clerk.directory.signIn(user.id);
    clerk.directory.signIn(other.id);
    const { messages } = clerk.intercept(() => clerk.directory.signIn(user.id));
    expect(messages.map(({ type }) => type)).toEqual(['session.created']);
    await accounts().endSessions?.(person(user.id));
    expect([active(user.id), active(other.id)]).toEqual([0, 1]);
  });

  test('of somebody without any, or of nobody, is as good', async () => {
    await accounts().endSessions?.(person(user.id));
    await accounts().endSessions?.(person('user_nobody'));
  });

  test('never touches a session of another user that is among them', async () => {
    const revoked: string[] = [];
    server = await serve((request, response) => {
      const body = request.method === 'POST' ? revoked.push(request.url ?? '') && '{}' : sessionsOf('user_2');
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    });
    await expect(at(server.url).endSessions?.(person('user_1'))).rejects.toMatchObject({
      code: 'provider-unreachable',
      message: expect.stringContaining('a session of another user'),
    });
    expect(revoked).toEqual([]);
  });

  test('fails where one is left', async () => {
    server = await serve((request, response) => {
      const isList = request.method !== 'POST';
      const body = isList ? sessionsOf('user_1') : '{"errors":[{"code":"internal"}]}';
      response.writeHead(isList ? 200 : 500, { 'content-type': 'application/json' }).end(body);
    });
    await expect(at(server.url).endSessions?.(person('user_1'))).rejects.toMatchObject({
      code: 'provider-unreachable',
      message: expect.stringContaining('still lists sessions'),
    });
  });
});

let server: LocalServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});
const at = (apiUrl: string) => clerkAccounts({ secretKey: 'sk_test_1', apiUrl, instanceId: '' });

test.each([
  ['a rate limit', 429, fixture('bapi.error.429.json'), 'provider-unreachable'],
  ['an outage', 503, '{}', 'provider-unreachable'],
  ['a wrong key', 401, '{"errors":[{"code":"secret_key_invalid"}]}', 'provider-unreachable'],
  ['what Clerk does not take', 422, '{"errors":[{"code":"form_param_format_invalid"}]}', 'request-invalid'],
])('asks once where there is %s, for somebody is waiting', async (_what, status, body, code) => {
  let asked = 0;
  server = await serve((_request, response) => {
    asked += 1;
    response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '1' }).end(body);
  });
  const failure = at(server.url).change(person('user_1'), { firstName: 'Ada' });
  await expect(failure).rejects.toMatchObject({ code });
  const [told] = Object.values(
    z.object({ code: z.string() }).safeParse(JSON.parse(body).errors?.[0]).data ?? {},
  );
  await expect(failure).rejects.toThrow(told ?? String(status));
  expect(asked).toBe(1);
});

test.each<[string, (to: ReturnType<typeof at>) => Promise<unknown>]>([
  ['reading', (to) => to.read(person('user_1'))],
  ['changing', (to) => to.change(person('user_1'), { firstName: 'Ada' })],
  ['deleting', (to) => to.remove(person('user_1'))],
])('believes no answer about another user than was asked for: %s', async (_what, ask) => {
  const [other] = z
    .array(z.object({ id: z.string() }).loose())
    .parse(JSON.parse(fixture('bapi.users.list.json')));
  expect(other?.id).not.toBe('user_1');
  server = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(other));
  });
  await expect(ask(at(server.url))).rejects.toMatchObject({
    code: 'provider-unreachable',
    message: expect.stringContaining('another id than was asked for'),
  });
});

test('names the address where nothing listens, and why', async () => {
  const closed = await serve(() => {});
  await closed.close();
  const { host } = new URL(closed.url);
  await expect(at(closed.url).read(person('user_1'))).rejects.toThrow(
    `Clerk’s Backend API at http://${host} does not answer: the connection is refused: nothing listens there (ECONNREFUSED); check CLERK_API_URL and the way to it`,
  );
});

test('names the setting that is missing', async () => {
  const none = clerkAccounts({ secretKey: undefined, apiUrl: clerk.url, instanceId: '' });
  await expect(none.read(person(user.id))).rejects.toThrow(/CLERK_SECRET_KEY is missing/);
});
