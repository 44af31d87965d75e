import { CLAIMS_NAMESPACE } from '@latchkey/core/jwt-secret';
import { decodeJwt, type JWTPayload } from 'jose';
import { isJsonObject, parsePayload } from '#core/payload.ts';
import { type Claims, grant, readClaims } from '#providers/claims.ts';
import { jwtVerifier, refused } from '#providers/jwt.ts';
import type { KeySource } from '#providers/key-source.ts';
import type { VerifiedToken } from '#providers/provider.ts';
import { issuerOf, type PoolPlace } from './pool.ts';
import type { CognitoConfig } from './settings.ts';

type Verify = (token: string) => Promise<VerifiedToken>;
type Kinds = Pick<CognitoConfig, 'clientIds' | 'tokenUse'>;

/** A pool, and its own keys: those of another one are no good for its tokens. */
export interface PoolKeys {
  readonly place: PoolPlace;
  readonly keys: Pick<KeySource, 'find'>;
}

/**
 * Makes the function that verifies tokens of the pools: each by the pool that it names as its issuer, of the
 * configured kind (ID or access) and for one of the configured app clients. It is good for users of that
 * pool alone.
 * Cognito's refresh tokens are no JWTs, and are refused as such.
 */
export function cognitoTokenVerifier(
  config: Kinds,
  pools: readonly [PoolKeys, ...PoolKeys[]],
  allowedRoles: readonly string[],
): Verify {
  const [first, ...others] = pools;
  const verifyFirst = poolVerifier(config, first, allowedRoles);
  const byIssuer = new Map(
    others.map((pool) => [issuerOf(pool.place), poolVerifier(config, pool, allowedRoles)]),
  );
  return (token) => (byIssuer.get(unverifiedIssuer(token)) ?? verifyFirst)(token);
}

/** It only says whose keys are to be tried. */
function unverifiedIssuer(token: string): string {
  try {
    return decodeJwt(token).iss ?? '';
  } catch {
    return '';
  }
}

function poolVerifier(
  { clientIds, tokenUse }: Kinds,
  { place, keys }: PoolKeys,
  allowedRoles: readonly string[],
): Verify {
  const issuer = issuerOf(place);
  const verify = jwtVerifier(keys, { issuer, algorithms: ['RS256'] });

  return async (token) => {
    const payload = await verify(token);
    if (payload.token_use !== tokenUse) {
      throw refused(`it is not the ${tokenUse} token that COGNITO_TOKEN_USE asks for`);
    }
    // ID tokens name their app client in aud, access tokens in client_id.
    const client = tokenUse === 'id' ? payload.aud : payload.client_id;
    if (typeof client !== 'string' || !clientIds.includes(client)) {
      throw refused('its app client is not one of COGNITO_CLIENT_IDS');
    }
    if (payload.sub === client) throw refused('it belongs to a machine and not to a user');
    return {
      issuer,
      tenant: place.userPoolId,
      subject: payload.sub,
      expiresAt: payload.exp * 1000,
      issuedAt: payload.iat === undefined ? undefined : payload.iat * 1000,
      ...grant(payload.sub, claimed(payload), allowedRoles),
    };
  };
}

/**
 * What the Pre token generation trigger added: an object, or (V1_0) one text of JSON. It has made roles
 * of the groups already; without it the groups' names count.
 */
function claimed(payload: JWTPayload): Claims {
  const claims = payload[CLAIMS_NAMESPACE];
  const object = typeof claims === 'string' ? parsePayload(claims).value : claims;
  const { variables, roles } = readClaims(isJsonObject(object) ? object : {});
  const groups = payload['cognito:groups'];
  return { variables, roles: roles ?? (Array.isArray(groups) ? groups : undefined) };
}
