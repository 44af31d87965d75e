import { refused } from '../providers/jwt.ts';
import type { Registry } from '../providers/registry.ts';
import { type HeaderList, readCredentials } from './credentials.ts';
import { createTokenVerifier } from './verified-tokens.ts';

/** What Hasura is told of a client. */
export interface Session {
  /** `x-hasura-*`, the role among them: from the token alone, never from the request. */
  readonly variables: Readonly<Record<string, string>>;
  /** Until the token expires; undefined for a client without one. */
  readonly maxAgeSeconds: number | undefined;
}

export interface AuthHookSettings {
  readonly providers: Registry;
  /** The role of clients without a token; they are refused if undefined. */
  readonly unauthorizedRole: string | undefined;
}

/**
 * Makes the function that tells Hasura who a client is.
 *
 * @throws LatchkeyError `token-invalid` for whoever is to be refused, `provider-unreachable` where that
 *   cannot be told now
 */
export function createAuthHook({
  providers,
  unauthorizedRole,
}: AuthHookSettings): (headers: HeaderList) => Promise<Session> {
  const verify = createTokenVerifier(providers);

  return async (headers) => {
    const { token, role: wanted } = readCredentials(headers);
    if (token === undefined) {
      if (unauthorizedRole === undefined) throw refused('there is none in the Authorization header');
      const role = choose(wanted, unauthorizedRole, [unauthorizedRole]);
      return { variables: { 'x-hasura-role': role }, maxAgeSeconds: undefined };
    }
    const { defaultRole, allowedRoles, sessionVariables, expiresAt } = await verify(token);
    const role = choose(wanted, defaultRole, allowedRoles);
    return {
      variables: { ...sessionVariables, 'x-hasura-role': role },
      // A token that has just expired may pass yet, within the tolerated difference of clocks.
      maxAgeSeconds: Math.max(0, Math.floor((expiresAt - Date.now()) / 1000)),
    };
  };
}

function choose(wanted: string | undefined, fallback: string, allowed: readonly string[]): string {
  const role = wanted ?? fallback;
  if (!allowed.includes(role)) throw refused('it does not allow the role that x-hasura-role asks for');
  return role;
}
