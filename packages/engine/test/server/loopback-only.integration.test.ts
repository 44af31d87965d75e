import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { sendRaw } from '@latchkey/tests/support/raw-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type EngineConfig, readConfig } from '#base/config.ts';
import { createLogger } from '#base/log.ts';
import { type EngineServer, startEngineServer } from '#engine.ts';

const PAGES_ELSEWHERE = [
  'https://evil.example',
  'http://localhost.evil.example:5173',
  'http://127.0.0.1.evil.example',
  'http://192.168.0.7:5173',
  'chrome-extension://localhost',
  'null',
  '',
];
const PAGES_HERE = [
  'http://localhost:5173',
  'https://127.0.0.1',
  'http://[::1]:3000',
  'http://app.localhost',
];
const NAMES_ELSEWHERE = ['evil.example:8080', 'localhost.evil.example', '192.168.0.7:8080', '0.0.0.0:8080'];

let database: TestDatabase;
let engine: EngineServer;
let logged: string[];

beforeAll(async () => {
  database = await createDatabase();
  logged = [];
  engine = await startEngineServer(
    settings(),
    createLogger((line) => logged.push(line)),
  );
});
afterAll(async () => {
  await engine.close();
  await database.close();
});

const settings = (env: Record<string, string> = {}): EngineConfig =>
  readConfig({ HASURA_GRAPHQL_DATABASE_URL: database.url, HASURA_GRAPHQL_SERVER_PORT: '0', ...env });

/** What a page can do without asking first: a POST of text, whose sender the browser names. */
async function runSql(headers: Record<string, string>, url = engine.url) {
  const request = httpRequest(`${url}/v2/query`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain', ...headers },
  });
  request.end(JSON.stringify({ type: 'run_sql', args: { sql: 'CREATE TABLE IF NOT EXISTS owned ()' } }));
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
  });
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

function open(options: { origin?: string; headers?: Record<string, string> }): Promise<number> {
  const socket = new WebSocket(
    `${engine.url.replace('http', 'ws')}/v1/graphql`,
    'graphql-transport-ws',
    options,
  );
  return new Promise((resolve) => {
    socket.on('open', () => {
      socket.close();
      resolve(101);
    });
    socket.on('error', () => {});
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
  });
}

describe('an engine without an admin secret', () => {
  test.each(PAGES_ELSEWHERE)('answers no page of %j', async (origin) => {
    const answer = await runSql({ origin });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ path: '$', code: 'access-denied' });
    expect(answer.body).toContain('HASURA_GRAPHQL_ADMIN_SECRET');
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    expect(await open({ headers: { origin } })).toBe(403);
    expect(await database.query("SELECT FROM pg_class WHERE relname = 'owned'")).toEqual([]);
  });

  test.each(NAMES_ELSEWHERE)('answers to no name but its own: not to %j', async (host) => {
    expect((await runSql({ host })).status).toBe(403);
    expect(await open({ headers: { host } })).toBe(403);
  });

  test('answers no request that a page elsewhere makes without an origin', async () => {
    expect((await runSql({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });

  test('lets no page elsewhere ask whether it may', async () => {
    const answer = await fetch(`${engine.url}/v1/graphql`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  test.each(PAGES_HERE)('answers pages of %s, and says so to the browser', async (origin) => {
    const answer = await runSql({ origin, 'sec-fetch-site': 'cross-site' });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, origin]);
    expect(await open({ origin })).toBe(101);
  });

  test.each(['localhost:8080', '127.0.0.1', '127.0.0.53:1', '[::1]:8080', 'LOCALHOST'])(
    'answers programs by the name %s',
    async (host) => expect((await runSql({ host })).status).toBe(200),
  );

  test('says so in its first line', () => {
    expect(JSON.parse(logged[0] ?? '')).toMatchObject({
      level: 'warn',
      type: 'startup',
      message: expect.stringContaining('no HASURA_GRAPHQL_ADMIN_SECRET'),
    });
  });

  test.each(['0.0.0.0', '*', '::', '192.168.0.7', 'example.com', '127.0.0.1.example.com'])(
    'does not start on %s, and says what to do',
    (host) => {
      expect(() => settings({ HASURA_GRAPHQL_SERVER_HOST: host })).toThrow(
        /^HASURA_GRAPHQL_SERVER_HOST: on .+; set HASURA_GRAPHQL_ADMIN_SECRET, or listen on 127\.0\.0\.1$/,
      );
      expect(settings({ HASURA_GRAPHQL_SERVER_HOST: host, HASURA_GRAPHQL_ADMIN_SECRET: 's' }).host).toBe(
        host,
      );
    },
  );

  test.each(['localhost', '127.0.0.1', '127.1.2.3', '::1'])('may listen on %s', (host) => {
    expect(settings({ HASURA_GRAPHQL_SERVER_HOST: host }).host).toBe(host);
  });
});

test('an engine with an admin secret answers by any name, pages of anywhere too, as Hasura does', async () => {
  const log: string[] = [];
  const guarded = await startEngineServer(
    settings({ HASURA_GRAPHQL_ADMIN_SECRET: 'hunter2' }),
    createLogger((line) => log.push(line)),
  );
  const headers = {
    host: 'hasura.example',
    origin: 'https://app.example',
    'x-hasura-admin-secret': 'hunter2',
  };
  const answer = await runSql(headers, guarded.url);
  await guarded.close();
  expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([
    200,
    'https://app.example',
  ]);
  expect(log.join('')).not.toContain('no HASURA_GRAPHQL_ADMIN_SECRET');
});

test.each(['production', 'Production', 'PRODUCTION', ' production', 'production\n'])(
  'an engine does not start with NODE_ENV=%j',
  (NODE_ENV) =>
    expect(() => settings({ NODE_ENV })).toThrow(/^NODE_ENV=production: .+ run hasura\/graphql-engine/),
);

describe('a request that is none', () => {
  test('ends after 15 seconds with 408', { timeout: 40_000 }, async () => {
    const head = 'POST /v1/graphql HTTP/1.1\r\nhost: localhost\r\n';
    const answers = await Promise.all([
      sendRaw(engine.url, `${head}content-length: 1000\r\n\r\n`, ' '.repeat(1_000)),
      sendRaw(engine.url, `${head}transfer-encoding: chunked\r\n\r\n`, '1\r\n \r\n'.repeat(100)),
      sendRaw(engine.url, head, `x: ${'y'.repeat(1_000)}`),
    ]);
    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 408,
        body: { path: '$', code: 'timeout', error: expect.any(String) },
      });
      expect(answer.ms).toBeGreaterThan(14_000);
      expect(answer.ms).toBeLessThan(20_000);
    }
  });

  test.each([
    [431, `GET /healthz HTTP/1.1\r\nhost: localhost\r\ncookie: ${'c'.repeat(70_000)}\r\n\r\n`],
    [400, 'hello\r\n\r\n'],
  ])('is answered %i in the shape of every error', async (status, bytes) => {
    expect(await sendRaw(engine.url, bytes)).toMatchObject({
      status,
      body: { path: '$', code: 'bad-request', error: expect.any(String) },
    });
  });
});
