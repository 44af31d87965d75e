import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRemoteJWKSet, importJWK, jwtVerify, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { freePort } from '#processes/ports.ts';
import { startChild } from '#processes/processes.ts';
import { untilAnswers } from '#processes/wait.ts';
import { startLocalCognito } from '#stand-ins/cognito/local-cognito.ts';

let folder: string;
const closers: (() => Promise<void>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await rm(folder, { recursive: true });
});

async function start(directory: string) {
  const cognito = await startLocalCognito({ port: 0, directory });
  closers.push(() => cognito.close());
  const keysUrl = `${cognito.url}/${cognito.userPoolId}/.well-known/jwks.json`;
  const { keys } = z
    .object({ keys: z.array(z.looseObject({ kid: z.string(), n: z.string() })) })
    .parse(await (await fetch(keysUrl)).json());
  return { cognito, keys, verify: createRemoteJWKSet(new URL(keysUrl)) };
}

test('the local Cognito signs with a key of its own folder, and not with the one that npm publishes', async () => {
  const { cognito, keys, verify } = await start(join(folder, 'one'));
  await fetch(`${cognito.url}/sign-up`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'email=ada@example.com',
  });
  const token = await (await fetch(`${cognito.url}/token?user=ada@example.com`)).text();
  expect((await jwtVerify(token, verify)).payload.email).toBe('ada@example.com');

  const { jwk } = z
    .object({ jwk: z.looseObject({ n: z.string() }) })
    .parse(createRequire(import.meta.url)('cognito-local/lib/keys/cognitoLocal.private.json'));
  expect(keys.map(({ n }) => n)).not.toContain(jwk.n);
  const forged = await new SignJWT({ sub: 'ada' })
    .setProtectedHeader({ alg: 'RS256', kid: keys[0]?.kid ?? '' })
    .sign(await importJWK(jwk, 'RS256'));
  await expect(jwtVerify(forged, verify)).rejects.toThrow('signature verification failed');
});

test('each folder has a key of its own, and keeps it', async () => {
  const one = await start(join(folder, 'one'));
  const another = await start(join(folder, 'another'));
  expect(another.keys).not.toEqual(one.keys);
  await closers.shift()?.();
  expect((await start(join(folder, 'one'))).keys).toEqual(one.keys);
});

test('what an earlier version left open to others is closed', async () => {
  const database = join(folder, 'one', '.cognito', 'db');
  await mkdir(database, { recursive: true });
  await writeFile(join(database, 'old.json'), '{}', { mode: 0o644 });
  await chmod(join(folder, 'one'), 0o755);
  await start(join(folder, 'one'));
  expect((await stat(join(database, 'old.json'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'one'))).mode & 0o777).toBe(0o700);
});

test('behind the local Cognito it answers no page elsewhere either, for its port can be found', async () => {
  await mkdir(join(folder, '.cognito'));
  const port = await freePort();
  const child = await startChild({
    name: 'cognito-local',
    command: process.execPath,
    args: [
      fileURLToPath(new URL('../../../src/stand-ins/cognito/cognito-local.ts', import.meta.url)),
      String(port),
    ],
    cwd: folder,
    env: {},
  });
  closers.push(() => child.stop());
  const url = `http://127.0.0.1:${port}/health`;
  await untilAnswers(url, child);
  expect((await fetch(url, { headers: { origin: 'https://evil.example' } })).status).toBe(403);
});
