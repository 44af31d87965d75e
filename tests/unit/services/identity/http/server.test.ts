import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { fixture, SECRET, signed } from '../../../../support/clerk.ts';
import { type LocalServer, serve } from '../../../../support/http.ts';

const SERVER = fileURLToPath(new URL('../../../../../services/identity/http/server.ts', import.meta.url));
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
    .poll(() =>
      fetch(`${address()}/healthz`).then(
        () => 'open',
        () => 'closed',
      ),
    )
    .toBe('closed');
  expect(service.exitCode).toBe(null);

  release();
  expect((await answer).status).toBe(204);
  expect(await exit).toEqual([0, null]);
});
