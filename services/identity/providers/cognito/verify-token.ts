import type { JWTPayload } from 'jose';
import type { CognitoConfig } from '../../core/config.ts';
import { isJsonObject, parsePayload } from '../../core/payload.ts';
import { jwtVerifier, refused } from '../jwt.ts';
import type { VerifiedToken } from '../provider.ts';
import { CLAIMS_NAMESPACE } from './engine-auth.ts';
import { issuerOf } from './pool.ts';

/** The headings of Hasura's own that no claim may fill. */
const NOT_FROM_CLAIMS = [
  'x-hasura-admin-secret',
  'x-hasura-allowed-roles',
  'x-hasura-default-role',
  'x-hasura-role',
];

/**
 * Makes the function that verifies a pool's tokens: of the configured kind (ID or access) and for one
 * of the configured app clients. The role is always `user`: nothing that a token says can raise it.
 * Cognito's refresh tokens are no JWTs, and are refused as such.
 */
export function cognitoTokenVerifier(
  config: Pick<CognitoConfig, 'userPoolId' | 'endpoint' | 'clientIds' | 'tokenUse'>,
): (token: string) => Promise<VerifiedToken> {
  const { clientIds, tokenUse } = config;
  const issuer = issuerOf(config);
  const verify = jwtVerifier(
    {
      url: `${issuer}/.well-known/jwks.json`,
      provider: 'Cognito',
      mend: 'check COGNITO_USER_POOL_ID (or COGNITO_ENDPOINT) and the way to it',
    },
    { issuer, algorithms: ['RS256'] },
  );

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
      subject: payload.sub,
      expiresAt: payload.exp * 1000,
      sessionVariables: { ...claimed(payload), 'x-hasura-user-id': payload.sub, 'x-hasura-role': 'user' },
    };
  };
}

/** What the Pre token generation trigger added: an object, or (V1_0) one text of JSON. */
function claimed(payload: JWTPayload): Record<string, string> {
  const claims = payload[CLAIMS_NAMESPACE];
  const object = typeof claims === 'string' ? parsePayload(claims).value : claims;
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(isJsonObject(object) ? object : {})) {
    const key = name.toLowerCase();
    if (key.startsWith('x-hasura-') && typeof value === 'string' && !NOT_FROM_CLAIMS.includes(key)) {
      variables[key] = value;
    }
  }
  return variables;
}
