import { fixture } from '@latchkey/tests/support/casdoor';
import { describe, expect, test } from 'vitest';
import { casdoorVerifier } from '#providers/casdoor/verify.ts';

const OLD = 'the-old-secret-of-32-characters!';
const NEW = 'the-new-secret-of-32-characters!';
const verify = casdoorVerifier({ webhookHeader: 'x-webhook-secret', webhookSecrets: [OLD, NEW] });
const request = (headers: Record<string, string | string[]>, body = fixture('webhook.signup.json')) => ({
  headers,
  body: Buffer.from(body),
  receivedAt: 7,
});
const refusal = expect.objectContaining({ code: 'signature-invalid', status: 401 });

describe('a webhook is authentic', () => {
  test.each([OLD, NEW])('with any of the secrets, while one replaces another', (secret) => {
    const body = fixture('webhook.signup.json');
    expect(verify(request({ 'x-webhook-secret': secret }))).toEqual({
      id: 'casdoor:3f2c1a9e-0000-4000-8000-000000000001:signup',
      provider: 'casdoor',
      body,
      receivedAt: 7,
    });
  });

  test('under another header, where one is configured', () => {
    const other = casdoorVerifier({ webhookHeader: 'authorization', webhookSecrets: [NEW] });
    expect(other(request({ authorization: NEW })).provider).toBe('casdoor');
    expect(() => other(request({ 'x-webhook-secret': NEW }))).toThrow(refusal);
  });
});

describe('a webhook is refused', () => {
  test.each<[string, Record<string, string | string[]>]>([
    ['without the header', {}],
    ['with an empty secret', { 'x-webhook-secret': '' }],
    ['with another secret', { 'x-webhook-secret': `${NEW}x` }],
    ['with the beginning of one', { 'x-webhook-secret': NEW.slice(0, -1) }],
    ['with both at once', { 'x-webhook-secret': `${OLD},${NEW}` }],
    ['with the header twice', { 'x-webhook-secret': [NEW, NEW] }],
    ['with the secret under another header', { 'x-secret': NEW }],
  ])('%s', (_how, headers) => {
    expect(() => verify(request(headers))).toThrow(refusal);
  });

  test('and the message does not repeat what was sent', () => {
    expect(() => verify(request({ 'x-webhook-secret': 'a-guess' }))).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('a-guess') }),
    );
  });
});

describe('the id of a delivery', () => {
  const idOf = (body: string) => verify(request({ 'x-webhook-secret': NEW }, body)).id;

  test('tells a sign-up from the new-user that has the same name', () => {
    expect(idOf(fixture('webhook.new-user.json'))).toBe(
      'casdoor:3f2c1a9e-0000-4000-8000-000000000001:new-user',
    );
    expect(idOf(fixture('webhook.new-user.json'))).not.toBe(idOf(fixture('webhook.signup.json')));
  });

  test('is the same each time, whatever the body is, and short enough for a key', () => {
    for (const body of [
      '',
      'not json',
      '[]',
      '{"name":"","action":"login"}',
      `{"name":"${'x'.repeat(300)}"}`,
    ]) {
      expect(idOf(body)).toMatch(/^casdoor:[0-9a-f]{64}$/);
      expect(idOf(body)).toBe(idOf(body));
    }
    expect(idOf('a')).not.toBe(idOf('b'));
  });
});
