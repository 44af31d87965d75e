import { decodeProtectedHeader } from 'jose';
import { isJsonObject } from '#core/payload.ts';
import type { StoredState } from '#core/stored-state.ts';
import { grant } from '#providers/claims.ts';
import { jwtVerifier, refused, tokenError } from '#providers/jwt.ts';
import type { KeySource } from '#providers/key-source.ts';
import type { VerifiedToken } from '#providers/provider.ts';
import { isKept } from './lookup.ts';
import type { CasdoorConfig } from './settings.ts';

/**
 * Makes the function that verifies Casdoor's access tokens, of any token format. Those of JWT and, where
 * it is set up so, of JWT-Custom tell the user's roles.
 *
 * Refresh tokens are JWTs of the same key, issuer, audience and subject. They say so in `tokenType`,
 * except those of format JWT-Custom, which say `access-token` and give themselves away by a second
 * claim, `TokenType`. None of them names its key, as every access token does.
 *
 * @param stored asked only about roles that the token gives as texts
 */
export function casdoorTokenVerifier(
  config: Pick<CasdoorConfig, 'issuer' | 'audience' | 'organizations'>,
  keys: Pick<KeySource, 'find'>,
  stored: Pick<StoredState, 'ownerOf'>,
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
      throw tokenError('its application is not one of CASDOOR_AUDIENCE');
    }
    // An application's own token is in the name of `admin/<application>`, an owner that no user has.
    if (owner === 'admin' || (owner === undefined && sub.startsWith('admin/'))) {
      throw tokenError('it is an application’s own and belongs to no user');
    }
    // Without it the id is nobody's. JWT-Custom tells it only if it is told to.
    if (typeof owner !== 'string' || owner === '') {
      throw tokenError(
        'it does not tell its user’s organization: at Casdoor choose the token format JWT-Empty or JWT-Standard, or add Owner to the Token fields of JWT-Custom',
      );
    }
    if (!isKept(config, owner)) {
      throw tokenError('the organization of its user is not one of CASDOOR_ORGANIZATIONS');
    }
    // Actions and Casdoor's API would take it for a path.
    if (sub.includes('/')) {
      throw tokenError('its user’s id holds a slash: give the user another id at Casdoor');
    }
    const names = namesOf(roles, owner);
    const allowed = allowedRoles.filter((role) => names.own.includes(role));
    const uncertain = allowedRoles.filter((role) => names.uncertain.includes(role));
    if (uncertain.length > 0) allowed.push(...(await syncedAmong(uncertain, { tenant: owner, id: sub })));
    return {
      issuer,
      tenant: owner,
      subject: sub,
      expiresAt: exp * 1000,
      issuedAt: iat === undefined ? undefined : iat * 1000,
      ...grant(sub, { roles: allowed }, allowedRoles),
    };
  };

  /** Another organization may name anybody in its roles, and a text does not tell whose role it is: the row does. */
  async function syncedAmong(
    roles: readonly string[],
    { tenant, id }: { readonly tenant: string; readonly id: string },
  ): Promise<string[]> {
    const row = await stored.ownerOf(id);
    if (row?.provider !== 'casdoor' || row.tenant !== tenant || row.deleted) return [];
    return roles.filter((role) => row.roles?.includes(role));
  }
}

/**
 * Roles are objects in most token formats, and texts where JWT-Custom makes them so. Of objects those count
 * that are enabled and of the user's own organization; texts tell neither.
 */
function namesOf(roles: unknown, owner: string): { own: unknown[]; uncertain: unknown[] } {
  const all: unknown[] = Array.isArray(roles) ? roles : [];
  return {
    own: all.flatMap((role) =>
      isJsonObject(role) && role.isEnabled !== false && role.owner === owner ? [role.name] : [],
    ),
    uncertain: all.filter((role) => typeof role === 'string'),
  };
}
