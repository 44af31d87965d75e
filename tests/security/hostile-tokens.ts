import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  base64url,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  type JWK,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import type { Person } from '../support/three-providers.ts';

/** A token that must not be taken for its bearer's. */
export type HostileToken = {
  what: string;
  token: string;
  /**
   * Signed by the provider itself, and refused for what it says or leaves out: Hasura's own JWT mode does
   * not look, so that is for the hook.
   */
  onlyByHook?: boolean;
};

const strangers = generateKeyPairSync('rsa', { modulusLength: 2048 });
const strangersCurve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const json = (value: unknown) => base64url.encode(JSON.stringify(value));

/**
 * @param publicJwk what the provider publishes
 * @param attackersUrl where keys of the attacker's can be had, if anybody should ask
 * @param foreignIssuer that of another provider, which is trusted too
 */
export async function hostileTokens(
  person: Person,
  other: Person,
  publicJwk: JWK,
  attackersUrl: string,
  foreignIssuer: string,
): Promise<HostileToken[]> {
  const good = await person.token();
  const [head = '', body = '', signature = ''] = good.split('.');
  const header = decodeProtectedHeader(good);
  const claims = decodeJwt(good);
  const now = Math.floor(Date.now() / 1000);
  const list: HostileToken[] = [];
  const add = (what: string, token: string, more: Partial<HostileToken> = {}) =>
    list.push({ what: `${person.provider}: ${what}`, token, ...more });
  const bySomebodyElse = (
    parameters: Record<string, unknown>,
    key: KeyObject = strangers.privateKey,
    alg = 'RS256',
  ) => new SignJWT({ ...claims }).setProtectedHeader({ ...header, ...parameters, alg }).sign(key);

  // No signature.
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
    add(`alg "${alg}", no signature`, `${json({ ...header, alg })}.${body}.`);
    add(`alg "${alg}", an old signature`, `${json({ ...header, alg })}.${body}.${signature}`);
  }
  add('an unsecured JWT', new UnsecuredJWT({ ...claims }).encode());
  add('no alg', `${json({ typ: 'JWT', kid: header.kid })}.${body}.${signature}`);
  add('alg null', `${json({ ...header, alg: null })}.${body}.${signature}`);
  add('alg a list', `${json({ ...header, alg: ['none'] })}.${body}.`);

  // The public key as if it were a secret.
  const publicKey = createPublicKey({ key: { ...publicJwk }, format: 'jwk' });
  const pem = String(publicKey.export({ type: 'spki', format: 'pem' }));
  for (const [what, secret] of [
    ['PEM', pem],
    ['PEM without its last newline', pem.trimEnd()],
    ['PKCS #1', String(publicKey.export({ type: 'pkcs1', format: 'pem' }))],
    ['DER', publicKey.export({ type: 'spki', format: 'der' })],
    ['JWK', JSON.stringify(publicJwk)],
    ['modulus', publicJwk.n ?? ''],
  ] as const) {
    for (const alg of what === 'PEM' ? ['HS256', 'HS384', 'HS512'] : ['HS256']) {
      const parameters = { ...header, alg };
      add(
        `${alg} by the public key (${what})`,
        await new SignJWT({ ...claims }).setProtectedHeader(parameters).sign(Buffer.from(secret)),
      );
    }
  }

  // Another key, and invitations to trust it.
  const jwk = { ...(await exportJWK(strangers.publicKey)), kid: header.kid ?? 'x', use: 'sig', alg: 'RS256' };
  const url = `${attackersUrl}/jwks`;
  for (const [what, parameters] of Object.entries({
    'the right kid': {},
    'no kid': { kid: undefined },
    'another kid': { kid: 'somebody' },
    'a kid that is a path': { kid: '../../../../dev/null' },
    'a kid that is an address': { kid: url },
    'a kid that is SQL': { kid: "' or 1=1 --" },
    'its own key along (jwk)': { jwk },
    'its own key along, without a kid': { jwk, kid: undefined },
    'an address of its key (jku)': { jku: url },
    'an address of its certificate (x5u)': { x5u: url },
    'a certificate along (x5c)': {
      x5c: [strangers.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')],
    },
    'the thumbprint of a certificate': { x5t: 'abc', 'x5t#S256': 'abc' },
  })) {
    add(`another key, ${what}`, await bySomebodyElse(parameters));
  }
  add('another kind of key', await bySomebodyElse({}, strangersCurve.privateKey, 'ES256'));
  add('another padding', await bySomebodyElse({}, strangers.privateKey, 'PS256'));
  add('a longer hash', await bySomebodyElse({}, strangers.privateKey, 'RS512'));
  add(
    'a critical extension that nobody knows',
    `${json({ ...header, crit: ['x'], x: 1 })}.${body}.${signature}`,
  );
  add(
    'a payload that is not encoded',
    `${json({ ...header, b64: false, crit: ['b64'] })}.${body}.${signature}`,
  );

  // A good token, altered.
  const bytes = Buffer.from(signature, 'base64url');
  const flipped = Buffer.from(bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte))).toString('base64url');
  const [, , othersSignature = ''] = (await other.token()).split('.');
  for (const [what, token] of Object.entries({
    'somebody else’s id': `${head}.${json({ ...claims, sub: other.id })}.${signature}`,
    'a later end': `${head}.${json({ ...claims, exp: now + 1_000_000 })}.${signature}`,
    'role admin': `${head}.${json({ ...claims, 'https://hasura.io/jwt/claims': { 'x-hasura-allowed-roles': ['admin'], 'x-hasura-default-role': 'admin' } })}.${signature}`,
    'another header': `${json({ ...header, typ: 'JWT', x: 1 })}.${body}.${signature}`,
    'the signature of another': `${head}.${body}.${othersSignature}`,
    'a signature changed in one bit': `${head}.${body}.${flipped}`,
    'a signature cut off': `${head}.${body}.${signature.slice(0, -8)}`,
    'a signature of half its length': `${head}.${body}.${signature.slice(0, signature.length / 2)}`,
    'no signature': `${head}.${body}.`,
    'a signature of zeros': `${head}.${body}.${Buffer.alloc(256).toString('base64url')}`,
    'a longer signature': `${head}.${body}.${Buffer.concat([bytes, Buffer.from([0])]).toString('base64url')}`,
    'a fourth part': `${good}.${signature}`,
    'five parts': `${head}.${body}.${signature}.a.b`,
    'two parts': `${head}.${body}`,
    'no body': `${head}..${signature}`,
    'no header': `.${body}.${signature}`,
    'the parts swapped': `${body}.${head}.${signature}`,
    'the body of JSON': `${head}.${JSON.stringify(claims)}.${signature}`,
    'a body that is a list': `${head}.${json([claims])}.${signature}`,
    'a body that is nothing': `${head}.${json(null)}.${signature}`,
    'a body cut off': `${head}.${body.slice(0, -4)}.${signature}`,
    'spaces within': `${head}. ${body}.${signature}`,
    padding: `${head}==.${body}.${signature}`,
    'percent signs': good.replace('.', '%2e'),
    'a letter that looks alike': good.replace('e', '\u0435'),
    'an emoji': `${good}\u{1F511}`,
    'two tokens': `${good},${good}`,
    'a null byte at its end': `${head}.${body}.${signature}%00`,
    'much more of it': `${head}.${body}.${signature}${'A'.repeat(20_000)}`,
    nothing: '',
    dots: '..',
    words: 'null',
  })) {
    add(what, token);
  }

  // What the provider itself would never say, or says of another.
  const nextDoor = 'https://elsewhere.example';
  for (const [what, changes] of Object.entries({
    'another issuer': { iss: nextDoor },
    'an issuer with a slash more': { iss: `${claims.iss}/` },
    'an issuer in upper case': { iss: String(claims.iss).toUpperCase() },
    'an issuer that begins alike': { iss: `${claims.iss}.evil.example` },
    'the issuer of another provider': { iss: foreignIssuer },
    'an end in the past': { exp: now - 60 },
    'an end at the beginning of time': { exp: 0 },
    'a beginning in the future': { nbf: now + 600 },
  })) {
    add(what, await person.signed(changes));
  }
  for (const [what, changes] of Object.entries<Record<string, unknown>>({
    'no end': { exp: undefined },
    'an end that is a text': { exp: String(now + 600) },
    'no issuer': { iss: undefined },
    issuers: { iss: [claims.iss, nextDoor] },
    nobody: { sub: undefined },
    'an empty id': { sub: '' },
    'an id that is a number': { sub: 7 },
  })) {
    add(what, await person.signed(changes), { onlyByHook: true });
  }
  if (person.provider !== 'clerk') {
    for (const [what, changes] of Object.entries<Record<string, unknown>>({
      'another audience': { aud: 'another-client', azp: 'another-client' },
      'no audience': { aud: undefined },
      'an empty audience': { aud: '' },
      'no audience’s list': { aud: [] },
    })) {
      add(what, await person.signed(changes), { onlyByHook: true });
    }
  }
  if (person.provider === 'casdoor') {
    for (const [what, changes] of Object.entries<Record<string, unknown>>({
      'a refresh token by its type': { tokenType: 'refresh-token' },
      'a refresh token by its second type': { TokenType: 'refresh-token' },
      'no type': { tokenType: undefined },
      'another application': { azp: 'another-client' },
      'no application': { azp: undefined },
      'the application itself': { sub: 'admin/app-acme' },
    })) {
      add(what, await person.signed(changes), { onlyByHook: true });
    }
  }
  if (person.provider === 'cognito') {
    for (const [what, changes] of Object.entries<Record<string, unknown>>({
      'an access token': { token_use: 'access' },
      'a refresh token': { token_use: 'refresh' },
      'no use': { token_use: undefined },
    })) {
      add(what, await person.signed(changes), { onlyByHook: true });
    }
  }
  if (person.provider === 'clerk') {
    add('a session that is pending', await person.signed({ sts: 'pending' }), { onlyByHook: true });
    add('an OAuth access token', await person.signed({}, { typ: 'at+jwt' }), { onlyByHook: true });
  }
  return list;
}
