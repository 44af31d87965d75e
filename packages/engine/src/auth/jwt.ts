/**
 * Verifies a JWT as Hasura does: the signature by any key of the set (`kid` is ignored), then `exp`, `iat`,
 * `nbf`, `iss` and `aud`. A claim that the token lacks is not checked.
 */
import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { decodeBase64url } from './base64.ts';
import { invalidJwt, parseJsonBytes, parseJws } from './jws.ts';
import type { JwtConfig } from './jwt-config.ts';
import type { KeySet } from './keys.ts';
import { verifies } from './signature.ts';
import { isStringOrUri } from './uri.ts';

export type ClaimSet = Readonly<Record<string, unknown>>;

const REMEMBERED_TOKENS = 1000;
/** A registered claim that is null counts as missing. */
const optional = <Value extends z.ZodType>(value: Value) =>
  value.nullish().transform((given) => given ?? undefined);
const date = optional(z.number());
const stringOrUri = z.string().refine(isStringOrUri, 'expected a URI, or text without a colon');
const registered = z.looseObject({
  exp: date,
  iat: date,
  nbf: date,
  iss: optional(stringOrUri),
  sub: optional(stringOrUri),
  aud: optional(z.union([stringOrUri.transform((one) => [one]), z.array(stringOrUri)])),
  jti: optional(z.string()),
});

type Registered = z.output<typeof registered>;
const claimSet = z.record(z.string(), z.unknown());

export interface TokenVerifier {
  /**
   * @returns the token's claims
   * @throws {EngineError} `invalid-jwt`
   */
  verify(token: string): ClaimSet;
}

/**
 * @param config whose `audience`, `issuer` and skew apply
 * @param keySet what signatures are checked with; remembered tokens are forgotten when it changes
 */
export function createVerifier(config: JwtConfig, keySet: KeySet): TokenVerifier {
  // A signature that verified stays true while the keys stay: it is checked once per token, the clock every time.
  const verified = new LRUCache<string, Claims>({ max: REMEMBERED_TOKENS });
  let version = keySet.version();
  return {
    verify(token) {
      if (version !== keySet.version()) {
        verified.clear();
        version = keySet.version();
      }
      let known = verified.get(token);
      if (known === undefined) {
        // Whose token it is comes first: the error for a stranger's is not about its signature.
        const issuer = config.issuer === undefined ? undefined : unverifiedIssuer(token);
        if (issuer !== undefined && issuer !== config.issuer) throw invalidJwt('JWTNotInIssuer');
        known = verifySignature(token, keySet.keys());
        verified.set(token, known);
      }
      checkClaims(known.registered, config);
      return known.all;
    },
  };
}

interface Claims {
  readonly all: ClaimSet;
  readonly registered: Registered;
}

function verifySignature(token: string, keys: readonly KeyObject[]): Claims {
  const { alg, input, payload, signature } = parseJws(token);
  const claims = readClaims(payload);
  if (claims === undefined) throw invalidJwt('JWTClaimsSetDecodeError "malformed claims"');
  if (alg === 'none') throw invalidJwt('JWSError JWSNoSignatures');
  if (keys.length === 0) throw invalidJwt('JWSError NoUsableKeys');
  if (keys.some((key) => verifies(alg, key, input, signature))) return claims;
  throw invalidJwt('JWSError JWSInvalidSignature');
}

function readClaims(payload: Buffer): Claims | undefined {
  const all = claimSet.safeParse(parseJsonBytes(payload));
  const known = registered.safeParse(all.data);
  return all.success && known.success ? { all: all.data, registered: known.data } : undefined;
}

function checkClaims(
  { exp, iat, nbf, iss, aud }: Registered,
  { skewSeconds, issuer, audience }: JwtConfig,
): void {
  const now = Date.now() / 1000;
  const skew = Math.abs(skewSeconds);
  if (exp !== undefined && now >= exp + skew) throw invalidJwt('JWTExpired');
  if (iat !== undefined && now < iat - skew) throw invalidJwt('JWTIssuedAtFuture');
  if (nbf !== undefined && now < nbf - skew) throw invalidJwt('JWTNotYetValid');
  if (iss !== undefined && issuer !== undefined && iss !== issuer) throw invalidJwt('JWTNotInIssuer');
  // A token for nobody is for nobody, whoever is asked for.
  if (aud !== undefined && !aud.some((one) => audience === undefined || audience.includes(one)))
    throw invalidJwt('JWTNotInAudience');
}

/** The `iss` of a token that nobody has verified yet; undefined where there is none to be read. */
export function unverifiedIssuer(token: string): string | undefined {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  return readClaims(decodeBase64url(payload) ?? Buffer.alloc(0))?.registered.iss;
}
