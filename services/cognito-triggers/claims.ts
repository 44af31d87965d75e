import { DEFAULT_ROLE } from '../identity/core/settings/roles.ts';
import type { ClaimsConfig } from './config.ts';

/** Where Hasura looks for its claims if it is not told otherwise. */
export const CLAIMS_NAMESPACE = 'https://hasura.io/jwt/claims';

export type HasuraClaims = {
  'x-hasura-default-role': string;
  'x-hasura-allowed-roles': string[];
  'x-hasura-user-id'?: string;
  'x-hasura-client-id'?: string;
};

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

/** @param roles besides the default one */
export function userClaims(sub: string, roles: readonly string[]): HasuraClaims {
  return {
    'x-hasura-default-role': DEFAULT_ROLE,
    'x-hasura-allowed-roles': [...new Set([DEFAULT_ROLE, ...roles])],
    'x-hasura-user-id': sub,
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
