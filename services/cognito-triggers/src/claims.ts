import { arrayLiteral, claimText } from '@latchkey/core/claim-text';
import { cognitoAttribute } from '@latchkey/core/settings/claims';
import { DEFAULT_ROLE } from '@latchkey/core/settings/roles';
import type { ClaimsConfig } from './config.ts';

/** Where Hasura looks for its claims if it is not told otherwise. */
export const CLAIMS_NAMESPACE = 'https://hasura.io/jwt/claims';

/** `x-hasura-*`. But for the roles all values are texts; Hasura refuses others. */
export type HasuraClaims = Readonly<Record<string, string | readonly string[]>> & {
  readonly 'x-hasura-default-role': string;
  readonly 'x-hasura-allowed-roles': readonly string[];
};

/** Who signs in, as the event tells it. */
export interface SignedIn {
  readonly sub: string;
  readonly userPoolId: string;
  /** The names of their groups. */
  readonly groups: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * The roles that a user's groups give them: only those that are allowed, compared letter for letter.
 * Groups called `admin`, or anything that nobody listed, give nothing.
 */
export function rolesOfGroups(
  groups: readonly string[],
  { allowedRoles, groupRoles }: Pick<ClaimsConfig, 'allowedRoles' | 'groupRoles'>,
): string[] {
  return groups.flatMap((group) => {
    const role = groupRoles.get(group) ?? group;
    return allowedRoles.has(role) ? [role] : [];
  });
}

/**
 * What a user's token tells Hasura: who they are and by whose word, their organizations, and the listed
 * attributes. Whatever is listed is there, if only as an empty text: a permission that compares with a
 * variable which is not there is an error.
 *
 * @param roles besides the default one
 */
export function userClaims(
  { sub, userPoolId, groups, attributes }: SignedIn,
  roles: readonly string[],
  { claims, keepsFederatedGroups }: Pick<ClaimsConfig, 'claims' | 'keepsFederatedGroups'>,
): HasuraClaims {
  const organizations = groups
    .filter((group) => keepsFederatedGroups || !group.startsWith(`${userPoolId}_`))
    .map((group) => `${userPoolId}/${group}`);
  const listed = claims.map((claim) => {
    const name = cognitoAttribute(claim);
    return [claim.variable, claimText(Object.hasOwn(attributes, name) ? attributes[name] : '')] as const;
  });
  return {
    // First, so that nothing that is listed could take the place of what follows.
    ...Object.fromEntries(listed),
    'x-hasura-default-role': DEFAULT_ROLE,
    'x-hasura-allowed-roles': [...new Set([DEFAULT_ROLE, ...roles])],
    'x-hasura-user-id': sub,
    'x-hasura-identity-provider': 'cognito',
    'x-hasura-identity-tenant': userPoolId,
    'x-hasura-org-ids': arrayLiteral(organizations),
  };
}

/** @returns undefined for a machine that nobody configured */
export function machineClaims(
  clientId: string,
  { machineRoles }: Pick<ClaimsConfig, 'machineRoles'>,
): HasuraClaims | undefined {
  const roles = machineRoles.get(clientId);
  const [defaultRole] = roles ?? [];
  if (roles === undefined || defaultRole === undefined) return undefined;
  return {
    'x-hasura-default-role': defaultRole,
    'x-hasura-allowed-roles': [...new Set(roles)],
    'x-hasura-client-id': clientId,
  };
}
