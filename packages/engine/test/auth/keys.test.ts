import { generateKeyPairSync } from 'node:crypto';
import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { afterEach, expect, test, vi } from 'vitest';
import { remoteKeys } from '#auth/keys.ts';
import { silentLogger } from '#base/log.ts';
import { bearer, claims, jwtAuthenticator, otherRsa, rsa, sign } from './tokens.ts';

const jwk = (pair: typeof rsa, extra: Record<string, unknown> = { use: 'sig' }) => ({
  ...pair.publicKey.export({ format: 'jwk' }),
  ...extra,
});
let server: LocalServer | undefined;
afterEach(async () => {
  vi.useRealTimers();
  await server?.close();
});

async function jwks(keys: () => unknown[], headers: () => Record<string, string> = () => ({})) {
  let requests = 0;
  server = await serve((_, response) => {
    requests += 1;
    response.writeHead(200, { 'content-type': 'application/json', ...headers() });
    response.end(JSON.stringify({ keys: keys() }));
  });
  return { url: server.url, requests: () => requests };
}

test('every key of the set is tried, whatever its kid', async () => {
  const { url } = await jwks(() => [jwk(otherRsa, { kid: 'a' }), jwk(rsa, { kid: 'b' })]);
  const authenticator = await jwtAuthenticator({ jwk_url: url });
  expect((await authenticator.authenticate(bearer(await sign(claims())))).session.role).toBe('user');
  authenticator.close();
});

test('keys for encryption and short keys are left out', async () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const { url } = await jwks(() => [jwk(rsa, { use: 'enc' }), jwk(short)]);
  const authenticator = await jwtAuthenticator({ jwk_url: url });
  await expect(authenticator.authenticate(bearer(await sign(claims())))).rejects.toMatchObject({
    message: 'Could not verify JWT: JWSError NoUsableKeys',
  });
  authenticator.close();
});

test('a set with a key that cannot be read is none: the keys there are stay', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  let keys: unknown[] = [jwk(rsa)];
  const served = await jwks(
    () => keys,
    () => ({ 'cache-control': 'no-store' }),
  );
  const authenticator = await jwtAuthenticator({ jwk_url: served.url });
  keys = [jwk(otherRsa), { kty: 'what' }];
  await afterMinutes(1);
  vi.useRealTimers();
  await vi.waitFor(() => expect(served.requests()).toBe(2));
  const other = await sign(claims(), 'RS256', otherRsa.privateKey);
  await expect(authenticator.authenticate(bearer(other))).rejects.toMatchObject({ code: 'invalid-jwt' });
  expect((await authenticator.authenticate(bearer(await sign(claims())))).session.role).toBe('user');
  authenticator.close();
});

async function afterMinutes(minutes: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(minutes * 60_000);
}

test.each<[string, Record<string, string>, boolean]>([
  ['max-age', { 'cache-control': 'public, max-age=30' }, true],
  ['s-maxage', { 'cache-control': 's-maxage=30' }, true],
  ['no-cache', { 'cache-control': 'no-cache' }, true],
  ['Expires', { expires: new Date(Date.now() + 30_000).toUTCString() }, true],
  ['no header', {}, false],
  ['a max-age that has not passed', { 'cache-control': 'max-age=86400' }, false],
])('after a minute, a set with %s is fetched again or not', async (_, headers, again) => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  const served = await jwks(
    () => [jwk(rsa)],
    () => headers,
  );
  const keys = await remoteKeys(served.url, silentLogger);
  await afterMinutes(1);
  vi.useRealTimers();
  if (again) await vi.waitFor(() => expect(keys.version()).toBe(2));
  expect(served.requests()).toBe(again ? 2 : 1);
  keys.close();
});

test('a token signed with a key that was taken out is refused after the refresh', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  let current = rsa;
  const served = await jwks(
    () => [jwk(current)],
    () => ({ 'cache-control': 'no-store' }),
  );
  const authenticator = await jwtAuthenticator({ jwk_url: served.url });
  const headers = bearer(await sign(claims()));
  await authenticator.authenticate(headers);
  current = otherRsa;
  await afterMinutes(1);
  vi.useRealTimers();
  await vi.waitFor(async () => {
    await expect(authenticator.authenticate(headers)).rejects.toMatchObject({ code: 'invalid-jwt' });
  });
  authenticator.close();
});

test('the engine does not start while the url is silent', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const started = jwtAuthenticator({ jwk_url: 'http://127.0.0.1:1/keys' }).then(
    () => 'started',
    (error: unknown) => String(error),
  );
  const outcome = Promise.race([started, keepAdvancing()]);
  expect(await outcome).toMatch(/no keys from jwk_url .*does not start/);

  async function keepAdvancing(): Promise<never> {
    for (;;) {
      await vi.advanceTimersByTimeAsync(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
});
