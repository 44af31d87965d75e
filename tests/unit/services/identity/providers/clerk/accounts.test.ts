import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type LocalClerk, startLocalClerk } from '../../../../../../scripts/local/clerk/local-clerk.ts';
import type { ClerkUser } from '../../../../../../scripts/local/clerk/types.ts';
import type { Person } from '../../../../../../services/identity/core/records.ts';
import { clerkAccounts } from '../../../../../../services/identity/providers/clerk/accounts.ts';
import { fixture } from '../../../../../support/clerk.ts';
import { type LocalServer, serve } from '../../../../../support/http.ts';

let clerk: LocalClerk;
let user: ClerkUser;
beforeAll(async () => {
  clerk = await startLocalClerk({ port: 0 });
});
afterAll(() => clerk.close());
beforeEach(() => {
  user = clerk.directory.signUp({ firstName: 'Ada', lastName: 'Byron' });
});

const INSTANCE = 'ins_2exampleInstance0000000001';
const person = (id: string): Person => ({ provider: 'clerk', tenant: INSTANCE, id });
const accounts = () =>
  clerkAccounts({
    secretKey: clerk.serviceEnvironment.CLERK_SECRET_KEY,
    apiUrl: clerk.url,
    instanceId: INSTANCE,
  });

test('reads a user by the clock of their state', async () => {
  expect(await accounts().read(person(user.id))).toMatchObject({
    provider: 'clerk',
    tenant: INSTANCE,
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

test('deletes a user, and again without complaint', async () => {
  await accounts().remove(person(user.id));
  expect(clerk.directory.findUser(user.id)).toBeUndefined();
  await accounts().remove(person(user.id));
});

let server: LocalServer | undefined;
afterEach(() => server?.close());

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
  const failing = clerkAccounts({ secretKey: 'sk_test_1', apiUrl: server.url, instanceId: '' });
  await expect(failing.change(person('user_1'), { firstName: 'Ada' })).rejects.toMatchObject({ code });
  expect(asked).toBe(1);
});

test('names the setting that is missing', async () => {
  const none = clerkAccounts({ secretKey: undefined, apiUrl: clerk.url, instanceId: '' });
  await expect(none.read(person(user.id))).rejects.toThrow(/CLERK_SECRET_KEY is missing/);
});
