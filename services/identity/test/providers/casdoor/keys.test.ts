import { type LocalServer, serve } from '@latchkey/tests/support/http';
import { afterEach, expect, test } from 'vitest';
import { casdoorKeySource, casdoorKeysUrl } from '#providers/casdoor/keys.ts';

let server: LocalServer | undefined;
afterEach(() => server?.close());

async function keysOf(body: unknown) {
  const asked: string[] = [];
  server = await serve((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const source = casdoorKeySource({ endpoint: server.url, application: 'app acme' });
  return { read: async () => (await source.keys()).keySet, asked };
}
const key = { use: 'sig', kty: 'RSA', kid: 'cert-built-in', alg: 'RS256', n: 'x', e: 'AQAB' };

test('the application’s own key is asked for, whatever its name, and passed on', async () => {
  const { read, asked } = await keysOf({ keys: [key] });
  expect(await read()).toEqual({ keys: [key] });
  expect(asked).toEqual(['/.well-known/app%20acme/jwks']);
  expect(casdoorKeysUrl({ endpoint: 'http://casdoor:8000', application: '../jwks?' })).toBe(
    'http://casdoor:8000/.well-known/..%2Fjwks%3F/jwks',
  );
});

test.each<[string, unknown]>([
  ['several keys, which are everybody’s', { keys: [key, { ...key, kid: 'cert-of-another' }] }],
  ['no key', { keys: [] }],
  ['an error with status 200', { status: 'error', msg: 'no' }],
])('%s is not passed on', async (_what, body) => {
  const { read } = await keysOf(body);
  await expect(read()).rejects.toThrow(
    expect.objectContaining({
      code: 'provider-unreachable',
      message: expect.stringContaining('CASDOOR_APPLICATION'),
    }),
  );
});
