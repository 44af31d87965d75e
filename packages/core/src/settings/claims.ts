import { z } from 'zod';
import { list, setting } from './fields.ts';

/** An attribute of users at the provider that becomes a session variable of Hasura's. */
export interface CustomClaim {
  /** `x-hasura-<name>`, in lower case. */
  readonly variable: string;
  /** As the setting names it; {@link plainAttribute} and {@link cognitoAttribute} are what providers call it. */
  readonly attribute: string;
  /** Whether the setting names it by itself, and not only the variable. */
  readonly isExplicit: boolean;
}

/** What speaks for Hasura, for the service, or for the provider's organizations. */
const RESERVED = new Set([
  'role',
  'allowed-roles',
  'default-role',
  'user-id',
  'admin-secret',
  'access-key',
  'use-backend-only-permissions',
  'org-id',
  'org-role',
  'org-ids',
]);
const RESERVED_PREFIX = 'identity-';

const NAME = /^[a-z][a-z0-9_-]{0,62}$/;
const ATTRIBUTE = /^(?:(?:dev:)?custom:)?[A-Za-z0-9_][\w-]{0,99}$/;

const SHAPE =
  'must be names with commas between them, such as plan,tenant=tenant_id: a name has letters, digits, hyphens and underscores, and the attribute behind = may begin with custom:';

export const CLAIM_SETTINGS = z.object({
  // The attributes of users that become session variables: <name> or <name>=<attribute>, with commas
  // between them. x-hasura-<name> is then the attribute of Clerk's public metadata, Cognito's custom:…, a
  // property of Casdoor's or a claim of OpenID Connect. What is not listed never is one.
  LATCHKEY_CLAIMS: setting(
    list
      .transform((entries, context) => {
        const claims: CustomClaim[] = [];
        for (const entry of entries) {
          const claim = readClaim(entry);
          const problem = typeof claim === 'string' ? claim : twice(claim, claims);
          if (problem !== undefined) {
            context.addIssue(problem);
            return z.NEVER;
          }
          if (typeof claim !== 'string') claims.push(claim);
        }
        return claims;
      })
      .default([]),
  ),
});

/** @returns what is wrong with it, where it is a text */
function readClaim(entry: string): CustomClaim | string {
  const [first = '', second, ...more] = entry.split('=').map((part) => part.trim());
  const name = first.toLowerCase();
  const attribute = second ?? first;
  if (more.length > 0 || !NAME.test(name) || !ATTRIBUTE.test(attribute)) return SHAPE;
  if (RESERVED.has(name) || name.startsWith(RESERVED_PREFIX)) {
    return `must not hold ${name}: x-hasura-${name} is filled by the service alone; choose another name for the attribute, such as my-${name}=${attribute}`;
  }
  return { variable: `x-hasura-${name}`, attribute, isExplicit: second !== undefined };
}

function twice({ variable }: CustomClaim, claims: readonly CustomClaim[]): string | undefined {
  const isThere = claims.some((other) => other.variable === variable);
  return isThere ? `must not give ${variable} twice: choose one of the attributes` : undefined;
}

/** Cognito's own attributes, which have no prefix. */
const STANDARD_ATTRIBUTES = new Set([
  'address',
  'birthdate',
  'email',
  'email_verified',
  'family_name',
  'gender',
  'given_name',
  'locale',
  'middle_name',
  'name',
  'nickname',
  'phone_number',
  'phone_number_verified',
  'picture',
  'preferred_username',
  'profile',
  'sub',
  'updated_at',
  'website',
  'zoneinfo',
]);

const CUSTOM_PREFIX = /^(?:dev:)?custom:/;

/** What most providers call the attribute of a claim: they know no prefix. */
export function plainAttribute({ attribute }: CustomClaim): string {
  return attribute.replace(CUSTOM_PREFIX, '');
}

/**
 * What Cognito calls the attribute of a claim: a pool's own attributes begin with `custom:`. Standard ones,
 * which do not, are those that the setting names behind `=`.
 *
 * @example LATCHKEY_CLAIMS=plan,language=locale: 'custom:plan' and 'locale'
 */
export function cognitoAttribute({ attribute, isExplicit }: CustomClaim): string {
  if (CUSTOM_PREFIX.test(attribute)) return attribute;
  return isExplicit && STANDARD_ATTRIBUTES.has(attribute) ? attribute : `custom:${attribute}`;
}
