import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLocalCasdoor } from '#stand-ins/casdoor/local-casdoor.ts';
import { startLocalClerk } from '#stand-ins/clerk/local-clerk.ts';
import { startLocalLambda } from '#stand-ins/cognito/lambda.ts';
import { startLocalCognito } from '#stand-ins/cognito/local-cognito.ts';

type Server = { url: string; close(): Promise<void> };

const PATHS: Record<string, { start(folder: string): Promise<Server>; paths: string[] }> = {
  Clerk: {
    start: (folder) => startLocalClerk({ port: 0, stateFile: join(folder, 'clerk.json') }),
    paths: ['/token?user=ada@example.com', '/sign-up', '/.well-known/jwks.json', '/v1/users', '/nowhere'],
  },
  Casdoor: {
    start: (folder) => startLocalCasdoor({ port: 0, stateFile: join(folder, 'casdoor.json') }),
    paths: ['/token?user=ada@example.com', '/sign-up', '/.well-known/jwks', '/api/get-users', '/nowhere'],
  },
  Cognito: {
    start: (directory) => startLocalCognito({ port: 0, directory }),
    paths: ['/token?user=ada@example.com', '/sign-up', '/', '/local_pool/.well-known/jwks.json'],
  },
  Lambda: {
    start: () => startLocalLambda({ functions: {} }),
    paths: ['/2015-03-31/functions/forward-event/invocations'],
  },
};

async function ask(url: string, method: string, headers: Record<string, string>, body = '') {
  const request = httpRequest(url, { method, headers });
  request.end(body);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
  });
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe.each(Object.entries(PATHS))('the local %s', (name, { start, paths }) => {
  let folder: string;
  let server: Server;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
    server = await start(folder);
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });
  const url = (path: string) => server.url + path;
  const form = { 'content-type': 'application/x-www-form-urlencoded' };

  test.each<[string, Record<string, string>]>([
    ['by a name that leads here', { host: 'evil.example:4000' }],
    ['by a name that looks like this machine’s', { host: '127.0.0.1.evil.example' }],
    ['from a page elsewhere', { origin: 'https://evil.example' }],
    ['from a page without a name', { origin: 'null' }],
    ['from a page on the same network', { origin: 'http://192.168.0.7:5173' }],
    ['for an image on a page elsewhere', { 'sec-fetch-site': 'cross-site' }],
  ])('answers nobody %s', async (_, headers) => {
    for (const path of paths) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const answer = await ask(url(path), method, { ...form, ...headers }, '');
        expect([path, method, answer.status]).toEqual([path, method, 403]);
        expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
        expect(JSON.parse(answer.body).message).toContain('http://127.0.0.1');
      }
    }
  });

  test.each(['http://localhost:5173', 'http://127.0.0.1:3000', 'https://app.localhost', 'http://[::1]:5173'])(
    'lets a page of %s ask',
    async (origin) => {
      const preflight = {
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-amz-target',
      };
      for (const path of paths) {
        const asked = await ask(url(path), 'OPTIONS', { origin, ...preflight });
        expect([path, asked.status, asked.body]).toEqual([path, 204, '']);
        expect(asked.headers).toMatchObject({
          'access-control-allow-origin': origin,
          'access-control-allow-methods': expect.stringContaining('POST'),
          'access-control-allow-headers': 'x-amz-target',
        });
        const answer = await ask(url(path), 'GET', { origin, 'sec-fetch-site': 'cross-site' });
        expect(answer.headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'origin' });
      }
    },
  );

  if (name === 'Lambda') return;

  test('a page of a development server signs somebody up and reads their token', async () => {
    const headers = { origin: 'http://localhost:5173', 'sec-fetch-site': 'cross-site' };
    const signedUp = await ask(url('/sign-up'), 'POST', { ...form, ...headers }, 'email=ada%40example.com');
    expect([signedUp.status, signedUp.headers['access-control-allow-origin']]).toEqual([200, headers.origin]);
    const token = await ask(url('/token?user=ada@example.com'), 'GET', headers);
    expect([token.status, token.headers['access-control-allow-origin']]).toEqual([200, headers.origin]);
    expect(token.body.split('.')).toHaveLength(3);
  });

  test('what it keeps can be read by nobody else', async () => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    // The functions of the local Lambda are the project's own code, in a folder that nobody else can enter.
    const kept = entries.filter(({ parentPath }) => !parentPath.includes('functions'));
    expect(kept.length).toBeGreaterThan(0);
    for (const entry of kept) {
      const path = join(entry.parentPath, entry.name);
      const mode = ((await stat(path)).mode & 0o777).toString(8);
      if (entry.isFile()) expect([path, mode]).toEqual([path, '600']);
      else if (entry.name !== 'functions') expect([path, mode]).toEqual([path, '700']);
    }
    expect(((await stat(folder)).mode & 0o777).toString(8)).toBe('700');
  });
});
