import { SECRET, signed } from '@latchkey/tests/support/cognito';
import { afterEach, expect, test, vi } from 'vitest';
import { cognitoVerifier } from '#providers/cognito/verify.ts';

const NEW_SECRET = `whsec_${Buffer.from('another key of thirty-two bytes!').toString('base64')}`;
const body = '{"type":"AdminDeleteUser"}';
const request = (headers: Record<string, string>, text = body) => ({
  headers,
  body: Buffer.from(text),
  receivedAt: 1,
});
const refusal = expect.objectContaining({ code: 'signature-invalid', status: 401 });

afterEach(() => {
  vi.useRealTimers();
});

test('a signed delivery is authenticated, and its body is left as it was', () => {
  expect(cognitoVerifier([SECRET])(request(signed(body)))).toEqual({
    id: 'evt_1',
    provider: 'cognito',
    body,
    receivedAt: 1,
  });
});

test('a signed body that is no JSON is authentic too, for the ledger is to keep it', () => {
  const text = '{"type":';
  expect(cognitoVerifier([SECRET])(request(signed(text), text)).body).toBe(text);
});

test('any of several secrets will do, so that one can replace another', () => {
  const verify = cognitoVerifier([NEW_SECRET, SECRET]);
  expect(verify(request(signed(body, { secret: SECRET }))).id).toBe('evt_1');
  expect(verify(request(signed(body, { secret: NEW_SECRET }))).id).toBe('evt_1');
  expect(() => cognitoVerifier([NEW_SECRET])(request(signed(body)))).toThrow(refusal);
});

test('an id as long as the ledger can hold is taken', () => {
  const id = 'x'.repeat(255);
  expect(cognitoVerifier([SECRET])(request(signed(body, { id }))).id).toBe(id);
});

test('a signature holds within five minutes of its time', () => {
  const at = new Date(1_767_225_600_000);
  const verify = cognitoVerifier([SECRET]);
  for (const seconds of [-301, 301]) {
    vi.useFakeTimers({ now: at.getTime() + seconds * 1000, toFake: ['Date'] });
    expect(() => verify(request(signed(body, { at })))).toThrow(refusal);
  }
  for (const seconds of [-300, 300]) {
    vi.useFakeTimers({ now: at.getTime() + seconds * 1000, toFake: ['Date'] });
    expect(verify(request(signed(body, { at }))).id).toBe('evt_1');
  }
});

test.each<[string, Record<string, string>, string?]>([
  ['no headers at all', {}],
  ['another body', signed(body), `${body} `],
  ['another id', { ...signed(body), 'webhook-id': 'evt_2' }],
  ['another time', { ...signed(body), 'webhook-timestamp': String(Math.floor(Date.now() / 1000) - 1) }],
  ['no time', { ...signed(body), 'webhook-timestamp': 'now' }],
  ['no signature', { ...signed(body), 'webhook-signature': '' }],
  ['a signature of another version', { ...signed(body), 'webhook-signature': 'v2,abc' }],
  ['an id that no index could hold', signed(body, { id: 'x'.repeat(256) })],
  [
    "Svix's own headers instead",
    Object.fromEntries(Object.entries(signed(body)).map(([k, v]) => [k.replace('webhook-', 'svix-'), v])),
  ],
])('%s: refused', (_, headers, text) => {
  expect(() => cognitoVerifier([SECRET])(request(headers, text))).toThrow(refusal);
});
