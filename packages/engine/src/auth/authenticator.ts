/** From a request's headers to a session, in whichever mode the engine was started. */

import { createHash, timingSafeEqual } from 'node:crypto';
import { ConfigError, type EngineConfig } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import { findHeader, type HeaderList, sessionHeaders } from '#base/headers.ts';
import type { Logger } from '#base/log.ts';
import { ADMIN_ROLE, createSession, ROLE_VARIABLE, type Session } from '#base/session.ts';
import type { Authenticated } from './authenticated.ts';
import { sessionFromClaims } from './claims.ts';
import { findToken } from './find-token.ts';
import { callHook } from './hook.ts';
import { createVerifier } from './jwt.ts';
import { type JwtConfig, parseJwtSecret } from './jwt-config.ts';
import { fixedKey, type KeySet, remoteKeys } from './keys.ts';

const SECRET_HEADER = 'x-hasura-admin-secret';
const OLD_SECRET_HEADER = 'x-hasura-access-key';
const BACKEND_ONLY_HEADER = 'x-hasura-use-backend-only-permissions';

export interface Authenticator {
  readonly mode: 'none' | 'admin-secret' | 'jwt' | 'hook';
  readonly jwt: JwtConfig | undefined;
  /**
   * @param request the GraphQL request, for an authentication hook
   * @throws {EngineError} as Hasura answers
   */
  authenticate(headers: HeaderList, request?: unknown): Promise<Authenticated>;
  close(): void;
}

type Settings = Pick<EngineConfig, 'adminSecrets' | 'jwtSecret' | 'authHook' | 'unauthorizedRole'>;

/** @throws {ConfigError} for combinations that Hasura does not start with, and for a silent `jwk_url` */
export async function createAuthenticator(config: Settings, log: Logger): Promise<Authenticator> {
  checkCombination(config);
  const jwt = config.jwtSecret === undefined ? undefined : parseJwtSecret(config.jwtSecret);
  const keys = jwt === undefined ? undefined : await keySet(jwt, log);
  const secrets = config.adminSecrets.map(digest);
  const withoutSecret = chooseMode(config, jwt, keys, log);
  return {
    mode:
      jwt !== undefined
        ? 'jwt'
        : config.authHook !== undefined
          ? 'hook'
          : secrets.length > 0
            ? 'admin-secret'
            : 'none',
    jwt,
    async authenticate(headers, request) {
      if (secrets.length === 0) return plain(adminSession(sessionHeaders(headers)));
      const given = findHeader(headers, SECRET_HEADER) ?? findHeader(headers, OLD_SECRET_HEADER);
      if (given === undefined) return withoutSecret(headers, request);
      if (!matches(given, secrets)) {
        throw new EngineError('access-denied', `invalid "${SECRET_HEADER}"/"${OLD_SECRET_HEADER}"`);
      }
      return plain(adminSession(sessionHeaders(headers)));
    },
    close: () => keys?.close(),
  };
}

function checkCombination({ adminSecrets, jwtSecret, authHook, unauthorizedRole }: Settings): void {
  const fatal = (message: string) => new ConfigError(message);
  if (jwtSecret !== undefined && authHook !== undefined) {
    throw fatal(
      'HASURA_GRAPHQL_AUTH_HOOK: Both webhook and JWT mode cannot be enabled at the same time; unset one of HASURA_GRAPHQL_JWT_SECRET and HASURA_GRAPHQL_AUTH_HOOK',
    );
  }
  if (unauthorizedRole !== undefined && authHook !== undefined) {
    throw fatal(
      'HASURA_GRAPHQL_UNAUTHORIZED_ROLE: not allowed when HASURA_GRAPHQL_AUTH_HOOK is set; let the hook answer for anonymous clients',
    );
  }
  if (adminSecrets.length > 0) return;
  const alone =
    (jwtSecret !== undefined && 'HASURA_GRAPHQL_JWT_SECRET') ||
    (authHook !== undefined && 'HASURA_GRAPHQL_AUTH_HOOK') ||
    (unauthorizedRole !== undefined && 'HASURA_GRAPHQL_UNAUTHORIZED_ROLE');
  if (alone) throw fatal(`${alone}: requires HASURA_GRAPHQL_ADMIN_SECRET to be set`);
}

function keySet(jwt: JwtConfig, log: Logger): Promise<KeySet> | KeySet | undefined {
  if (jwt.key !== undefined) return fixedKey(jwt.key);
  return jwt.jwkUrl === undefined ? undefined : remoteKeys(jwt.jwkUrl, log);
}

type Mode = (headers: HeaderList, request: unknown) => Promise<Authenticated>;

/** How a request without the admin secret is authenticated. */
function chooseMode(
  config: Settings,
  jwt: JwtConfig | undefined,
  keys: KeySet | undefined,
  log: Logger,
): Mode {
  const { authHook, unauthorizedRole } = config;
  if (jwt !== undefined && keys !== undefined) return jwtMode(jwt, keys, unauthorizedRole);
  if (authHook !== undefined) return (headers, request) => callHook(authHook, headers, request, log);
  return async (headers) => {
    if (unauthorizedRole !== undefined)
      return plain(createSession(unauthorizedRole, sessionHeaders(headers)));
    throw new EngineError(
      'access-denied',
      `"${SECRET_HEADER}"/"${OLD_SECRET_HEADER}" required, but not found`,
    );
  };
}

function jwtMode(jwt: JwtConfig, keys: KeySet, unauthorizedRole: string | undefined): Mode {
  const verifier = createVerifier(jwt, keys);
  return async (headers) => {
    const token = findToken(jwt, headers);
    if (token === undefined) {
      if (unauthorizedRole !== undefined)
        return plain(createSession(unauthorizedRole, sessionHeaders(headers)));
      throw new EngineError(
        'invalid-headers',
        "Missing 'Authorization' or 'Cookie' header in JWT authentication mode",
      );
    }
    const claims = verifier.verify(token);
    const session = sessionFromClaims(claims, jwt.claims, findHeader(headers, ROLE_VARIABLE));
    const exp = claims.exp;
    return { ...plain(session), expiresAt: typeof exp === 'number' ? exp * 1000 : undefined };
  };
}

function adminSession(variables: Readonly<Record<string, string>>): Session {
  const requested = variables[ROLE_VARIABLE];
  const role = requested === undefined || requested === '' ? ADMIN_ROLE : requested;
  return createSession(role, variables, readBackendOnly(variables[BACKEND_ONLY_HEADER]));
}

function readBackendOnly(text: string | undefined): boolean {
  if (text === undefined) return false;
  const value = text.toLowerCase();
  if (['true', 't', 'yes', 'y'].includes(value)) return true;
  if (['false', 'f', 'no', 'n'].includes(value)) return false;
  throw new EngineError(
    'bad-request',
    `"${BACKEND_ONLY_HEADER}":  Not a valid boolean text. True values are ["true","t","yes","y"] and  False values are ["false","f","no","n"]. All values are case insensitive`,
  );
}

const plain = (session: Session): Authenticated => ({ session, expiresAt: undefined, responseHeaders: [] });

/** Digests have one length, so that comparing them tells nothing of the secret. */
const digest = (secret: string) => createHash('sha512').update(secret, 'utf8').digest();

function matches(given: string, secrets: readonly Buffer[]): boolean {
  const candidate = digest(given);
  let found = false;
  for (const secret of secrets) found = timingSafeEqual(candidate, secret) || found;
  return found;
}
