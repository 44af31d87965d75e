/**
 * Errors as Hasura answers them: a stable `code`, a JSONPath into the request, an HTTP status and, for
 * those who may see them, internal details.
 */

/** Every code the engine answers with, and the HTTP status it has unless the thrower says otherwise. */
const ERROR_STATUS = {
  'access-denied': 401,
  'already-exists': 400,
  'already-tracked': 400,
  'already-untracked': 400,
  'bad-request': 400,
  busy: 503,
  'coercion-error': 400,
  'concurrent-update': 409,
  conflict: 409,
  'constraint-error': 400,
  'constraint-violation': 400,
  'cyclic-dependency': 400,
  'data-exception': 400,
  'data-connector-error': 400,
  'dependency-error': 400,
  'invalid-configuration': 400,
  'invalid-headers': 400,
  'invalid-json': 400,
  'invalid-jwt': 400,
  'invalid-params': 400,
  'jwt-invalid-claims': 400,
  'jwt-missing-role-claims': 400,
  'metadata-warnings': 400,
  'method-not-allowed': 405,
  'not-exists': 400,
  'not-found': 404,
  'not-supported': 400,
  'parse-failed': 400,
  'permission-denied': 400,
  'permission-error': 400,
  'postgres-error': 400,
  'remote-schema-error': 400,
  'start-failed': 400,
  timeout: 408,
  unexpected: 500,
  'unexpected-payload': 400,
  'validation-failed': 400,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

export interface ErrorDetails {
  /** JSONPath of the offending part, `$` for the request as a whole. */
  readonly path?: string;
  /** HTTP status, where it differs from the code's own. */
  readonly status?: number;
  /** Internal details (a PostgreSQL error, a webhook's answer); shown to admins only. */
  readonly internal?: unknown;
  /** Replaces `{path, code}` in a GraphQL error, as an action's webhook may ask for. */
  readonly extensions?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The one error that reaches clients; everything else is answered as `unexpected` and logged whole. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  /** One of {@link ERROR_STATUS}, or the code an action's webhook chose. */
  readonly code: ErrorCode | (string & {});
  readonly path: string;
  readonly status: number;
  readonly internal: unknown;
  readonly extensions: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode | (string & {}), message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.path = details.path ?? '$';
    this.status = details.status ?? (isErrorCode(code) ? ERROR_STATUS[code] : 400);
    this.internal = details.internal;
    this.extensions = details.extensions;
  }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_STATUS, code);
}

/** The same error seen from further out: `prefix` (`.args`, `[2]`) goes between `$` and the error's path. */
export function prefixPath(error: EngineError, prefix: string): EngineError {
  return new EngineError(error.code, error.message, {
    path: `$${prefix}${error.path.slice(1)}`,
    status: error.status,
    internal: error.internal,
    ...(error.extensions === undefined ? {} : { extensions: error.extensions }),
    cause: error,
  });
}

/** JSONPath of `segments`, as Hasura writes it: `$.args.objects[0]`, `$["odd key"]`. */
export function jsonPath(segments: readonly PropertyKey[]): string {
  return segments.reduce<string>((path, segment) => {
    if (typeof segment === 'number') return `${path}[${segment}]`;
    const key = String(segment);
    return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
  }, '$');
}

/** Any thrown value as an {@link EngineError}; the text of any other error becomes `internal`. */
export function toEngineError(thrown: unknown): EngineError {
  if (thrown instanceof EngineError) return thrown;
  // Something of the request's nests deeper than the stack goes.
  if (isStackOverflow(thrown))
    return new EngineError('validation-failed', 'the request is nested too deep', { cause: thrown });
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new EngineError('unexpected', 'internal server error', { internal: text, cause: thrown });
}

export function isStackOverflow(thrown: unknown): boolean {
  return thrown instanceof RangeError && thrown.message.includes('call stack');
}

/** One entry of a GraphQL answer's `errors`. */
export function graphqlErrorBody(error: EngineError, withInternal: boolean): Record<string, unknown> {
  const extensions = error.extensions ?? {
    path: error.path,
    code: error.code,
    ...(withInternal && error.internal !== undefined ? { internal: error.internal } : {}),
  };
  return { message: error.message, extensions };
}

/** The body of the metadata and query APIs. */
export function apiErrorBody(error: EngineError, withInternal: boolean): Record<string, unknown> {
  return {
    error: error.message,
    path: error.path,
    code: error.code,
    ...(withInternal && error.internal !== undefined ? { internal: error.internal } : {}),
  };
}
