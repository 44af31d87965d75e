import { DEFAULT_ROLE } from '@latchkey/core/settings/roles';
import type { VerifiedToken } from './provider.ts';

const ALLOWED_ROLES = 'x-hasura-allowed-roles';

/** What no claim may fill: roles have rules of their own, and the rest speaks for Hasura. */
const NOT_FROM_CLAIMS = [
  ALLOWED_ROLES,
  'x-hasura-default-role',
  'x-hasura-role',
  'x-hasura-user-id',
  'x-hasura-admin-secret',
  'x-hasura-access-key',
  'x-hasura-use-backend-only-permissions',
];

/** What a token claims, none of it weighed. */
export interface Claims {
  /** `x-hasura-*` in lower case, without those that speak for Hasura. */
  readonly variables: Readonly<Record<string, string>>;
  /** Undefined where the token has no list of them. */
  readonly roles: readonly unknown[] | undefined;
}

/** Reads an object of `x-hasura-*` claims; what has another shape is left out. */
export function readClaims(object: Readonly<Record<string, unknown>>): Claims {
  const variables: Record<string, string> = {};
  let roles: readonly unknown[] | undefined;
  for (const [name, value] of Object.entries(object)) {
    const key = name.toLowerCase();
    if (key === ALLOWED_ROLES && Array.isArray(value)) roles = value;
    if (key.startsWith('x-hasura-') && typeof value === 'string' && !NOT_FROM_CLAIMS.includes(key)) {
      variables[key] = value;
    }
  }
  return { variables, roles };
}

/**
 * What a token gives its bearer: always role `user`, and of the roles that it claims only those that
 * the configuration allows, compared letter for letter.
 *
 * @param allowed from the configuration, which never holds `admin`
 */
export function grant(
  subject: string,
  claims: { readonly variables?: Readonly<Record<string, unknown>>; readonly roles?: Claims['roles'] },
  allowed: readonly string[],
): Pick<VerifiedToken, 'defaultRole' | 'allowedRoles' | 'sessionVariables'> {
  const claimed = claims.roles ?? [];
  return {
    defaultRole: DEFAULT_ROLE,
    allowedRoles: [
      DEFAULT_ROLE,
      ...allowed.filter((role) => role !== DEFAULT_ROLE && claimed.includes(role)),
    ],
    sessionVariables: { ...claims.variables, 'x-hasura-user-id': subject },
  };
}
