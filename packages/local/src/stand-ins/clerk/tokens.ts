import { randomBytes } from 'node:crypto';
import { CLAIMS_NAMESPACE } from '@latchkey/core/jwt-secret';

export type TokenOptions = {
  /** The user's active organization and their role in it, if they have chosen one. */
  organization?: { id: string; role: string } | undefined;
  /** How long it is good for, from now; negative for one that has expired. Clerk's default is 60. */
  lifetimeSeconds?: number | undefined;
  /** Overrides, for tokens that Clerk would never make. */
  claims?: Record<string, unknown> | undefined;
  hasuraClaims?: Record<string, unknown> | undefined;
};

/** The payload of `getToken({ template: "hasura" })`, with the claims that latchkey jwt-secret prints. */
export function templatePayload(
  issuer: string,
  userId: string,
  options: TokenOptions = {},
): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  const lifetime = options.lifetimeSeconds ?? 60;
  const issuedAt = Math.min(now, now + lifetime - 1);
  return {
    azp: 'http://localhost:3000',
    exp: now + lifetime,
    iat: issuedAt,
    iss: issuer,
    jti: randomBytes(10).toString('hex'),
    nbf: issuedAt - 10,
    sub: userId,
    [CLAIMS_NAMESPACE]: {
      'x-hasura-allowed-roles': ['user'],
      'x-hasura-default-role': 'user',
      'x-hasura-user-id': userId,
      'x-hasura-org-id': options.organization?.id ?? '',
      'x-hasura-org-role': options.organization?.role ?? '',
      'x-hasura-identity-provider': 'clerk',
      ...options.hasuraClaims,
    },
    ...options.claims,
  };
}
