import { afterEach, expect, test } from 'vitest';
import {
  casdoorKeysUrl,
  readCasdoorKeys,
} from '../../../../../../services/identity/providers/casdoor/keys.ts';
import { type LocalServer, serve } from '../../../../../support/http.ts';

let server: LocalServer | undefined;
afterEach(() => server?.close());

async function keysOf(body: unknown, status = 200) {
  const asked: string[] = [];
  server = await serve((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  const read = () => readCasdoorKeys({ endpoint: server?.url ?? '', application: 'app acme' });
  return { read, asked };
}
const key = { use: 'sig', kty: 'RSA', kid: 'cert-built-in', alg: 'RS256', n: 'x', e: 'AQAB' };
const unreachable = expect.objectContaining({ code: 'provider-unreachable' });

test('the application’s own key is asked for, whatever its name, and passed on whole', async () => {
  const { read, asked } = await keysOf({ keys: [key] });
  expect(await read()).toEqual({ keys: [key] });
  expect(asked).toEqual(['/.well-known/app%20acme/jwks']);
  expect(casdoorKeysUrl({ endpoint: 'http://casdoor:8000', application: '../jwks?' })).toBe(
    'http://casdoor:8000/.well-known/..%2Fjwks%3F/jwks',
  );
});

test.each<[string, unknown, number]>([
  ['several keys, which are everybody’s', { keys: [key, { ...key, kid: 'cert-of-another' }] }, 200],
  ['no key', { keys: [] }, 200],
  ['an error with status 200', { status: 'error', msg: 'no' }, 200],
  ['a page of HTML', '<html></html>', 200],
  ['a failure', { keys: [key] }, 500],
])('%s is not passed on', async (_what, body, status) => {
  const { read } = await keysOf(body, status);
  await expect(read()).rejects.toThrow(unreachable);
});

test('where nobody answers, that is said', async () => {
  await expect(readCasdoorKeys({ endpoint: 'http://127.0.0.1:9', application: 'app' })).rejects.toThrow(
    unreachable,
  );
});
