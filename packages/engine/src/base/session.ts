/** The session: the outcome of authentication, and all that permissions know of the client. */

import { hashOrder } from './hash-order.ts';
import type { Trace } from './trace.ts';

export const ADMIN_ROLE = 'admin';
export const ROLE_VARIABLE = 'x-hasura-role';
export const SESSION_PREFIX = 'x-hasura-';

export interface Session {
  readonly role: string;
  /** `x-hasura-*` variables by lower-case name, the role included, the admin secret never. */
  readonly variables: Readonly<Record<string, string>>;
  readonly isAdmin: boolean;
  /** May use permissions marked `backend_only`: the admin secret came along with the header that asks for it. */
  readonly backendOnly: boolean;
  /** What the request is part of; event triggers and webhooks hand it on. */
  readonly trace?: Trace;
}

/**
 * Builds a session. Names of `variables` are lower-cased; names outside `x-hasura-*` and the admin
 * secret are dropped; `x-hasura-role` is set to `role`.
 */
export function createSession(
  role: string,
  variables: Readonly<Record<string, string>> = {},
  backendOnly = false,
): Session {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    const key = name.toLowerCase();
    if (!key.startsWith(SESSION_PREFIX)) continue;
    if (key === 'x-hasura-admin-secret' || key === 'x-hasura-access-key') continue;
    kept[key] = value;
  }
  kept[ROLE_VARIABLE] = role;
  return { role, variables: kept, isAdmin: role === ADMIN_ROLE, backendOnly };
}

/** By lower-case name. Of several spellings of one name that counts which is last in Hasura's maps. */
export function byLowerCaseName(variables: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(variables);
  const names = new Set(entries.map(([name]) => name.toLowerCase()));
  const ordered = names.size === entries.length ? entries : hashOrder(entries, ([name]) => name);
  return Object.fromEntries(ordered.map(([name, value]) => [name.toLowerCase(), value]));
}

export const ADMIN_SESSION: Session = createSession(ADMIN_ROLE);
