import { sendRaw } from '@latchkey/tests/support/raw-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DELETION_LIMIT } from '#core/settings/deletion-limit.ts';
import { buildApp } from '#http/app.ts';
import { createLogger } from '#http/logger.ts';
import { type Issuers, startIssuers } from '../support/issuer.ts';

let issuers: Issuers;
let app: ReturnType<typeof buildApp>;
let url: string;

beforeAll(async () => {
  issuers = await startIssuers(['editor']);
  app = buildApp({
    providers: issuers.providers,
    writer: {
      write: () => Promise.reject(new Error('Nothing is written here.')),
      writeDelivery: () => Promise.reject(new Error('Nothing is written here.')),
      close: async () => {},
    },
    engine: {
      checkTables: () => Promise.reject(new Error('Nothing is asked here.')),
      request: () => Promise.reject(new Error('Nothing is requested here.')),
    },
    engineSecrets: [],
    retentionDays: 30,
    deletionLimit: DELETION_LIMIT,
    logger: createLogger('silent'),
    unauthorizedRole: 'visitor',
  });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await app.close();
  await issuers.close();
});

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `x-${index}`);
const postHook = (headers: Record<string, string>, request?: unknown) =>
  fetch(`${url}/auth/hook`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ headers, request }),
  });

describe('POST /auth/hook', () => {
  test('takes 200 headers and refuses one more', async () => {
    expect((await postHook(Object.fromEntries(names(200).map((name) => [name, 'v'])))).status).toBe(200);
    const answer = await postHook(Object.fromEntries(names(201).map((name) => [name, 'v'])));
    expect([answer.status, await answer.json()]).toEqual([
      431,
      { code: 'headers-too-large', message: 'The request has 201 headers: send at most 200.' },
    ]);
  });

  test('takes 50 KB of headers, as Hasura does, and no more than 64 KiB in all', async () => {
    expect((await postHook({ cookie: 'c'.repeat(50 * 1024) })).status).toBe(200);
    const answer = await postHook({}, { query: 'q'.repeat(64 * 1024) });
    expect([answer.status, await answer.json()]).toEqual([
      413,
      {
        code: 'payload-too-large',
        message: expect.stringContaining('HASURA_GRAPHQL_AUTH_HOOK_SEND_REQUEST_BODY to false'),
      },
    ]);
  });

  test('spends next to no time on 60,000 headers', async () => {
    const many = Object.fromEntries(names(60_000).map((name) => [name, 'v']));
    await postHook(many);
    const before = process.cpuUsage();
    for (let time = 0; time < 10; time += 1) expect((await postHook(many)).status).toBe(413);
    const { user, system } = process.cpuUsage(before);
    // The client is this same process: it writes 10 MB of JSON. Taken in, each cost 400 ms or more.
    expect((user + system) / 1000).toBeLessThan(2_000);
  });
});

describe('every path', () => {
  test.each(['/healthz', '/auth/hook', '/webhooks/clerk', '/nowhere'])(
    '%s refuses more than 200 headers, those too of which Node tells nobody',
    async (path) => {
      for (const count of [201, 3_000]) {
        const head = names(count)
          .map((_, index) => `${index.toString(36)}:\r\n`)
          .join('');
        const answer = await sendRaw(
          url,
          `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${head}\r\n`,
        );
        expect(answer).toMatchObject({ status: 431, body: { code: 'headers-too-large' } });
      }
    },
  );

  test('refuses headers above 16 KiB with code and message', async () => {
    const answer = await sendRaw(
      url,
      `GET /healthz HTTP/1.1\r\nhost: a\r\ncookie: ${'c'.repeat(16_384)}\r\n\r\n`,
    );
    expect(answer).toMatchObject({
      status: 431,
      body: { code: 'headers-too-large', message: expect.stringContaining('16384 bytes') },
    });
  });

  test('refuses what is no HTTP and no path with code and message', async () => {
    const answer = { status: 400, body: { code: 'request-invalid', message: expect.any(String) } };
    expect(await sendRaw(url, 'hello\r\n\r\n')).toMatchObject(answer);
    expect(await sendRaw(url, 'GET /%zz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')).toMatchObject(
      answer,
    );
  });

  test('ends requests that have not arrived after 15 seconds, and answers 408', {
    timeout: 40_000,
  }, async () => {
    const head = 'POST /auth/hook HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n';
    const answers = await Promise.all([
      sendRaw(url, `${head}content-length: 1000\r\n\r\n`, ' '.repeat(1_000)),
      sendRaw(url, `${head}transfer-encoding: chunked\r\n\r\n`, '1\r\n \r\n'.repeat(100)),
      sendRaw(url, head, `x: ${'y'.repeat(1_000)}`),
      sendRaw(url, '', 'G'.repeat(1)),
    ]);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 408, body: { code: 'request-timeout' } });
      expect(answer.ms).toBeGreaterThan(14_000);
      expect(answer.ms).toBeLessThan(20_000);
    }
  });
});
