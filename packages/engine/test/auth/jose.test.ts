/** What Hasura's JOSE library refuses, though it matters to no signature: the engine takes no token that it refuses. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseJwk } from '#auth/jwk.ts';
import { isUri, showStringOrUri } from '#auth/uri.ts';
import { certificateDer, certifiedKey } from './certificate.ts';
import { bearer, claims, ec, ed, jwtAuthenticator, pem, rsa, sign, signText } from './tokens.ts';

const authenticator = await jwtAuthenticator();
const outcome = (token: string) =>
  authenticator.authenticate(bearer(token)).then(
    ({ session }) => session.role,
    (error: { code: string }) => error.code,
  );
const withHeader = (members: Record<string, unknown>) =>
  signText(JSON.stringify(claims()), JSON.stringify({ alg: 'RS256', ...members }));
const jwk = (pair: typeof rsa) => pair.publicKey.export({ format: 'jwk' });
const zeros = (bytes: number) => Buffer.alloc(bytes).toString('base64url');

const x5c = certificateDer.toString('base64');

describe('a header', () => {
  test.each<[string, Record<string, unknown>]>([
    ['kid', { kid: 'a' }],
    ['typ and cty', { typ: 'JWT', cty: 'x' }],
    ['jku and x5u', { jku: 'https://a.example/keys?x=1#y', x5u: 'urn:a:b' }],
    ['jwk', { jwk: jwk(rsa) }],
    ['x5c', { x5c: [x5c] }],
    ['x5t', { x5t: createHash('sha1').update(certificateDer).digest('base64url') }],
    ['x5t#S256', { 'x5t#S256': zeros(32) }],
    ['names that nobody knows', { other: 5, KID: 5 }],
  ])('may have %s', async (_, members) => {
    expect(await outcome(withHeader(members))).toBe('user');
  });

  const wrong = [5, null, true, [], {}];
  const text = ['kid', 'typ', 'cty', 'jku', 'x5u', 'x5t', 'x5t#S256'];
  test.each(text.flatMap((name) => wrong.map((value) => [name, value] as const)))(
    'is refused with %s: %j',
    async (name, value) => {
      expect(await outcome(withHeader({ [name]: value }))).toBe('invalid-jwt');
    },
  );

  test.each<[string, unknown]>([
    ['jku', ''],
    ['jku', 'a'],
    ['jku', '/keys'],
    ['jku', 'http://a b'],
    ['x5u', 'http://a/%zz'],
    ['x5u', 'http://ä.example'],
    ['x5t', zeros(19)],
    ['x5t', `${zeros(20)}=`],
    ['x5t#S256', zeros(20)],
    ['x5c', 'zz'],
    ['x5c', []],
    ['x5c', ['zz']],
    ['x5c', null],
    ['x5c', [x5c, 5]],
    ['x5c', [certificateDer.toString('base64url')]],
    ['x5c', [Buffer.concat([certificateDer, Buffer.from('more')]).toString('base64')]],
    ['x5c', [`${x5c.slice(0, 64)}\n${x5c.slice(64)}`]],
    ['jwk', null],
    ['jwk', 'a'],
    ['jwk', {}],
    ['jwk', { kty: 'nope' }],
    ['jwk', { ...jwk(rsa), use: 'x' }],
    ['jwk', { ...jwk(rsa), alg: 'x' }],
    ['jwk', { ...jwk(ec), x5c: [x5c] }],
    ['crit', ['exp']],
    ['crit', ['b64']],
    ['crit', []],
    ['crit', null],
    ['alg', 'Ed25519'],
    ['alg', 'RS255'],
    ['alg', ['RS256']],
  ])('is refused with %s: %j', async (name, value) => {
    expect(await outcome(withHeader({ [name]: value, b64: true }))).toBe('invalid-jwt');
  });

  test.each([
    ['an algorithm twice, of which the first counts', '{"alg":"none","alg":"RS256"}'],
    ['no algorithm', '{}'],
    ['a list', '["RS256"]'],
    ['no JSON', '{"alg":"RS256"'],
    ['more behind it', '{"alg":"RS256"} x'],
    ['half of a surrogate pair', '{"alg":"RS256","kid":"\\ud800"}'],
    ['a byte order mark', '\ufeff{"alg":"RS256"}'],
    ['bytes that are no UTF-8', Buffer.from('{"alg":"RS256","kid":"\xff"}', 'latin1')],
  ])('is refused with %s', async (_, header) => {
    expect(await outcome(signText(JSON.stringify(claims()), header))).toBe('invalid-jwt');
  });

  test('of an algorithm twice, the first counts', async () => {
    const header = '{"alg":"RS256","alg":"none"}';
    expect(await outcome(signText(JSON.stringify(claims()), header))).toBe('user');
  });
});

describe('one spelling of each token', () => {
  const token = signText(JSON.stringify(claims()));
  const [head = '', payload = '', signature = ''] = token.split('.');
  /** The same bytes: of the last character some bits are not used. */
  const withUnusedBits = (part: string) => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    return part.slice(0, -1) + alphabet[alphabet.indexOf(part.slice(-1)) + 1];
  };

  test('is taken', async () => expect(await outcome(token)).toBe('user'));

  test.each([
    ['padding', `${token}==`],
    ['padding of one', `${token}=`],
    ['bits that are not used', `${head}.${payload}.${withUnusedBits(signature)}`],
    ['a character that is not of the alphabet', `${head}.${payload}.${signature}!`],
    ['one character too many', `${head}.${payload}.${signature}A`],
    ['padding of the payload', `${head}.${payload}=.${signature}`],
    ['padding of the header', `${head}=.${payload}.${signature}`],
    ['no signature', `${head}.${payload}.`],
    ['four parts', `${token}.`],
  ])('is refused with %s', async (_, other) => {
    expect(await outcome(other)).toBe('invalid-jwt');
  });

  test('is refused in standard base64', async () => {
    let standard = '';
    for (let attempt = 0; !/[+/]/.test(standard); attempt += 1) {
      const made = signText(JSON.stringify(claims({ 'x-hasura-attempt': String(attempt) })));
      standard = made.replaceAll('-', '+').replaceAll('_', '/');
    }
    expect(await outcome(standard)).toBe('invalid-jwt');
  });

  test('is refused behind Bearer where a header of another name has it alone', async () => {
    const other = await jwtAuthenticator({ header: { type: 'CustomHeader', name: 'X-Token' } });
    await expect(other.authenticate([['X-Token', `Bearer ${token}`]])).rejects.toMatchObject({
      code: 'invalid-jwt',
    });
  });
});

test('a token signed by EdDSA names it so, not as the curve', async () => {
  const settings = { type: 'Ed25519', key: pem(ed.publicKey) };
  const edwards = await jwtAuthenticator(settings);
  const token = await sign(claims(), 'EdDSA', ed.privateKey);
  expect((await edwards.authenticate(bearer(token))).session.role).toBe('user');
  const renamed = await sign(claims(), 'Ed25519', ed.privateKey);
  await expect(edwards.authenticate(bearer(renamed))).rejects.toMatchObject({ code: 'invalid-jwt' });
});

describe('a key', () => {
  const okp = jwk(ed);
  test.each<[string, Record<string, unknown>]>([
    ['of RSA', jwk(rsa)],
    ['of a curve', jwk(ec)],
    ['of Edwards', okp],
    ['private', rsa.privateKey.export({ format: 'jwk' })],
    ['shared', { kty: 'oct', k: zeros(32) }],
    [
      'with all there is to say',
      { ...certifiedKey, use: 'sig', key_ops: ['verify'], alg: 'RS256', kid: 'a', x5c: [x5c] },
    ],
    ['with nulls', { ...jwk(rsa), use: null, key_ops: null, alg: null, kid: null, x5c: null, x5t: null }],
    ['for encryption', { ...jwk(rsa), use: 'enc', alg: 'RSA-OAEP-256' }],
  ])('is read: %s', (_, value) => {
    expect(parseJwk(value).key.type).toMatch(/public|secret/);
  });

  test.each<[string, unknown]>([
    ['nothing', null],
    ['of an unknown type', { kty: 'AKP' }],
    ['of an unknown curve', { ...okp, crv: 'Ed1' }],
    ['a modulus with a leading zero', { kty: 'RSA', n: zeros(256), e: 'AQAB' }],
    ['an exponent in padding', { ...jwk(rsa), e: 'AQAB=' }],
    ['a coordinate too short', { ...jwk(ec), x: zeros(31) }],
    ['a point that is not on the curve', { ...jwk(ec), x: zeros(32) }],
    ['an Edwards point too long', { ...okp, x: zeros(33) }],
    ['a private exponent that is null', { ...jwk(rsa), d: null }],
    ['one prime alone', { ...jwk(rsa), d: 'AQAB', p: 'AQAB' }],
    ['a null address of certificates', { ...jwk(rsa), x5u: null }],
    ['a use that is none', { ...jwk(rsa), use: 'verify' }],
    ['an operation that is none', { ...jwk(rsa), key_ops: ['sig'] }],
    ['a number for its id', { ...jwk(rsa), kid: 1 }],
    ['the certificate of another key', { ...jwk(ec), x5c: [x5c] }],
    ['a short thumbprint', { ...jwk(rsa), x5t: zeros(4) }],
  ])('is not read: %s', (_, value) => {
    expect(() => parseJwk(value)).toThrow();
  });
});

test.each([
  ...[
    'a:',
    'urn:a:b',
    'https://a.example',
    'http://u:p@a:80/b/c;d?e/f?#g',
    'http://[::1]/',
    'a:/b',
    'http://',
  ],
])('%j is a URI', (text) => expect(isUri(text)).toBe(true));

test.each([
  ...[
    '',
    'a',
    ':',
    '1a:b',
    'a:b c',
    'a:|',
    'a:%',
    'a:%zz',
    'http://[::1',
    'http://[1.2]/',
    'http://a:b/',
    'a:é',
  ],
  ...['http://a/b#c#d', 'a:[', `http://${'a'.repeat(256)}/`],
])('%j is none', (text) => expect(isUri(text)).toBe(false));

test('a URI is shown without its password', () => {
  expect(showStringOrUri('https://u:p:q@a.example/x:y@z')).toBe('https://u:...@a.example/x:y@z');
  for (const same of ['https://u@a', 'https://u:@a', 'https://a/u:p@b', 'u:p@a', 'plain'])
    expect(showStringOrUri(same)).toBe(same);
});
