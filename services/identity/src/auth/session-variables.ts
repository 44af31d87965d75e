import { claimText } from '@latchkey/core/claim-text';
import type { CustomClaim } from '@latchkey/core/settings/claims';
import { definitionOf } from '#providers/registry.ts';
import type { SessionUser } from './session-users.ts';
import type { TrustedToken } from './verified-tokens.ts';

/** Of a user without a row, or who is in no organization. */
const NO_ORGANIZATIONS = { 'x-hasura-org-id': '', 'x-hasura-org-role': '', 'x-hasura-org-ids': '{}' };
/** What tokens such as Clerk's tell and no row does: which of the user's organizations is the active one. */
const ACTIVE_ORGANIZATION = ['x-hasura-org-id', 'x-hasura-org-role'] as const;

/**
 * The session variables of a verified token whose user may have a session, the role apart: who they are and
 * by whose word, their organizations, and the listed claims. A claim is the row's, or else the token's, or
 * else empty; whatever else a token claims is dropped.
 *
 * @param user undefined where there is no row yet
 */
export function sessionVariables(
  { provider, tenant, subject, issuedAt, sessionVariables: tokenVariables }: TrustedToken,
  user: SessionUser | undefined,
  claims: readonly CustomClaim[],
): Record<string, string> {
  const variables: Record<string, string> = {
    'x-hasura-user-id': subject,
    'x-hasura-identity-provider': provider,
    'x-hasura-identity-tenant': tenant === '' ? (user?.tenant ?? '') : tenant,
    'x-hasura-identity-issued-at': issuedAt === undefined ? '' : String(Math.floor(issuedAt / 1000)),
    ...NO_ORGANIZATIONS,
  };
  for (const { variable } of claims) variables[variable] = claimText(tokenVariables[variable]);
  Object.assign(variables, user?.variables);
  if (definitionOf(provider)?.facts.activeOrganization === 'claims') {
    for (const variable of ACTIVE_ORGANIZATION) variables[variable] = claimText(tokenVariables[variable]);
  }
  return variables;
}
