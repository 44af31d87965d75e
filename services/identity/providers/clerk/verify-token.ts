import type { JWTPayload } from 'jose';
import { isJsonObject } from '../../core/payload.ts';
import { CLAIMS_NAMESPACE, type Claims, grant, readClaims } from '../claims.ts';
import { jwtVerifier, refused } from '../jwt.ts';
import type { KeySource } from '../key-source.ts';
import type { VerifiedToken } from '../provider.ts';

/**
 * Makes the function that verifies Clerk's tokens: those of the JWT template and plain session tokens.
 *
 * @param issuer the Frontend API URL
 * @param authorizedParties origins whose tokens (`azp`) are accepted; all if empty
 */
export function clerkTokenVerifier(
  issuer: string,
  authorizedParties: readonly string[],
  keys: Pick<KeySource, 'find'>,
  allowedRoles: readonly string[],
): (token: string) => Promise<VerifiedToken> {
  // Clerk signs OAuth access tokens with the same keys; their `typ` is another.
  const verify = jwtVerifier(keys, { issuer, typ: 'JWT', algorithms: ['RS256'] });

  return async (token) => {
    const payload = await verify(token);
    const { sub, exp, iat, azp } = payload;
    if (payload.sts === 'pending') throw refused('its session is still pending');
    if (authorizedParties.length > 0 && !(typeof azp === 'string' && authorizedParties.includes(azp))) {
      throw refused('its azp is not one of CLERK_AUTHORIZED_PARTIES');
    }
    return {
      issuer,
      tenant: '',
      subject: sub,
      expiresAt: exp * 1000,
      issuedAt: iat === undefined ? undefined : iat * 1000,
      ...grant(sub, claimed(payload), allowedRoles),
    };
  };
}

/**
 * The claims of the template, or else the organization of a plain session token. The role in the active
 * organization counts by its whole name, `org:…`.
 */
function claimed(payload: JWTPayload): Claims {
  const claims = payload[CLAIMS_NAMESPACE];
  const { variables, roles = [] } = readClaims(isJsonObject(claims) ? claims : organizationOf(payload));
  return { variables, roles: [...roles, variables['x-hasura-org-role']] };
}

/** The active organization of a plain session token: claim `o` in version 2, `org_…` in version 1. */
function organizationOf(payload: JWTPayload): Record<string, unknown> {
  const active = payload.o;
  if (isJsonObject(active)) {
    const role = typeof active.rol === 'string' ? `org:${active.rol}` : undefined;
    return { 'x-hasura-org-id': active.id, 'x-hasura-org-role': role };
  }
  return { 'x-hasura-org-id': payload.org_id, 'x-hasura-org-role': payload.org_role };
}
