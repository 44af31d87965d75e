import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { fixture } from '@latchkey/tests/support/clerk';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Person } from '#core/records.ts';
import { clerkAccounts } from '#providers/clerk/accounts.ts';
import { askClient } from '#providers/clerk/client.ts';
import { NoAnswer } from '#providers/clerk/request.ts';

const servers: LocalServer[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** A Clerk that answers everything in one way, and what it was asked. */
async function clerkThat(answer: (response: ServerResponse) => unknown) {
  const asked: string[] = [];
  const server = await serve((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    return answer(response);
  });
  servers.push(server);
  return {
    asked,
    url: server.url,
    accounts: clerkAccounts({ secretKey: 'sk_test_secret', apiUrl: server.url, instanceId: '' }),
  };
}
const person = (id: string): Person => ({ provider: 'clerk', tenant: '', id });
const json = (body: string) => (response: ServerResponse) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);

type Accounts = ReturnType<typeof clerkAccounts>;
const CALLS: Record<string, (at: Accounts, id?: string) => Promise<unknown>> = {
  reading: (at, id = 'user_1') => at.read(person(id)),
  changing: (at, id = 'user_1') => at.change(person(id), { firstName: 'Ada' }),
  deleting: (at, id = 'user_1') => at.remove(person(id)),
  'ending sessions': async (at, id = 'user_1') => at.endSessions?.(person(id)),
};
const EVERY = Object.entries(CALLS);

// The client takes the global fetch of another moment in each of these; in production of when it is loaded, so this file is
// none of the unit tests, which share what is loaded.
describe.each(['production', 'test'])('a redirect, where NODE_ENV is %s', (environment) => {
  test.each(EVERY.flatMap(([name, ask]) => [302, 307].map((status) => [name, status, ask] as const)))(
    'is no answer, and is not followed: %s, %i',
    async (_name, status, ask) => {
      vi.stubEnv('NODE_ENV', environment);
      const elsewhere = await clerkThat(json('{"object":"user","id":"user_1","updated_at":1}'));
      const clerk = await clerkThat((response) =>
        response.writeHead(status, { location: `${elsewhere.url}/v1/users/user_1` }).end(),
      );
      await expect(ask(clerk.accounts)).rejects.toMatchObject({
        code: 'provider-unreachable',
        message: expect.stringContaining(`CLERK_API_URL redirects to ${elsewhere.url}`),
      });
      expect(elsewhere.asked).toEqual([]);
    },
  );
});

test('requests of others are as they were, redirects too', async () => {
  const target = await clerkThat(json('"arrived"'));
  const clerk = await clerkThat((response) => response.writeHead(302, { location: target.url }).end());
  await expect(clerk.accounts.read(person('user_1'))).rejects.toThrow('redirects to');
  expect(await (await fetch(clerk.url)).json()).toBe('arrived');
  expect(target.asked).toEqual(['GET / undefined']);
});

test.each(['..', '%2e%2e', 'a/b', 'a?b', 'a#b', ''])('the id %j leads nowhere: nobody has it', async (id) => {
  const clerk = await clerkThat(json('{}'));
  expect(await CALLS.reading?.(clerk.accounts, id)).toBeUndefined();
  expect(await CALLS.changing?.(clerk.accounts, id)).toBeUndefined();
  await CALLS.deleting?.(clerk.accounts, id);
  expect(clerk.asked).toEqual([]);
});

test.each([
  ['of a proxy', 'text/html', '<h1>Not Found</h1>'],
  ['without a code', 'application/json', '{"errors":[]}'],
])('a 404 %s is not Clerk’s: it does not say that there is nobody', async (_whose, type, body) => {
  const clerk = await clerkThat((response) => response.writeHead(404, { 'content-type': type }).end(body));
  for (const [, ask] of EVERY) {
    await expect(ask(clerk.accounts)).rejects.toMatchObject({
      code: 'provider-unreachable',
      message: expect.stringMatching(/answers with status 404: check CLERK_API_URL/),
    });
  }
});

test.each([
  ['not JSON', 'Ada Byron'],
  ['nothing', ''],
  ['null', 'null'],
  ['another object', '{"object":"organization","id":"user_1","name":"Ada Byron"}'],
])('an answer that is %s is no user, and none of it is told', async (_what, body) => {
  const clerk = await clerkThat(json(body));
  const failure: unknown = await clerk.accounts.read(person('user_1')).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'provider-unreachable' });
  expect(inspect(failure, { depth: 10 })).not.toMatch(/Ada Byron|sk_test_secret/);
});

test('of a user all is read that Clerk tells, and what no database takes is replaced', async () => {
  const [user] = JSON.parse(fixture('bapi.users.list.json'));
  const clerk = await clerkThat(json(JSON.stringify({ ...user, first_name: 'A\0da' })));
  expect(await clerk.accounts.read(person(user.id))).toMatchObject({
    firstName: 'A\uFFFDda',
    metadata: user.public_metadata,
  });
});

test.each([
  ['no answer', () => undefined],
  [
    'an answer that does not end',
    (response: ServerResponse) => response.writeHead(200, { 'content-type': 'application/json' }).write('{'),
  ],
])('is given up when nobody waits any more: %s', async (_what, answer) => {
  const clerk = await clerkThat(answer);
  const access = { secretKey: 'sk_test_secret', apiUrl: clerk.url };
  const failure: unknown = await askClient(
    access,
    async ({ users }) => (await users.getUser('user_1')).raw,
    AbortSignal.timeout(200),
  ).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(NoAnswer);
  expect(failure).toMatchObject({ cause: { name: 'TimeoutError' } });
});

test('says that the connection broke off within the answer', async () => {
  const clerk = await clerkThat((response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{');
    setTimeout(() => response.destroy(), 50);
  });
  await expect(clerk.accounts.read(person('user_1'))).rejects.toThrow(
    /does not answer: the connection broke off \(\w+\); check CLERK_API_URL/,
  );
});
