import { fixture, SECRET, signed } from '@latchkey/tests/support/clerk';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { clerkVerifier } from '#providers/clerk/verify.ts';

const VECTORS = z.object({
  signing_secret: z.string(),
  vectors: z.array(z.object({ file: z.string(), headers: z.record(z.string(), z.string()) })),
});
const { signing_secret, vectors } = VECTORS.parse(JSON.parse(fixture('svix-signature-vectors.json')));
const NEW_SECRET = `whsec_${Buffer.from('another key of thirty-two bytes!').toString('base64')}`;

const body = fixture('user.created.json');
const request = (headers: Record<string, string>, text = body) => ({
  headers,
  body: Buffer.from(text),
  receivedAt: 1,
});
const refusal = expect.objectContaining({ code: 'signature-invalid', status: 401 });

afterEach(() => {
  vi.useRealTimers();
});

describe('recorded signatures', () => {
  test.each(vectors)('of $file verify within five minutes of their time', ({ file, headers }) => {
    const verify = clerkVerifier([signing_secret]);
    const text = fixture(file);
    const at = Number(headers['svix-timestamp']) * 1000;
    for (const seconds of [-300, 0, 300]) {
      vi.useFakeTimers({ now: at + seconds * 1000, toFake: ['Date'] });
      expect(verify(request(headers, text))).toEqual({
        id: headers['svix-id'],
        provider: 'clerk',
        body: text,
        receivedAt: 1,
        // The end of that second: nobody knows when within it.
        sentAt: at + 999,
      });
    }
    for (const seconds of [-301, 301]) {
      vi.useFakeTimers({ now: at + seconds * 1000, toFake: ['Date'] });
      expect(() => verify(request(headers, text))).toThrow(refusal);
    }
  });
});

test('any of several secrets will do, so that one can replace another', () => {
  const verify = clerkVerifier([NEW_SECRET, SECRET]);
  expect(verify(request(signed(body, { secret: SECRET }))).id).toBe('msg_1');
  expect(verify(request(signed(body, { secret: NEW_SECRET }))).id).toBe('msg_1');
  expect(() => clerkVerifier([NEW_SECRET])(request(signed(body, { secret: SECRET })))).toThrow(refusal);
});

test('the standard header names are understood too', () => {
  const headers = Object.fromEntries(
    Object.entries(signed(body)).map(([name, value]) => [name.replace('svix-', 'webhook-'), value]),
  );
  expect(clerkVerifier([SECRET])(request(headers)).id).toBe('msg_1');
});

test('the id is the signed one where both kinds of headers are there', () => {
  const headers = { ...signed(body, { id: 'msg_signed' }), 'webhook-id': 'msg_smuggled' };
  expect(clerkVerifier([SECRET])(request(headers)).id).toBe('msg_signed');
});

describe('refused is', () => {
  const good = signed(body);
  const signature = good['svix-signature'] ?? '';
  test.each<[string, Record<string, string>, string?]>([
    ['another body', good, body.replace('Ada', 'Eve')],
    ['a body with one byte more', good, `${body} `],
    ['another id', { ...good, 'svix-id': 'msg_2' }],
    ['another timestamp', { ...good, 'svix-timestamp': String(Number(good['svix-timestamp']) - 1) }],
    ['another version', { ...good, 'svix-signature': signature.replace('v1,', 'v2,') }],
    ['a signature without a version', { ...good, 'svix-signature': signature.slice(3) }],
    ['half a signature', { ...good, 'svix-signature': signature.slice(0, 20) }],
    ['an empty signature', { ...good, 'svix-signature': '' }],
    ['a bare version', { ...good, 'svix-signature': 'v1,' }],
    ['a timestamp that is none', { ...good, 'svix-timestamp': 'now' }],
    ['no headers at all', {}],
    ['an id too long for the ledger', signed(body, { id: `msg_${'x'.repeat(252)}` })],
    ['an empty id', signed(body, { id: '' })],
  ])('%s', (_what, headers, text = body) => {
    expect(() => clerkVerifier([SECRET])(request(headers, text))).toThrow(refusal);
  });
});

test('an id as long as the ledger can hold is taken', () => {
  const id = `msg_${'x'.repeat(251)}`;
  expect(clerkVerifier([SECRET])(request(signed(body, { id }))).id).toBe(id);
});

test('one good signature among several is enough', () => {
  const good = signed(body);
  const headers = { ...good, 'svix-signature': `v1,AAAA v1a,BBBB ${good['svix-signature']}` };
  expect(clerkVerifier([SECRET])(request(headers)).id).toBe('msg_1');
});
