import type { JWTPayload } from 'jose';
import { isJsonObject } from '../../core/payload.ts';
import { jwtVerifier, refused } from '../jwt.ts';
import type { VerifiedToken } from '../provider.ts';
import { CLAIMS_NAMESPACE } from './engine-auth.ts';

/**
 * Makes the function that verifies Clerk's tokens: those of the JWT template and plain session tokens.
 * The role is always `user`: nothing that a token says can raise it.
 *
 * @param issuer the Frontend API URL
 * @param authorizedParties origins whose tokens (`azp`) are accepted; all if empty
 */
export function clerkTokenVerifier(
  issuer: string,
  authorizedParties: readonly string[],
): (token: string) => Promise<VerifiedToken> {
  const verify = jwtVerifier(
    {
      url: `${issuer}/.well-known/jwks.json`,
      provider: 'Clerk',
      mend: 'check CLERK_PUBLISHABLE_KEY (or CLERK_FRONTEND_API_URL) and the way to it',
    },
    // Clerk signs OAuth access tokens with the same keys; their `typ` is another.
    { issuer, typ: 'JWT', algorithms: ['RS256'] },
  );

  return async (token) => {
    const payload = await verify(token);
    const { sub, exp, azp } = payload;
    if (payload.sts === 'pending') throw refused('its session is still pending');
    if (authorizedParties.length > 0 && !(typeof azp === 'string' && authorizedParties.includes(azp))) {
      throw refused('its azp is not one of CLERK_AUTHORIZED_PARTIES');
    }
    return { issuer, subject: sub, expiresAt: exp * 1000, sessionVariables: sessionVariables(sub, payload) };
  };
}

function sessionVariables(subject: string, payload: JWTPayload): Record<string, string> {
  const variables: Record<string, string> = {};
  const claims = payload[CLAIMS_NAMESPACE];
  for (const [name, value] of Object.entries(isJsonObject(claims) ? claims : organizationOf(payload))) {
    if (/^x-hasura-/i.test(name) && typeof value === 'string') variables[name.toLowerCase()] = value;
  }
  delete variables['x-hasura-default-role'];
  delete variables['x-hasura-admin-secret'];
  return { ...variables, 'x-hasura-user-id': subject, 'x-hasura-role': 'user' };
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
