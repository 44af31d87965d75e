import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import { LatchkeyError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/payload.ts';
import type { VerifiedToken } from '../provider.ts';
import { CLAIMS_NAMESPACE } from './engine-auth.ts';

const CLOCK_SKEW_SECONDS = 5;

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
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));

  return async (token) => {
    // Clerk signs OAuth access tokens with the same keys; their `typ` is another.
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      typ: 'JWT',
      algorithms: ['RS256'],
      requiredClaims: ['exp', 'sub'],
      clockTolerance: CLOCK_SKEW_SECONDS,
    }).catch(explain);
    const { sub, exp, azp } = payload;
    if (typeof sub !== 'string' || sub === '' || exp === undefined) throw refused('it names no user');
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

function explain(error: unknown): never {
  if (error instanceof errors.JWTExpired) throw refused('it has expired', error);
  if (
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    !(error instanceof errors.JOSEError)
  ) {
    throw unreachable(error);
  }
  // jose tells a key set that was not answered with 200 by this bare error.
  if (error.code === 'ERR_JOSE_GENERIC') throw unreachable(error);
  throw refused('its signature or claims do not hold', error);
}

function refused(why: string, cause?: unknown): LatchkeyError {
  return new LatchkeyError('token-invalid', `The token is refused: ${why}. Sign in again for a new one.`, {
    cause,
  });
}

function unreachable(cause: unknown): LatchkeyError {
  return new LatchkeyError(
    'provider-unreachable',
    'Clerk’s keys cannot be had: check CLERK_PUBLISHABLE_KEY (or CLERK_FRONTEND_API_URL) and the way to it.',
    { cause },
  );
}
