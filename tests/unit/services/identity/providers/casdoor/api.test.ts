import { afterEach, expect, test } from 'vitest';
import { createCasdoorApi } from '../../../../../../services/identity/providers/casdoor/api.ts';
import { fixture } from '../../../../../support/casdoor.ts';
import { type LocalServer, serve } from '../../../../../support/http.ts';

type Answer = { status?: number; headers?: Record<string, string>; body: string };

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
const unreachable = expect.objectContaining({ code: 'provider-unreachable' });

test('the recorded answers are understood', async () => {
  const users = await (await answering({ body: fixture('api.get-users.json') })).api.users('acme', page);
  expect(users).toMatchObject({ total: 1, items: [{ name: 'ada', groups: ['acme/staff'], roles: [] }] });
  await server?.close();
  const { api } = await answering({ body: fixture('api.get-user.json') });
  expect(await api.findUser({ name: 'acme/ada' })).toMatchObject({
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
  expect(await roles.api.roles('acme')).toMatchObject([{ name: 'editor', users: ['acme/ada'] }]);
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
  ['users without an id', { body: '{"status":"ok","data":[{"owner":"acme","name":"ada"}],"data2":1}' }],
  ['no total', { body: '{"status":"ok","data":[],"data2":null}' }],
])('%s is an error, asked for once, whose message names the mend and nobody', async (_what, answer) => {
  const { api, asked } = await answering(answer);
  const error = await api.users('acme', page).catch((reason: unknown) => reason);
  expect(error).toEqual(unreachable);
  expect(String(error)).toMatch(/CASDOOR_ENDPOINT/);
  expect(String(error)).not.toMatch(/app-acme|ada/);
  expect(asked).toHaveLength(1);
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
