import { z } from 'zod';
import { list, setting } from './fields.ts';

/** The role of everybody who signs in; the metadata in metadata/ gives it their own rows. */
export const DEFAULT_ROLE = 'user';

/** Hasura lets role admin do everything, whatever the metadata says, so no token may ever carry it. */
const isNotAdmin = (role: string): boolean => role.trim().toLowerCase() !== 'admin';
const NOT_ADMIN = 'must not hold the role admin: name another role';

export const roleName = z.string().trim().min(1).refine(isNotAdmin, NOT_ADMIN);

export const ROLE_SETTINGS = z.object({
  // The roles that tokens may carry besides user, with commas between them. What a provider calls a role
  // (Casdoor's roles, Cognito's groups, Clerk's organization roles) gives the role of the same name if it
  // is listed here, and nothing if it is not.
  LATCHKEY_ALLOWED_ROLES: setting(list.refine((roles) => roles.every(isNotAdmin), NOT_ADMIN).default([])),
  // The role of requests without a token, where the auth hook is used; they are refused if not given.
  LATCHKEY_UNAUTHORIZED_ROLE: setting(
    roleName
      .refine((role) => role !== DEFAULT_ROLE, 'must not be user, which is somebody: name another role')
      .optional(),
  ),
});
