import { CLAIMS_NAMESPACE } from '@latchkey/core/jwt-secret';
import type { JWTPayload } from 'jose';
import { isJsonObject } from '#core/payload.ts';
import { type Claims, grant, readClaims } from '#providers/claims.ts';
import { jwtVerifier, tokenError } from '#providers/jwt.ts';
import type { KeySource } from '#providers/key-source.ts';
import type { VerifiedToken } from '#providers/provider.ts';

export interface ClerkTokenOptions {
  /** The Frontend API URL. */
  readonly issuer: string;
  readonly keys: Pick<KeySource, 'find'>;
  /** The instance whose tokens the issuer makes; empty where it is not known. */
  readonly tenant: string;
  /** The origins whose tokens (`azp`) are accepted; all if empty. */
  readonly authorizedParties: readonly string[];
  /** The roles that a token may give besides `user`. */
  readonly allowedRoles: readonly string[];
}

/** Makes the function that verifies Clerk's tokens: those of the JWT template and plain session tokens. */
export function clerkTokenVerifier({
  issuer,
  keys,
  tenant,
  authorizedParties,
  allowedRoles,
}: ClerkTokenOptions): (token: string) => Promise<VerifiedToken> {
  // Clerk signs OAuth access tokens with the same keys; their `typ` is another.
  const verify = jwtVerifier(keys, { issuer, typ: 'JWT', algorithms: ['RS256'] });

  return async (token) => {
    const payload = await verify(token);
    const { sub, exp, iat } = payload;
    if (payload.sts === 'pending') {
      throw tokenError(
        'its session is pending: the user must first do what Clerk asks of them, such as choosing an organization',
      );
    }
    if (authorizedParties.length > 0) requireParty(payload, authorizedParties);
    return {
      issuer,
      tenant,
      subject: sub,
      expiresAt: exp * 1000,
      issuedAt: iat === undefined ? undefined : iat * 1000,
      ...grant(sub, claimed(payload), allowedRoles),
    };
  };
}

/** Signing in again would bring the same token: what is said is what would not. */
function requireParty({ azp }: JWTPayload, parties: readonly string[]): void {
  if (typeof azp === 'string' && parties.includes(azp)) return;
  if (azp === undefined || azp === '') {
    throw tokenError(
      'it has no azp, for it was made without an Origin, by a native app or a server, and CLERK_AUTHORIZED_PARTIES lists the origins to accept. Ask for it from a page of one of them, or leave CLERK_AUTHORIZED_PARTIES empty to accept it',
    );
  }
  throw tokenError(
    'the origin in its azp is not one of CLERK_AUTHORIZED_PARTIES: ask for it from a page of one of them, or add the origin there',
  );
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
