/**
 * Verifies a JWT as Hasura does: the signature by any key of the set (`kid` is ignored), then `exp`, `iat`,
 * `nbf`, `iss` and `aud`. A claim that the token lacks is not checked.
 */
import type { KeyObject } from 'node:crypto';
import { compactVerify } from 'jose';
import { z } from 'zod';
import { EngineError } from '#base/errors.ts';
import type { JwtConfig } from './jwt-config.ts';
import type { KeySet } from './keys.ts';

export type ClaimSet = Readonly<Record<string, unknown>>;

const REMEMBERED_TOKENS = 1000;
const CURVES: Readonly<Record<string, string>> = {
  ES256: 'prime256v1',
  ES384: 'secp384r1',
  ES512: 'secp521r1',
};

const header = z.looseObject({ alg: z.string() });
/** A registered claim that is null counts as missing. */
const optional = <Value extends z.ZodType>(value: Value) =>
  value.nullish().transform((given) => given ?? undefined);
const date = optional(z.number());
const registered = z.looseObject({
  exp: date,
  iat: date,
  nbf: date,
  iss: optional(z.string()),
  sub: optional(z.string()),
  aud: optional(z.union([z.string().transform((one) => [one]), z.array(z.string())])),
});

type Registered = z.output<typeof registered>;
const claimSet = z.record(z.string(), z.unknown());
const unverified = z.looseObject({ iss: z.string().optional() });

const fail = (why: string) => new EngineError('invalid-jwt', `Could not verify JWT: ${why}`);

export interface TokenVerifier {
  /**
   * @returns the token's claims
   * @throws {EngineError} `invalid-jwt`
   */
  verify(token: string): Promise<ClaimSet>;
}

/**
 * @param config whose `audience`, `issuer` and skew apply
 * @param keySet what signatures are checked with; remembered tokens are forgotten when it changes
 */
export function createVerifier(config: JwtConfig, keySet: KeySet): TokenVerifier {
  // A signature that verified stays true while the keys stay: it is checked once per token, the clock every time.
  const verified = new Map<string, VerifiedToken>();
  let version = keySet.version();
  return {
    async verify(token) {
      if (version !== keySet.version()) {
        verified.clear();
        version = keySet.version();
      }
      let known = verified.get(token);
      if (known === undefined) {
        // Whose token it is comes first: the error for a stranger's is not about its signature.
        const issuer = unverifiedIssuer(token);
        if (config.issuer !== undefined && issuer !== undefined && issuer !== config.issuer) {
          throw fail('JWTNotInIssuer');
        }
        known = await verifySignature(token, keySet.keys());
        if (verified.size >= REMEMBERED_TOKENS) verified.clear();
        verified.set(token, known);
      }
      checkClaims(known.registered, config);
      return known.claims;
    },
  };
}

interface VerifiedToken {
  readonly claims: ClaimSet;
  readonly registered: Registered;
}

async function verifySignature(token: string, keys: readonly KeyObject[]): Promise<VerifiedToken> {
  const parts = token.split('.');
  if (parts.length !== 3) {
    throw fail(
      `JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got ${parts.length})`,
    );
  }
  const algorithm = header.safeParse(decodeJson(parts[0] ?? ''));
  if (!algorithm.success) throw fail('JWSError (JSONDecodeError "invalid header")');
  const { alg } = algorithm.data;
  if (alg === 'none') throw fail('JWSError JWSNoSignatures');
  if (keys.length === 0) throw fail('JWSError NoUsableKeys');
  for (const key of keys) {
    if (!fits(key, alg)) continue;
    try {
      const { payload } = await compactVerify(token, key, { algorithms: [alg] });
      const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
      const parsed = registered.safeParse(claims);
      if (!parsed.success) throw fail('JWTClaimsSetDecodeError "malformed claims"');
      return { claims: claimSet.parse(claims), registered: parsed.data };
    } catch (error) {
      if (error instanceof EngineError) throw error;
      if (error instanceof SyntaxError) throw fail('JWTClaimsSetDecodeError "malformed claims"');
      // The wrong key of several is the ordinary case.
    }
  }
  throw fail('JWSError JWSInvalidSignature');
}

/**
 * Whether `alg` is one for this kind of key: a public key must never serve as an HMAC secret, and a secret must
 * be as long as the hash. Of the algorithms that it is long enough for, Hasura takes each, whatever `type` says.
 */
function fits(key: KeyObject, alg: string): boolean {
  if (key.type === 'secret') {
    const bits = Number(/^HS(256|384|512)$/.exec(alg)?.[1] ?? Number.NaN);
    return (key.symmetricKeySize ?? 0) * 8 >= bits;
  }
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return /^[RP]S(256|384|512)$/.test(alg);
    case 'ec':
      return CURVES[alg] === key.asymmetricKeyDetails?.namedCurve;
    case 'ed25519':
      return alg === 'EdDSA' || alg === 'Ed25519';
    default:
      return false;
  }
}

function checkClaims(
  { exp, iat, nbf, iss, aud }: Registered,
  { skewSeconds, issuer, audience }: JwtConfig,
): void {
  const now = Date.now() / 1000;
  const skew = Math.abs(skewSeconds);
  if (exp !== undefined && now >= exp + skew) throw fail('JWTExpired');
  if (iat !== undefined && now < iat - skew) throw fail('JWTIssuedAtFuture');
  if (nbf !== undefined && now < nbf - skew) throw fail('JWTNotYetValid');
  if (iss !== undefined && issuer !== undefined && iss !== issuer) throw fail('JWTNotInIssuer');
  if (aud !== undefined && audience !== undefined && !aud.some((one) => audience.includes(one))) {
    throw fail('JWTNotInAudience');
  }
}

/** The `iss` of a token that nobody has verified yet; undefined where there is none to be read. */
function unverifiedIssuer(token: string): string | undefined {
  return unverified.safeParse(decodeJson(token.split('.')[1] ?? '')).data?.iss;
}

function decodeJson(base64url: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64url, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
