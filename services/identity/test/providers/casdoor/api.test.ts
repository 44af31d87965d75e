import { freePort } from '@latchkey/local/processes/ports';
import { fixture } from '@latchkey/tests/support/casdoor';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { afterEach, describe, expect, test } from 'vitest';
import { createCasdoorApi, unreadableIn } from '#providers/casdoor/api.ts';
import { USER } from '#providers/casdoor/shapes.ts';
import { observeRetries, type Wait } from '#providers/with-retry.ts';

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body: string;
}

let server: LocalServer | undefined;
afterEach(() => server?.close());

/** An API that gives one answer after the other, the last one for ever. */
async function answering(...answers: Answer[]) {
  const asked: string[] = [];
  server = await serve((request, response) => {
    asked.push(request.url ?? '');
    const {
      status = 200,
      headers = {},
      body,
    } = answers[Math.min(asked.length, answers.length) - 1] ?? { body: '' };
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  });
  return { asked, api: createCasdoorApi({ endpoint: server.url, clientId: 'id', clientSecret: 'secret' }) };
}
const page = { page: 1, size: 500 };
const USER_FOUND = USER.parse({ owner: 'acme', name: 'ada', id: 'an-id' });
const unreachable = expect.objectContaining({ code: 'provider-unreachable' });

test('the recorded answers are understood', async () => {
  const users = await (await answering({ body: fixture('api.get-users.json') })).api.users('acme', page);
  expect(users).toMatchObject({ total: 1, items: [{ name: 'ada', groups: ['acme/staff'], roles: [] }] });
  await server?.close();
  const { api } = await answering({ body: fixture('api.get-user.json') });
  expect(await api.findUser({ owner: 'acme', name: 'ada' })).toMatchObject({
    name: 'ada',
    roles: [{ name: 'editor' }],
  });
  await server?.close();
  const organizations = await answering({ body: fixture('api.get-organizations.json') });
  expect((await organizations.api.organizations(page)).items).toMatchObject([{ name: 'acme' }]);
  await server?.close();
  const groups = await answering({ body: fixture('api.get-groups.json') });
  expect((await groups.api.groups('acme', page)).items).toMatchObject([{ owner: 'acme', name: 'staff' }]);
  await server?.close();
  const roles = await answering({ body: fixture('api.get-roles.json') });
  expect((await roles.api.roles('acme')).items).toMatchObject([{ name: 'editor', users: ['acme/ada'] }]);
});

test('lists are asked for with both p and pageSize, or everything would come', async () => {
  const { api, asked } = await answering({ body: fixture('api.get-users.json') });
  await api.users('acme & sons', { page: 3, size: 500 });
  const query = new URL(asked[0] ?? '', 'http://casdoor').searchParams;
  expect(Object.fromEntries(query)).toEqual({
    owner: 'acme & sons',
    p: '3',
    pageSize: '500',
    sortField: 'id',
    sortOrder: 'ascend',
  });
});

test.each<[string, Answer]>([
  ['an error with status 200', { body: fixture('api.error.json') }],
  ['a page of HTML', { body: '<html></html>' }],
  ['nothing', { body: '' }],
  ['another shape', { body: '{"status":"ok","data":"x","data2":1}' }],
  ['no total', { body: '{"status":"ok","data":[],"data2":null}' }],
])(
  '%s is an error, asked for once, whose message names the fix, the address and nobody',
  async (_what, answer) => {
    const { api, asked } = await answering(answer);
    const error = await api.users('acme', page).catch((reason: unknown) => reason);
    expect(error).toEqual(unreachable);
    expect(String(error)).toMatch(/CASDOOR_ENDPOINT/);
    expect(String(error)).toContain(server?.url);
    expect(String(error)).not.toMatch(/app-acme|ada/);
    expect(asked).toHaveLength(1);
  },
);

describe('one odd item of a list never stops the others:', () => {
  const listed = (...items: unknown[]): Answer => ({
    body: JSON.stringify({ status: 'ok', data: items, data2: items.length }),
  });
  const ada = { owner: 'acme', name: 'ada', id: 'an-id' };

  test.each<[string, unknown, { name: string; reason: string }]>([
    ['an empty id', { ...ada, id: '' }, { name: 'user acme/ada', reason: 'it has no id' }],
    ['no id', { owner: 'acme', name: 'ada' }, { name: 'user acme/ada', reason: 'it has no id' }],
    ['no name', { ...ada, name: '' }, { name: 'user without a name', reason: 'its name' }],
    ['no owner', { ...ada, owner: 7 }, { name: 'user ada', reason: 'its owner' }],
    ['nothing', null, { name: 'user without a name', reason: 'no object' }],
    ['a text', 'ada', { name: 'user without a name', reason: 'no object' }],
  ])('a user with %s', async (_what, odd, { name, reason }) => {
    const { api } = await answering(listed(odd, { ...ada, name: 'grace' }));
    const users = await api.users('acme', page);
    expect(users.items).toMatchObject([{ name: 'grace' }]);
    expect(users.unreadable).toEqual([{ name, reason: expect.stringContaining(reason) }]);
    expect(users.total).toBe(2);
  });

  test('an organization, a group, a role', async () => {
    const odd = { owner: 'acme', name: 'x'.repeat(256) };
    const good = { owner: 'acme', name: 'good' };
    const { api } = await answering(listed(odd, good));
    for (const { items, unreadable } of [
      await api.organizations(page),
      await api.groups('acme', page),
      await api.roles('acme'),
    ]) {
      expect(items).toMatchObject([{ name: 'good' }]);
      expect(unreadable).toHaveLength(1);
    }
  });

  test('a field that is not needed, or one item of a list within it', async () => {
    const odd = {
      ...ada,
      groups: [7, 'acme/staff'],
      roles: [null, { owner: 'acme', name: 'editor', isEnabled: true }, { owner: 'acme' }],
      properties: null,
      createdTime: 0,
      isAdmin: 'yes',
    };
    const { api } = await answering(listed(odd));
    expect((await api.users('acme', page)).items).toMatchObject([
      {
        groups: ['acme/staff'],
        roles: [{ name: 'editor' }],
        properties: {},
        createdTime: '',
        isAdmin: false,
      },
    ]);
  });

  test('asked for by itself, it is an error that tells what it is', async () => {
    const { api } = await answering({ body: JSON.stringify({ status: 'ok', data: { ...ada, id: '' } }) });
    const error = await api.findUser({ owner: 'acme', name: 'ada' }).catch((reason: unknown) => reason);
    expect(error).toEqual(unreachable);
    expect(unreadableIn(error)).toMatchObject({ name: 'user acme/ada' });
    expect(String(error)).not.toContain('ada');
  });
});

test('whoever answers for another user than was asked for is not believed', async () => {
  const mallory = { owner: 'beta', name: 'mallory', id: 'bobs-id' };
  const { api, asked } = await answering({ body: JSON.stringify({ status: 'ok', data: mallory }) });
  for (const who of [
    { owner: 'acme', userId: 'bobs-id' },
    { owner: 'acme', name: 'mallory' },
    { owner: 'beta', userId: 'mallorys-id' },
    { owner: 'beta', name: 'bob' },
  ]) {
    await expect(api.findUser(who)).rejects.toThrow('another user than was asked for');
  }
  expect(asked.filter((url) => url.startsWith('/api/get-user?')).slice(0, 2)).toEqual([
    '/api/get-user?owner=acme&userId=bobs-id',
    '/api/get-user?id=acme%2Fmallory',
  ]);
});

test('what is written over or deleted is read once more, and must be the one that was found', async () => {
  const found = { ...USER_FOUND, id: 'an-id' };
  const { api, asked } = await answering({
    body: JSON.stringify({ status: 'ok', data: { ...found, id: 'another-id' } }),
  });
  await expect(api.updateUser(found, { firstName: 'Mallory' })).rejects.toEqual(unreachable);
  await expect(api.deleteUser(found)).rejects.toEqual(unreachable);
  expect(asked.every((url) => url.startsWith('/api/get-user?'))).toBe(true);
});

test('a network that fails is told with its address and its cause', async () => {
  const port = await freePort();
  const api = createCasdoorApi({ endpoint: `http://127.0.0.1:${port}`, clientId: 'id', clientSecret: 's' });
  await expect(api.findOrganization('acme')).rejects.toThrow(
    `Casdoor at http://127.0.0.1:${port} does not answer: the connection is refused: nothing listens there (ECONNREFUSED). Check CASDOOR_ENDPOINT.`,
  );
});

test('each wait for a list is told with its reason', async () => {
  const busy = { status: 429, headers: { 'retry-after': '0' }, body: '' };
  const { api } = await answering(busy, { body: fixture('api.get-users.json') });
  const waits: Wait[] = [];
  await observeRetries(
    (wait) => waits.push(wait),
    () => api.users('acme', page),
  );
  expect(waits).toEqual([{ seconds: 0, attempt: 1, attempts: 8, reason: 'status 429' }]);
});

test('lists are waited for as long as what stands before Casdoor says', async () => {
  const busy = { status: 429, headers: { 'retry-after': '0' }, body: '' };
  const gone = { status: 502, headers: { 'retry-after': '0' }, body: '<html></html>' };
  const { api, asked } = await answering(busy, gone, { body: fixture('api.get-users.json') });
  expect((await api.users('acme', page)).items).toHaveLength(1);
  expect(asked).toHaveLength(3);
});

test('a single thing is not waited for: the webhook comes again', async () => {
  const { api, asked } = await answering({ status: 503, headers: { 'retry-after': '0' }, body: '' });
  await expect(api.findOrganization('acme')).rejects.toThrow(unreachable);
  expect(asked).toHaveLength(1);
});
