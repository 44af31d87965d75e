import type { JWTPayload } from 'jose';
import type { CognitoConfig } from '../../core/config.ts';
import { isJsonObject, parsePayload } from '../../core/payload.ts';
import { CLAIMS_NAMESPACE, type Claims, grant, readClaims } from '../claims.ts';
import { jwtVerifier, refused } from '../jwt.ts';
import type { KeySource } from '../key-source.ts';
import type { VerifiedToken } from '../provider.ts';
import { issuerOf } from './pool.ts';

/**
 * Makes the function that verifies a pool's tokens: of the configured kind (ID or access) and for one
 * of the configured app clients.
 * Cognito's refresh tokens are no JWTs, and are refused as such.
 */
export function cognitoTokenVerifier(
  config: Pick<CognitoConfig, 'userPoolId' | 'endpoint' | 'clientIds' | 'tokenUse'>,
  keys: Pick<KeySource, 'find'>,
  allowedRoles: readonly string[],
): (token: string) => Promise<VerifiedToken> {
  const { clientIds, tokenUse } = config;
  const issuer = issuerOf(config);
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
      tenant: config.userPoolId,
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
