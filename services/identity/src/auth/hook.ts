import { LatchkeyError } from '@latchkey/core/errors';
import type { CustomClaim } from '@latchkey/core/settings/claims';
import { checkSession } from '#core/session-check.ts';
import { refused } from '#providers/jwt.ts';
import type { Registry } from '#providers/registry.ts';
import { type HeaderList, readCredentials } from './credentials.ts';
import type { SessionUser, SessionUsers } from './session-users.ts';
import { sessionVariables } from './session-variables.ts';
import { createTokenVerifier, type TrustedToken } from './verified-tokens.ts';

/** What Hasura is told of a client. */
export interface Session {
  /**
   * `x-hasura-*`, the role among them: from the token and the user's row, never from the request. The same
   * object as long as nothing of it changes.
   */
  readonly variables: Readonly<Record<string, string>>;
  /** How long Hasura may take it for good; undefined for a client without a token. */
  readonly maxAgeSeconds: number | undefined;
}

export interface AuthHookSettings {
  readonly providers: Registry;
  readonly users: Pick<SessionUsers, 'find'>;
  /** The users' attributes that become session variables. */
  readonly claims: readonly CustomClaim[];
  /** The role of clients without a token; they are refused if undefined. */
  readonly unauthorizedRole: string | undefined;
  /** The longest that Hasura may take a session for good, in seconds; as long as its token if undefined. */
  readonly sessionSeconds?: number | undefined;
}

interface CachedVariables extends Pick<Session, 'variables'> {
  readonly user: SessionUser | undefined;
  readonly role: string;
}

/** Until there is a row nobody can say whose its id is: a WebSocket is asked again soon. */
const NO_ROW_SECONDS = 60;
const MAX_ID_LENGTH = 255;

/**
 * Makes the function that tells Hasura who a client is: whoever has a good token, and whose row, where
 * there is one, is theirs and neither deleted nor disabled, their sessions not ended since.
 *
 * @throws LatchkeyError `token-invalid` for whoever is to be refused; `provider-unreachable` and what the
 *   engine throws where that cannot be decided now
 */
export function createAuthHook({
  providers,
  users,
  claims,
  unauthorizedRole,
  sessionSeconds = Number.POSITIVE_INFINITY,
}: AuthHookSettings): (headers: HeaderList) => Promise<Session> {
  const verify = createTokenVerifier(providers);
  /** By token: the same variables are good until the user's row is read anew or another role is asked for. */
  const cache = new WeakMap<TrustedToken, CachedVariables>();

  function variablesOf(
    token: TrustedToken,
    user: SessionUser | undefined,
    role: string,
  ): Session['variables'] {
    const cached = cache.get(token);
    if (cached !== undefined && cached.user === user && cached.role === role) return cached.variables;
    const variables = { ...sessionVariables(token, user, claims), 'x-hasura-role': role };
    cache.set(token, { user, role, variables });
    return variables;
  }

  return async (headers) => {
    const { token, role: wanted } = readCredentials(headers);
    if (token === undefined) {
      if (unauthorizedRole === undefined) throw refused('there is none in the Authorization header');
      const role = chooseRole(wanted, unauthorizedRole, [unauthorizedRole]);
      return { variables: { 'x-hasura-role': role }, maxAgeSeconds: undefined };
    }
    const verified = await verify(token);
    const role = chooseRole(wanted, verified.defaultRole, verified.allowedRoles);
    if (!isStorable(verified.subject)) throw refused('its user has an id that no row can have');
    const user = await users.find(verified.subject);
    const problem = user && checkSession(verified, user);
    if (problem !== undefined) {
      throw new LatchkeyError('token-invalid', `The token is refused: ${problem.reason}.`);
    }
    return {
      variables: variablesOf(verified, user, role),
      // A token that has just expired may pass yet, within the tolerated difference of clocks.
      maxAgeSeconds: Math.max(
        0,
        Math.min(
          Math.floor((verified.expiresAt - Date.now()) / 1000),
          sessionSeconds,
          user === undefined ? NO_ROW_SECONDS : Number.POSITIVE_INFINITY,
        ),
      ),
    };
  };
}

function chooseRole(wanted: string | undefined, fallback: string, allowed: readonly string[]): string {
  const role = wanted ?? fallback;
  if (!allowed.includes(role)) throw refused('it does not allow the role that x-hasura-role asks for');
  return role;
}

/** Others would make PostgreSQL refuse the query, which asks for many users at once. */
function isStorable(id: string): boolean {
  return id.length <= MAX_ID_LENGTH && id.isWellFormed() && !id.includes('\0');
}
