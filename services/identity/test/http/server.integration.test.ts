import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { fixture, SECRET, signed } from '@latchkey/tests/support/clerk';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { afterEach, expect, test } from 'vitest';

const SERVER = fileURLToPath(new URL('../../src/http/server.ts', import.meta.url));
const SETTINGS = { HASURA_GRAPHQL_ADMIN_SECRET: 'hunter2', CLERK_WEBHOOK_SECRET: SECRET, LATCHKEY_PORT: '0' };

let child: ChildProcess | undefined;
let engine: LocalServer | undefined;
afterEach(async () => {
  child?.kill('SIGKILL');
  await engine?.close();
  engine = undefined;
});

function start(settings: Record<string, string>) {
  const service = spawn(process.execPath, [SERVER], { env: settings, stdio: ['ignore', 'pipe', 'pipe'] });
  child = service;
  let output = '';
  service.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  return {
    service,
    stderr: text(service.stderr),
    exit: once(service, 'exit'),
    output: () => output,
    url: () => expect.poll(() => /http:\/\/[\d.:]+/.exec(output)?.[0], { timeout: 20_000 }).toBeDefined(),
    address: () => /http:\/\/[\d.:]+/.exec(output)?.[0] ?? '',
  };
}

test.each<[string, Record<string, string>]>([
  ['HASURA_GRAPHQL_ADMIN_SECRET', { ...SETTINGS, HASURA_GRAPHQL_ADMIN_SECRET: '' }],
  ['CLERK_WEBHOOK_SECRET', { ...SETTINGS, CLERK_WEBHOOK_SECRET: '' }],
  ['CLERK_WEBHOOK_SECRET', { ...SETTINGS, CLERK_WEBHOOK_SECRET: 'hunter2' }],
  ['CLERK_PUBLISHABLE_KEY', { ...SETTINGS, CLERK_PUBLISHABLE_KEY: 'pk_test_nonsense' }],
  ['LATCHKEY_PORT', { ...SETTINGS, LATCHKEY_PORT: 'http' }],
])('a wrong or missing %s ends it with one line and status 2', async (variable, settings) => {
  const { exit, stderr } = start(settings);
  expect((await exit)[0]).toBe(2);
  expect((await stderr).trimEnd().split('\n')).toEqual([
    expect.stringMatching(new RegExp(`^${variable} .+\\.$`)),
  ]);
  expect(await stderr).not.toContain('hunter2');
});

test.each(['HASURA_GRAPHQL_JWT_SECRET', 'HASURA_GRAPHQL_JWT_SECRETS'])(
  'a Hasura that trusts tokens by %s, and would mix up organizations, ends it with one line and status 2',
  async (variable) => {
    const casdoor = {
      CASDOOR_ENDPOINT: 'https://door.example.com',
      CASDOOR_APPLICATION: 'app-acme',
      CASDOOR_CLIENT_ID: '0123456789abcdef0123',
      CASDOOR_CLIENT_SECRET: 'hunter2-hunter2-hunter2',
      CASDOOR_WEBHOOK_SECRET: 'hunter2-hunter2-hunter2',
      CASDOOR_ORGANIZATIONS: 'acme,beta',
    };
    const { exit, stderr } = start({ ...SETTINGS, CLERK_WEBHOOK_SECRET: '', ...casdoor, [variable]: '{}' });
    expect((await exit)[0]).toBe(2);
    expect((await stderr).trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^HASURA_GRAPHQL_JWT_SECRET.*CASDOOR_ORGANIZATIONS.*jwt-secret --strict.*\.$/),
    ]);
  },
);

test('a port that is taken ends it with one line and status 2', async () => {
  engine = await serve(() => {});
  const { exit, stderr } = start({ ...SETTINGS, LATCHKEY_PORT: new URL(engine.url).port });
  expect((await exit)[0]).toBe(2);
  expect((await stderr).trimEnd().split('\n')).toEqual([expect.stringContaining('LATCHKEY_PORT')]);
});

test('it starts without an engine, and SIGTERM lets it finish what is under way', async () => {
  let release = () => {};
  let isAsked = false;
  engine = await serve(async (_request, response) => {
    isAsked = true;
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{}}');
  });
  const { service, exit, address, url } = start({ ...SETTINGS, HASURA_GRAPHQL_ENDPOINT: engine.url });
  await url();

  const body = fixture('user.created.json');
  const answer = fetch(`${address()}/webhooks/clerk`, { method: 'POST', headers: signed(body), body });
  await expect.poll(() => isAsked).toBe(true);
  service.kill('SIGTERM');
  await expect
    .poll(
      () =>
        fetch(`${address()}/healthz`).then(
          () => 'open',
          () => 'closed',
        ),
      { timeout: 20_000 },
    )
    .toBe('closed');
  expect(service.exitCode).toBe(null);

  release();
  expect((await answer).status).toBe(200);
  expect(await exit).toEqual([0, null]);
});

/** One webhook on a connection that is kept open; rejects where the connection ends without an answer. */
function deliver(url: string, agent: Agent, id: string) {
  const body = fixture('user.created.json');
  return new Promise<{ status: number; retryAfter: string | undefined; text: string }>((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', agent, headers: signed(body, { id }) });
    request.on('error', reject);
    request.on('response', async (response) => {
      const { statusCode: status = 0, headers } = response;
      resolve({ status, retryAfter: headers['retry-after'], text: await text(response) });
    });
    request.end(body);
  });
}

test('SIGTERM under load: each request gets its answer, or a 503 that says to come back', async () => {
  engine = await serve(async (request, response) => {
    await text(request);
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{}}'), 20);
  });
  const { service, exit, address, url } = start({ ...SETTINGS, HASURA_GRAPHQL_ENDPOINT: engine.url });
  await url();

  const answers: Awaited<ReturnType<typeof deliver>>[] = [];
  // As senders do: one after the other on a connection, until they are told to come back later.
  const senders = Array.from({ length: 30 }, async (_, sender) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let number = 0; ; number += 1) {
      const answer = await deliver(`${address()}/webhooks/clerk`, agent, `msg_${sender}_${number}`);
      answers.push(answer);
      if (answer.status !== 200) break;
    }
    agent.destroy();
  });
  await expect.poll(() => answers.length, { timeout: 20_000 }).toBeGreaterThan(100);
  service.kill('SIGTERM');
  await Promise.all(senders);

  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused).toHaveLength(30);
  for (const { status, retryAfter, text: answer } of refused) {
    expect([status, Number(retryAfter), JSON.parse(answer)]).toEqual([
      503,
      expect.toSatisfy((seconds: number) => seconds > 0),
      { code: 'unavailable', message: expect.any(String) },
    ]);
  }
  expect(await exit).toEqual([0, null]);
});
