import { generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import { type Authenticator, createAuthenticator } from '#auth/authenticator.ts';
import { silentLogger } from '#base/log.ts';

const SECRET = 'an-admin-secret';
export const NAMESPACE = 'https://hasura.io/jwt/claims';

export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const ed = generateKeyPairSync('ed25519');
export const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

export const claims = (extra: Record<string, unknown> = {}): JWTPayload => ({
  [NAMESPACE]: {
    'x-hasura-allowed-roles': ['user', 'editor'],
    'x-hasura-default-role': 'user',
    'x-hasura-user-id': 'u1',
    ...extra,
  },
});

export function sign(payload: JWTPayload, alg = 'RS256', key: KeyObject | Uint8Array = rsa.privateKey) {
  return new SignJWT(payload).setProtectedHeader({ alg, kid: 'not looked at' }).sign(key);
}

export const secondsFromNow = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

/** An engine's authentication, told as by the environment. */
export function jwtAuthenticator(
  jwt: Record<string, unknown> = {},
  unauthorizedRole: string | undefined = undefined,
): Promise<Authenticator> {
  const given = 'key' in jwt || 'jwk_url' in jwt ? {} : { type: 'RS256', key: pem(rsa.publicKey) };
  return createAuthenticator(
    {
      adminSecrets: [SECRET],
      jwtSecret: JSON.stringify({ ...given, ...jwt }),
      authHook: undefined,
      unauthorizedRole,
    },
    silentLogger,
  );
}

export const bearer = (token: string, ...more: [string, string][]): [string, string][] => [
  ['Authorization', `Bearer ${token}`],
  ...more,
];

/** A token whose header and payload are written as they are given, truly signed (RS256). */
export function signText(payload: string | Buffer, header: string | Buffer = '{"alg":"RS256"}'): string {
  const input = [header, payload].map((part) => Buffer.from(part).toString('base64url')).join('.');
  return `${input}.${signBytes('sha256', Buffer.from(input), rsa.privateKey).toString('base64url')}`;
}
