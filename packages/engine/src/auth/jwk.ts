/**
 * JSON Web Keys as Hasura's JOSE library reads them. It takes no key with a member of the wrong type, and no set
 * with such a key.
 */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { decodeBase64url } from './base64.ts';
import { certificateKey } from './certificate.ts';
import { isUri } from './uri.ts';

const bytes = z.string().transform((text, context): Buffer => {
  const decoded = decodeBase64url(text);
  if (decoded !== undefined) return decoded;
  context.addIssue({ code: 'custom', message: 'expected base64url without padding' });
  return z.NEVER;
});
const bytesOf = (...lengths: readonly number[]) =>
  bytes.refine(({ length }) => lengths.includes(length), `expected ${lengths.join(' or ')} bytes`);
/** A number in as few bytes as it has. */
const integer = bytes.refine(
  (value) => value.length > 0 && (value[0] !== 0 || value.length === 1),
  'expected a number without leading zeros',
);

export const uri = z.string().refine(isUri, 'expected a URI');
export const thumbprint = bytesOf(20);
export const sha256Thumbprint = bytesOf(32);
export const certificates = z
  .array(
    z.string().transform((text, context): KeyObject => {
      const key = certificateKey(text);
      if (key !== undefined) return key;
      context.addIssue({ code: 'custom', message: 'expected an X.509 certificate in base64' });
      return z.NEVER;
    }),
  )
  .min(1);

const ALGORITHMS = [
  ...['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'ES256K'],
  ...['PS256', 'PS384', 'PS512', 'none', 'EdDSA', 'RSA1_5', 'RSA-OAEP', 'RSA-OAEP-256', 'dir', 'ECDH-ES'],
  ...['A128KW', 'A192KW', 'A256KW', 'ECDH-ES+A128KW', 'ECDH-ES+A192KW', 'ECDH-ES+A256KW'],
  ...['A128GCMKW', 'A192GCMKW', 'A256GCMKW'],
  ...['PBES2-HS256+A128KW', 'PBES2-HS384+A192KW', 'PBES2-HS512+A256KW'],
] as const;
const OPERATIONS = [
  ...['sign', 'verify', 'encrypt', 'decrypt', 'wrapKey', 'unwrapKey', 'deriveKey', 'deriveBits'],
] as const;

const common = z.looseObject({
  use: z.enum(['sig', 'enc']).nullish(),
  key_ops: z.array(z.enum(OPERATIONS)).nullish(),
  alg: z.enum(ALGORITHMS).nullish(),
  kid: z.string().nullish(),
  x5u: uri.optional(),
  x5c: certificates.nullish(),
  x5t: thumbprint.nullish(),
  'x5t#S256': sha256Thumbprint.nullish(),
});

const CURVE_BYTES = { 'P-256': 32, 'P-384': 48, 'P-521': 66, secp256k1: 32 } as const;
const ec = z
  .object({
    kty: z.literal('EC'),
    crv: z.enum(['P-256', 'P-384', 'P-521', 'secp256k1']),
    x: bytes,
    y: bytes,
    d: bytes.nullish(),
  })
  .refine(
    ({ crv, x, y, d }) => [x, y, d ?? x].every(({ length }) => length === CURVE_BYTES[crv]),
    'expected coordinates of as many bytes as the curve has',
  );

const privateRsa = z.object({ d: integer });
const primes = z.object({
  p: integer,
  q: integer,
  dp: integer,
  dq: integer,
  qi: integer,
  oth: z
    .array(z.object({ r: integer, d: integer, t: integer }))
    .min(1)
    .nullish(),
});
const rsa = z.looseObject({ kty: z.literal('RSA'), n: integer, e: integer });

const OKP_BYTES = { Ed25519: 32, X25519: 32, Ed448: 57, X448: 56 } as const;
const okp = z
  .object({
    kty: z.literal('OKP'),
    crv: z.enum(['Ed25519', 'X25519', 'Ed448', 'X448']),
    x: bytes,
    d: bytes.nullish(),
  })
  .refine(
    ({ crv, x, d }) => [x, d ?? x].every(({ length }) => length === OKP_BYTES[crv]),
    'expected keys of as many bytes as the curve has',
  );
const oct = z.object({ kty: z.literal('oct'), k: bytes });
const material = z.looseObject({ kty: z.enum(['EC', 'RSA', 'oct', 'OKP']) });
const READERS = { EC: ec, RSA: rsa, oct, OKP: okp } as const;

export interface Jwk {
  readonly key: KeyObject;
  readonly use: 'sig' | 'enc' | undefined;
  readonly operations: readonly string[] | undefined;
}

/** @throws {z.ZodError} for what is no such key; what is wrong with a curve's point comes as `Error` */
export function parseJwk(value: unknown): Jwk {
  const { kty } = material.parse(value);
  READERS[kty].parse(value);
  if (kty === 'RSA') checkPrivateRsa(value);
  const { use, key_ops: operations, x5c } = common.parse(value);
  const key = importKey(kty, value);
  const [first] = x5c ?? [];
  if (first !== undefined && !first.equals(key))
    throw new Error('the first certificate of "x5c" is of another key');
  return { key, use: use ?? undefined, operations: operations ?? undefined };
}

function checkPrivateRsa(value: unknown): void {
  const given = z.looseObject({}).parse(value);
  if (!('d' in given)) return;
  privateRsa.parse(given);
  if (['p', 'q', 'dp', 'dq', 'qi', 'oth'].some((name) => name in given)) primes.parse(given);
}

function importKey(kty: keyof typeof READERS, value: unknown): KeyObject {
  if (kty === 'oct') return createSecretKey(oct.parse(value).k);
  // The public half alone: a private key may be broken in ways that only signing would find.
  return createPublicKey({ key: publicHalf.parse(value), format: 'jwk' });
}

const publicHalf = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('RSA'), n: z.string(), e: z.string() }),
  z.object({ kty: z.literal('EC'), crv: z.string(), x: z.string(), y: z.string() }),
  z.object({ kty: z.literal('OKP'), crv: z.string(), x: z.string() }),
]);
