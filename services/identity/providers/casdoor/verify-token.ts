import { decodeProtectedHeader } from 'jose';
import type { CasdoorConfig } from '../../core/config.ts';
import { isJsonObject } from '../../core/payload.ts';
import { grant } from '../claims.ts';
import { jwtVerifier, refused } from '../jwt.ts';
import type { KeySource } from '../key-source.ts';
import type { VerifiedToken } from '../provider.ts';
import { isKept } from './lookup.ts';

/**
 * Makes the function that verifies Casdoor's access tokens, of any token format. Those of JWT and, where
 * it is set up so, of JWT-Custom tell the user's roles.
 *
 * Refresh tokens are JWTs of the same key, issuer, audience and subject. They say so in `tokenType`,
 * except those of format JWT-Custom, which say `access-token` and give themselves away by a second
 * claim, `TokenType`. None of them names its key, as every access token does.
 */
export function casdoorTokenVerifier(
  config: Pick<CasdoorConfig, 'issuer' | 'audience' | 'organizations'>,
  keys: Pick<KeySource, 'find'>,
  allowedRoles: readonly string[],
): (token: string) => Promise<VerifiedToken> {
  const { issuer, audience } = config;
  // A shared application's audience is its Client ID and the user's organization.
  const clients = new Set(audience.map((one) => one.replace(/-org-.*$/, '')));
  const verify = jwtVerifier(keys, {
    issuer,
    audience: [...audience],
    algorithms: ['RS256', 'RS512', 'ES256', 'ES384', 'ES512'],
  });

  return async (token) => {
    const { sub, exp, iat, azp, owner, tokenType, TokenType, roles } = await verify(token);
    if (tokenType !== 'access-token' || TokenType !== undefined || !('kid' in decodeProtectedHeader(token))) {
      throw refused('it is no access token');
    }
    if (typeof azp !== 'string' || !clients.has(azp)) {
      throw refused('its application is not one of CASDOOR_AUDIENCE');
    }
    // An application's own token is in the name of `admin/<application>`; people have UUIDs.
    if (sub.includes('/')) throw refused('it belongs to a machine and not to a user');
    // In every format tokens tell the organization that owns the user. Without it the id is nobody's.
    if (typeof owner !== 'string' || owner === '') throw refused('it names no owner');
    if (!isKept(config, owner)) {
      throw refused('the organization of its user is not one of CASDOOR_ORGANIZATIONS');
    }
    return {
      issuer,
      tenant: owner,
      subject: sub,
      expiresAt: exp * 1000,
      issuedAt: iat === undefined ? undefined : iat * 1000,
      ...grant(sub, { roles: namesOf(roles, owner) }, allowedRoles),
    };
  };
}

/**
 * Roles are objects in most token formats, and texts where JWT-Custom makes them so. Of objects those of
 * the user's own organization count, for another one may name anybody in its roles; texts do not tell.
 */
function namesOf(roles: unknown, owner: string): unknown[] {
  return (Array.isArray(roles) ? roles : []).flatMap((role: unknown) => {
    if (!isJsonObject(role)) return [role];
    return role.isEnabled === false || role.owner !== owner ? [] : [role.name];
  });
}
