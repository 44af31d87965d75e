import { createForward } from '@latchkey/cognito-triggers/forward';
import { rolesFromHasura } from '@latchkey/cognito-triggers/roles-from-hasura';
import { createGraphqlClient } from '@latchkey/local/graphql-client';
import { createSender, newRecord } from '@latchkey/local/stand-ins/casdoor';
import { createEndpoint } from '@latchkey/local/stand-ins/core';
import { createMetadataApi } from '@latchkey/scripts/project/metadata-api';
import { SECRET } from '@latchkey/tests/support/cognito';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHasuraClient } from '#hasura/client.ts';
import { createCasdoorApi } from '#providers/casdoor/api.ts';
import { clerkAccounts } from '#providers/clerk/accounts.ts';
import { clerkListing } from '#providers/clerk/directory.ts';

let elsewhere: LocalServer;
let asked: string[];
let redirecting: LocalServer;
let status: number;

beforeEach(async () => {
  asked = [];
  elsewhere = await serve((request, response) => {
    asked.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{},"status":"ok"}');
  });
  redirecting = await serve((request, response) => {
    request.resume();
    response.writeHead(status, { location: `${elsewhere.url}${request.url}` }).end();
  });
});
afterEach(async () => {
  await redirecting.close();
  await elsewhere.close();
});

/** What each client makes of it: the text of its error, or of what it logs where it must not fail. */
const textOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    (result) => `no error: ${JSON.stringify(result)}`,
    (error: unknown) => String(error),
  );
const clerk = { secretKey: 'sk_test_secret', apiUrl: '', instanceId: 'ins_1' };
const person = { provider: 'clerk', tenant: 'ins_1', id: 'user_1' } as const;

const CLIENTS: Record<string, { setting: string; call(url: string): Promise<string> }> = {
  'the service’s Hasura client': {
    setting: 'HASURA_GRAPHQL_ENDPOINT',
    call: (endpoint) =>
      textOf(createHasuraClient({ endpoint, adminSecret: 'hunter2', timeoutMs: 5_000 }).checkTables()),
  },
  'latchkey apply': {
    setting: 'HASURA_GRAPHQL_ENDPOINT',
    call: (endpoint) => textOf(createMetadataApi(endpoint, 'hunter2').metadata('export_metadata', {})),
  },
  'the client of the demo and the tests': {
    setting: '',
    call: (endpoint) =>
      textOf(createGraphqlClient(endpoint).query('{ users { id } }', { adminSecret: 'hunter2' })),
  },
  'the client of Casdoor’s API, reading': {
    setting: 'CASDOOR_ENDPOINT',
    call: (endpoint) =>
      textOf(createCasdoorApi({ endpoint, clientId: 'id', clientSecret: 'hunter2' }).findGroup('acme/staff')),
  },
  'the client of Casdoor’s API, listing': {
    setting: 'CASDOOR_ENDPOINT',
    call: (endpoint) =>
      textOf(
        createCasdoorApi({ endpoint, clientId: 'id', clientSecret: 'hunter2' }).users('acme', {
          page: 1,
          size: 500,
        }),
      ),
  },
  'the client of Clerk’s API, changing': {
    setting: 'CLERK_API_URL',
    call: (apiUrl) => textOf(clerkAccounts({ ...clerk, apiUrl }).change(person, { firstName: 'Ada' })),
  },
  'the client of Clerk’s API, listing': {
    setting: 'CLERK_API_URL',
    call: (apiUrl) => textOf(Array.fromAsync(clerkListing({ ...clerk, apiUrl }).pages())),
  },
  'the client of Clerk’s API, deleting': {
    setting: 'CLERK_API_URL',
    call: (apiUrl) => textOf(clerkAccounts({ ...clerk, apiUrl }).remove(person)),
  },
  'the Lambda function that forwards': {
    setting: 'LATCHKEY_WEBHOOK_URL',
    call: (url) =>
      textOf(
        createForward({ url, secret: SECRET })(
          { id: '1', hint: { type: 'PostConfirmation', timestamp: '', data: {} } },
          { budgetMs: 5_000, attemptMs: 1_000 },
        ),
      ),
  },
  'the Lambda function that asks for roles': {
    setting: 'HASURA_GRAPHQL_ENDPOINT',
    async call(endpoint) {
      let logged = '';
      const log = (...line: unknown[]) => {
        logged += JSON.stringify(line);
      };
      const hasura = { endpoint, adminSecret: 'hunter2', query: '{ user_roles { role } }' };
      expect(await rolesFromHasura(hasura, new Set(['editor']), log)('sub')).toEqual([]);
      return logged;
    },
  },
};

const EVERY = Object.entries(CLIENTS).flatMap(([name, client]) =>
  [302, 307, 308].map((code) => [name, code, client] as const),
);

test.each(EVERY)(
  '%s sends no secret on after a %i, and says which setting to change',
  async (_name, code, client) => {
    status = code;
    const text = await client.call(redirecting.url);
    expect(asked).toEqual([]);
    expect(text).toContain(`${client.setting || redirecting.url} `);
    expect(text).toContain(`redirects to ${elsewhere.url}: set it to the final address`);
    expect(text).not.toMatch(/hunter2|sk_test_secret/);
  },
);

test('a redirect on the same server tells the path', async () => {
  const server = await serve((_request, response) =>
    response.writeHead(301, { location: '/hasura/v1/graphql?secret=1' }).end(),
  );
  const text = await textOf(
    createHasuraClient({ endpoint: server.url, adminSecret: 'hunter2', timeoutMs: 5_000 }).checkTables(),
  );
  await server.close();
  expect(text).toContain(`redirects to ${server.url}/hasura/v1/graphql: set it`);
});

test('the local Casdoor sends its webhooks’ secret to the address it was given alone', async () => {
  status = 307;
  const sender = createSender({
    endpoint: createEndpoint(redirecting.url),
    header: { name: 'X-Webhook-Secret', value: 'hunter2' },
  });
  expect((await sender.post(newRecord({ action: 'login' }))).status).toBe(307);
  await sender.close();
  expect(asked).toEqual([]);
});
