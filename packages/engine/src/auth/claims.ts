/** From a token's claims to session variables, by namespace or by `claims_map`. */
import { EngineError } from '#base/errors.ts';
import { createSession, SESSION_PREFIX, type Session } from '#base/session.ts';
import { parseFirstKeyJson } from '#values/exact-json.ts';
import { resolveJsonPath } from './json-path.ts';
import type { ClaimSet } from './jwt.ts';
import type { Claims, ClaimsMap, MappedClaim } from './jwt-config.ts';
import { showStringOrUri } from './uri.ts';

const ALLOWED_ROLES = 'x-hasura-allowed-roles';
const DEFAULT_ROLE = 'x-hasura-default-role';
const REGISTERED = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'];

const invalid = (message: string) => new EngineError('jwt-invalid-claims', message);
const missing = (claim: string) =>
  new EngineError('jwt-missing-role-claims', `JWT claim does not contain "${claim}"`);

type Variables = Readonly<Record<string, unknown>>;

/**
 * The session that a verified token stands for.
 * @param requestedRole the client's `x-hasura-role` header; the token's default role without one
 * @throws {EngineError} `jwt-invalid-claims`, `jwt-missing-role-claims`, `access-denied`
 */
export function sessionFromClaims(
  token: ClaimSet,
  claims: Claims,
  requestedRole: string | undefined,
): Session {
  const variables = claims.from === 'map' ? fromMap(token, claims.map) : fromNamespace(token, claims);
  if (variables[ALLOWED_ROLES] === undefined) throw missing(ALLOWED_ROLES);
  const allowed = readRoles(variables[ALLOWED_ROLES]);
  if (variables[DEFAULT_ROLE] === undefined) throw missing(DEFAULT_ROLE);
  const fallback = readRole(variables[DEFAULT_ROLE], 'should be a single role name');
  const role = requestedRole === undefined || requestedRole === '' ? fallback : requestedRole;
  if (!allowed.includes(role))
    throw new EngineError('access-denied', 'Your requested role is not in allowed roles', { status: 400 });
  const session: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    if (name === ALLOWED_ROLES || name === DEFAULT_ROLE) continue;
    if (typeof value !== 'string') throw invalid(`x-hasura-* claims: ${mismatch('Text', 'String', value)}`);
    session[name] = value;
  }
  return createSession(role, session);
}

function fromNamespace(token: ClaimSet, claims: Extract<Claims, { from: 'namespace' }>): Variables {
  const { namespace, stringified } = claims;
  const unregistered = Object.fromEntries(
    Object.entries(token).filter(([name]) => !REGISTERED.includes(name)),
  );
  const byPath = typeof namespace !== 'string';
  const found = byPath ? resolveJsonPath(unregistered, namespace.path) : unregistered[namespace];
  if (found === undefined) {
    throw invalid(
      byPath
        ? `claims not found at claims_namespace_path: '${namespace.text}'`
        : `claims key: '${namespace}' not found`,
    );
  }
  if (!stringified) {
    if (!isObject(found)) throw invalid('expecting a json object when claims_format is json');
    return hasuraOnly(found);
  }
  if (typeof found !== 'string') throw invalid('expecting a string when claims_format is stringified_json');
  const object = parseObject(found);
  if (object !== undefined) return hasuraOnly(object);
  const where = byPath ? `claims_namespace_path ${namespace.text}` : `claims_namespace ${namespace}`;
  throw invalid(`expecting stringified json at: '${where}', but found: ${found}`);
}

function fromMap(claims: ClaimSet, map: ClaimsMap): Variables {
  const token = asHasuraWritesIt(claims);
  const { [ALLOWED_ROLES]: roles, [DEFAULT_ROLE]: role, ...others } = map;
  const variables: Record<string, unknown> = {};
  const allowed = mappedValue(token, roles);
  if (allowed === undefined) throw missing(ALLOWED_ROLES);
  variables[ALLOWED_ROLES] = readRoles(allowed);
  const fallback = mappedValue(token, role);
  if (fallback === undefined) throw missing(DEFAULT_ROLE);
  variables[DEFAULT_ROLE] = readRole(fallback, 'should be a role');
  // Those that no session has (another prefix) are looked for too.
  for (const [name, value] of Object.entries(others)) {
    variables[name] = mappedValue(token, value);
    if (variables[name] === undefined) throw invalid(`JWT claim from claims_map, "${name}" not found`);
  }
  return variables;
}

/** The default stands in for what is not there, never for a null. */
function mappedValue(token: ClaimSet, mapped: MappedClaim): unknown {
  if ('fixed' in mapped) return mapped.fixed;
  const found = resolveJsonPath(token, mapped.path.path);
  return found === undefined ? (mapped.default ?? undefined) : found;
}

/**
 * Paths go into what Hasura has read: registered claims that are null are not there, a single audience is text, and
 * a URI's password is hidden.
 */
function asHasuraWritesIt(token: ClaimSet): ClaimSet {
  const shown = Object.entries(token).flatMap(([name, value]): (readonly [string, unknown])[] => {
    if (!REGISTERED.includes(name)) return [[name, value]];
    if (value === null) return [];
    if (name === 'iss' || name === 'sub') return [[name, show(value)]];
    if (name !== 'aud' || !Array.isArray(value)) return [[name, name === 'aud' ? show(value) : value]];
    const audience = value.map(show);
    return [[name, audience.length === 1 ? audience[0] : audience]];
  });
  return Object.fromEntries(shown);
}

const show = (value: unknown) => (typeof value === 'string' ? showStringOrUri(value) : value);

function readRoles(value: unknown): string[] {
  const claim = `invalid "${ALLOWED_ROLES}"; should be a list of roles`;
  if (!Array.isArray(value)) throw invalid(`${claim}: ${mismatch('[]', 'Array', value)}`);
  return value.map((item: unknown) => readText(item, claim));
}

const readRole = (value: unknown, hint: string) => readText(value, `invalid "${DEFAULT_ROLE}"; ${hint}`);

function readText(value: unknown, claim: string): string {
  if (typeof value !== 'string') throw invalid(`${claim}: ${mismatch('String', 'String', value)}`);
  if (value === '') throw invalid(`${claim}: empty string not allowed`);
  return value;
}

/** What Hasura's JSON reader says of a wrong type. */
function mismatch(type: string, expected: string, value: unknown): string {
  return `parsing ${type} failed, expected ${expected}, but encountered ${jsonType(value)}`;
}

function jsonType(value: unknown): string {
  if (value === null) return 'Null';
  if (Array.isArray(value)) return 'Array';
  if (typeof value === 'object') return 'Object';
  return { string: 'String', number: 'Number', boolean: 'Boolean' }[String(typeof value)] ?? 'Null';
}

/** Of a claim in several spellings the one counts that sorts last, whatever their order: the one in lower case. */
function hasuraOnly(object: Readonly<Record<string, unknown>>): Variables {
  return Object.fromEntries(
    Object.entries(object)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]): [string, unknown] => [name.toLowerCase(), value])
      .filter(([name]) => name.startsWith(SESSION_PREFIX)),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = parseFirstKeyJson(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
