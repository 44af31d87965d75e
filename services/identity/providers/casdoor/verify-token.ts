import { decodeProtectedHeader } from 'jose';
import type { CasdoorConfig } from '../../core/config.ts';
import { jwtVerifier, refused } from '../jwt.ts';
import type { VerifiedToken } from '../provider.ts';
import { casdoorKeysUrl, fetchCasdoorKeys } from './keys.ts';

/**
 * Makes the function that verifies Casdoor's access tokens, of any token format. The role is always
 * `user`: nothing that a token says can raise it.
 *
 * Refresh tokens are JWTs of the same key, issuer, audience and subject. They say so in `tokenType`,
 * except those of format JWT-Custom, which say `access-token` and give themselves away by a second
 * claim, `TokenType`. None of them names its key, as every access token does.
 */
export function casdoorTokenVerifier(
  config: Pick<CasdoorConfig, 'endpoint' | 'issuer' | 'application' | 'audience'>,
): (token: string) => Promise<VerifiedToken> {
  const { issuer, audience } = config;
  // A shared application's audience is its Client ID and the user's organization.
  const clients = new Set(audience.map((one) => one.replace(/-org-.*$/, '')));
  const verify = jwtVerifier(
    {
      url: casdoorKeysUrl(config),
      fetch: fetchCasdoorKeys,
      provider: 'Casdoor',
      mend: 'check CASDOOR_ENDPOINT and CASDOOR_APPLICATION, and the way to Casdoor',
    },
    {
      issuer,
      audience: [...audience],
      algorithms: ['RS256', 'RS512', 'ES256', 'ES384', 'ES512'],
    },
  );

  return async (token) => {
    const { sub, exp, azp, tokenType, TokenType } = await verify(token);
    if (tokenType !== 'access-token' || TokenType !== undefined || !('kid' in decodeProtectedHeader(token))) {
      throw refused('it is no access token');
    }
    if (typeof azp !== 'string' || !clients.has(azp)) {
      throw refused('its application is not one of CASDOOR_AUDIENCE');
    }
    // An application's own token is in the name of `admin/<application>`; people have UUIDs.
    if (sub.includes('/')) throw refused('it belongs to a machine and not to a user');
    return {
      issuer,
      subject: sub,
      expiresAt: exp * 1000,
      sessionVariables: { 'x-hasura-user-id': sub, 'x-hasura-role': 'user' },
    };
  };
}
