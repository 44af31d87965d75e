import type { LatchkeyError } from '@latchkey/core/errors';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { afterEach, expect, test } from 'vitest';
import { RawJson } from '#core/raw-json.ts';
import { createHasuraClient } from '#hasura/client.ts';

let server: LocalServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const VARIABLES = {
  deliveryIds: [],
  deliveries: [{ id: 'msg_1', payload: { email: 'ada@example.com' } }],
  erases: false,
  erasedProviders: [],
  erasedTenants: [],
  erasedSubjects: [],
  ends: false,
  endedOrganizations: [],
  endedUsers: [],
  organizations: [],
  users: [],
  memberships: [],
};
const engineAt = (endpoint: string, timeoutMs = 10_000) =>
  createHasuraClient({ endpoint, adminSecret: 'hunter2', timeoutMs });
const failureOf = (endpoint: string, timeoutMs?: number): Promise<LatchkeyError> =>
  engineAt(endpoint, timeoutMs)
    .writeBatch(VARIABLES)
    .then(
      () => Promise.reject(new Error('It was accepted.')),
      (error: LatchkeyError) => error,
    );
const withState = (code: string, state: string) => ({
  code,
  path: '$',
  internal: { error: { status_code: state, message: '…', exec_status: 'FatalError' } },
});

test.each<[string, Record<string, unknown>]>([
  ['record-refused', { code: 'constraint-violation', path: '$' }],
  ['record-refused', { code: 'data-exception', path: '$' }],
  // A CHECK constraint, and so what the trigger says of a provider that claims another's id.
  ['record-refused', { code: 'permission-error', path: '$' }],
  // An index row that is too large is no answer Hasura foresees.
  ['record-refused', withState('unexpected', '54000')],
  ['engine-busy', withState('unexpected', '40P01')],
  ['engine-busy', withState('unexpected', '40001')],
  ['engine-busy', { code: 'concurrent-update' }],
  ['engine-refused', withState('unexpected', '57P01')],
  ['engine-refused', { code: 'unexpected', internal: 'something else' }],
  ['engine-refused', { code: 'postgres-error' }],
  ['engine-refused', { code: 'access-denied' }],
  ['engine-refused', { code: 'validation-failed' }],
  ['engine-refused', {}],
])('is %s for %o', async (code, extensions) => {
  server = await serve((_request, response) =>
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ errors: [{ message: 'no', extensions }] })),
  );
  expect(await failureOf(server.url)).toMatchObject({ code });
});

test.each([
  [500, 'application/json', '{"error":"oh"}'],
  [502, 'text/html', '<h1>Bad gateway</h1>'],
  [200, 'text/html', '<h1>Welcome</h1>'],
  [404, 'text/plain', 'not found'],
])('an answer %i of %s is no answer of the engine', async (status, type, body) => {
  server = await serve((_request, response) =>
    response.writeHead(status, { 'content-type': type }).end(body),
  );
  expect(await failureOf(server.url)).toMatchObject({ code: 'engine-unreachable', status: 503 });
});

test('an engine that is not there or falls silent is unreachable', async () => {
  expect(await failureOf('http://127.0.0.1:1')).toMatchObject({ code: 'engine-unreachable' });
  server = await serve(() => {});
  expect(await failureOf(server.url, 50)).toMatchObject({ code: 'engine-unreachable' });
});

test('an engine that falls silent in the middle of its answer is unreachable', async () => {
  server = await serve((_request, response) => response.writeHead(200).write('{"data":'));
  expect(await failureOf(server.url, 50)).toMatchObject({ code: 'engine-unreachable' });
});

test('a wrong secret is named with its fix', async () => {
  server = await serve((_request, response) =>
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(
        '{"errors":[{"message":"invalid \\"x-hasura-admin-secret\\"","extensions":{"code":"access-denied"}}]}',
      ),
  );
  expect((await failureOf(server.url)).message).toContain('HASURA_GRAPHQL_ADMIN_SECRET');
});

test('an error holds neither the secret nor anything of the request', async () => {
  server = await serve((_request, response) =>
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end('{"errors":[{"message":"no","extensions":{"code":"data-exception"}}]}'),
  );
  const error = await failureOf(server.url);
  const everything = JSON.stringify([error, error.message, error.stack, String(error.cause)]);
  expect(everything).not.toMatch(/ada@example\.com|hunter2/);
});

test('the mutation is sent with the admin secret', async () => {
  const seen: unknown[] = [];
  server = await serve(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    seen.push(request.url, request.headers['x-hasura-admin-secret'], JSON.parse(text));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{}}');
  });
  await engineAt(server.url).writeBatch(VARIABLES);
  expect(seen).toMatchObject([
    '/v1/graphql',
    'hunter2',
    { operationName: 'WriteBatch', variables: VARIABLES },
  ]);
});

test('a payload that is a text of JSON is sent as it stands', async () => {
  const texts: string[] = [];
  server = await serve(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    texts.push(text);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{}}');
  });
  const deliveries = [{ id: 'msg_1', payload: new RawJson('{ "n": 1.50 }') }];
  await engineAt(server.url).writeBatch({ ...VARIABLES, deliveries });
  expect(texts[0]).toContain('{"id":"msg_1","payload":{ "n": 1.50 }}');
});
