/** The engine's settings: Hasura's own environment variables, checked once. The only reader of `process.env` here. */
import { z } from 'zod';

const YES = ['true', 't', 'yes', 'y', '1'];
const NO = ['false', 'f', 'no', 'n', '0'];

const flag = (fallback: boolean) =>
  z
    .string()
    .optional()
    .transform((text, context) => {
      if (text === undefined || text === '') return fallback;
      const value = text.toLowerCase();
      if (YES.includes(value)) return true;
      if (NO.includes(value)) return false;
      context.addIssue({ code: 'custom', message: `expected true or false, not ${JSON.stringify(text)}` });
      return z.NEVER;
    });

const integer = (fallback: number, minimum: number, maximum: number) =>
  z
    .string()
    .optional()
    .transform((text, context) => {
      if (text === undefined || text === '') return fallback;
      const value = Number(text);
      if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
      context.addIssue({ code: 'custom', message: `expected a whole number from ${minimum} to ${maximum}` });
      return z.NEVER;
    });

const commaList = (fallback: readonly string[]) =>
  z
    .string()
    .optional()
    .transform((text) =>
      text === undefined || text.trim() === '' ? [...fallback] : text.split(',').map((item) => item.trim()),
    );

/** An empty string counts as unset, as a `.env` file writes it. */
const text = z
  .string()
  .optional()
  .transform((value) => (value === '' ? undefined : value));

const postgresUrl = text.refine(
  (value) => value === undefined || /^postgres(ql)?:\/\//.test(value),
  'expected a connection string such as postgres://user:password@127.0.0.1:5432/database',
);

const secrets = text.transform((value, context) => {
  if (value === undefined) return [];
  try {
    return z.array(z.string().min(1)).parse(JSON.parse(value));
  } catch {
    context.addIssue({ code: 'custom', message: 'expected a JSON list of secrets, such as ["one","two"]' });
    return z.NEVER;
  }
});

const API = z.enum(['graphql', 'metadata', 'config', 'developer', 'pgdump', 'metrics']);

/** Every variable the engine honours, with its default. */
const variables = {
  /** The PostgreSQL database; becomes source `default` of fresh metadata. */
  HASURA_GRAPHQL_DATABASE_URL: postgresUrl,
  /** Where metadata is kept; the database itself unless set. */
  HASURA_GRAPHQL_METADATA_DATABASE_URL: postgresUrl,
  HASURA_GRAPHQL_SERVER_HOST: text.transform((value) => value ?? '127.0.0.1'),
  /** 0 takes a free port. */
  HASURA_GRAPHQL_SERVER_PORT: integer(8080, 0, 65535),
  HASURA_GRAPHQL_ADMIN_SECRET: text,
  /** The old name of the same. */
  HASURA_GRAPHQL_ACCESS_KEY: text,
  /** Several secrets at once, for rotation: a JSON list. */
  HASURA_GRAPHQL_ADMIN_SECRETS: secrets,
  HASURA_GRAPHQL_JWT_SECRET: text,
  HASURA_GRAPHQL_AUTH_HOOK: text,
  HASURA_GRAPHQL_AUTH_HOOK_MODE: text
    .transform((value) => value?.toUpperCase() ?? 'GET')
    .pipe(z.enum(['GET', 'POST'], { error: 'expected GET or POST' })),
  /** In POST mode: whether the hook is sent the request's body. */
  HASURA_GRAPHQL_AUTH_HOOK_SEND_REQUEST_BODY: flag(true),
  HASURA_GRAPHQL_UNAUTHORIZED_ROLE: text,
  /** bigint, numeric, float8 as JSON strings. */
  HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES: flag(false),
  /** A comparison with null in a `where` holds for every row, as before Hasura v2. */
  HASURA_GRAPHQL_V1_BOOLEAN_NULL_COLLAPSE: flag(false),
  /** Show internal details to every role. */
  HASURA_GRAPHQL_DEV_MODE: flag(false),
  /** Show internal details to admins. */
  HASURA_GRAPHQL_ADMIN_INTERNAL_ERRORS: flag(true),
  HASURA_GRAPHQL_CORS_DOMAIN: text.transform((value) => value ?? '*'),
  HASURA_GRAPHQL_DISABLE_CORS: flag(false),
  /** With CORS disabled: whether WebSockets may authenticate by cookie. */
  HASURA_GRAPHQL_WS_READ_COOKIE: flag(false),
  HASURA_GRAPHQL_ENABLED_APIS: commaList(['metadata', 'graphql', 'pgdump', 'config']).pipe(
    z.array(API, { error: 'expected a list of graphql, metadata, config, developer, pgdump, metrics' }),
  ),
  HASURA_GRAPHQL_ENABLE_ALLOWLIST: flag(false),
  /** Connections per source. */
  HASURA_GRAPHQL_PG_CONNECTIONS: integer(50, 1, 10_000),
  HASURA_GRAPHQL_INFER_FUNCTION_PERMISSIONS: flag(true),
  HASURA_GRAPHQL_ENABLE_REMOTE_SCHEMA_PERMISSIONS: flag(false),
  HASURA_GRAPHQL_EXPERIMENTAL_FEATURES: commaList([]),
  HASURA_GRAPHQL_DEFAULT_NAMING_CONVENTION: text
    .transform((value) => value ?? 'hasura-default')
    .pipe(
      z.enum(['hasura-default', 'graphql-default'], { error: 'expected hasura-default or graphql-default' }),
    ),
  /** Milliseconds between two polls of a live query. */
  HASURA_GRAPHQL_LIVE_QUERIES_MULTIPLEXED_REFETCH_INTERVAL: integer(1000, 1, 3_600_000),
  HASURA_GRAPHQL_LIVE_QUERIES_MULTIPLEXED_BATCH_SIZE: integer(100, 1, 100_000),
  HASURA_GRAPHQL_STREAMING_QUERIES_MULTIPLEXED_REFETCH_INTERVAL: integer(1000, 1, 3_600_000),
  HASURA_GRAPHQL_STREAMING_QUERIES_MULTIPLEXED_BATCH_SIZE: integer(100, 1, 100_000),
  /** Seconds between two keep-alives on a WebSocket. */
  HASURA_GRAPHQL_WEBSOCKET_KEEPALIVE: integer(5, 1, 3600),
  /** Seconds a WebSocket may stay open without `connection_init`. */
  HASURA_GRAPHQL_WEBSOCKET_CONNECTION_INIT_TIMEOUT: integer(3, 1, 3600),
  /** Milliseconds between two looks at pending asynchronous actions. */
  HASURA_GRAPHQL_ASYNC_ACTIONS_FETCH_INTERVAL: integer(1000, 0, 3_600_000),
  HASURA_GRAPHQL_EVENTS_FETCH_INTERVAL: integer(1000, 0, 3_600_000),
  HASURA_GRAPHQL_EVENTS_HTTP_POOL_SIZE: integer(100, 1, 10_000),
  /** Milliseconds between two looks at whether another engine has changed the metadata; 0 does not look. */
  HASURA_GRAPHQL_SCHEMA_SYNC_POLL_INTERVAL: integer(1000, 0, 3_600_000),
} as const;

/** Known to Hasura, without a meaning here: neither warned about nor an error. */
const IGNORED = [
  'HASURA_GRAPHQL_ENABLE_CONSOLE',
  'HASURA_GRAPHQL_ENABLE_TELEMETRY',
  'HASURA_GRAPHQL_ENABLED_LOG_TYPES',
  'HASURA_GRAPHQL_LOG_LEVEL',
  'HASURA_GRAPHQL_MIGRATIONS_DIR',
  'HASURA_GRAPHQL_METADATA_DIR',
  'HASURA_GRAPHQL_CONSOLE_ASSETS_DIR',
];

const schema = z.object(variables).transform((set) => ({
  databaseUrl: set.HASURA_GRAPHQL_DATABASE_URL,
  metadataDatabaseUrl: set.HASURA_GRAPHQL_METADATA_DATABASE_URL ?? set.HASURA_GRAPHQL_DATABASE_URL,
  host: set.HASURA_GRAPHQL_SERVER_HOST,
  port: set.HASURA_GRAPHQL_SERVER_PORT,
  adminSecrets: [
    ...new Set(
      [
        set.HASURA_GRAPHQL_ADMIN_SECRET ?? set.HASURA_GRAPHQL_ACCESS_KEY,
        ...set.HASURA_GRAPHQL_ADMIN_SECRETS,
      ].filter((secret) => secret !== undefined),
    ),
  ],
  jwtSecret: set.HASURA_GRAPHQL_JWT_SECRET,
  authHook:
    set.HASURA_GRAPHQL_AUTH_HOOK === undefined
      ? undefined
      : {
          url: set.HASURA_GRAPHQL_AUTH_HOOK,
          mode: set.HASURA_GRAPHQL_AUTH_HOOK_MODE,
          sendRequestBody: set.HASURA_GRAPHQL_AUTH_HOOK_SEND_REQUEST_BODY,
        },
  unauthorizedRole: set.HASURA_GRAPHQL_UNAUTHORIZED_ROLE,
  stringifyNumericTypes: set.HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES,
  booleanNullCollapse: set.HASURA_GRAPHQL_V1_BOOLEAN_NULL_COLLAPSE,
  devMode: set.HASURA_GRAPHQL_DEV_MODE,
  adminInternalErrors: set.HASURA_GRAPHQL_ADMIN_INTERNAL_ERRORS,
  corsDomain: set.HASURA_GRAPHQL_CORS_DOMAIN,
  disableCors: set.HASURA_GRAPHQL_DISABLE_CORS,
  wsReadCookie: set.HASURA_GRAPHQL_WS_READ_COOKIE,
  enabledApis: set.HASURA_GRAPHQL_ENABLED_APIS,
  enableAllowlist: set.HASURA_GRAPHQL_ENABLE_ALLOWLIST,
  pgConnections: set.HASURA_GRAPHQL_PG_CONNECTIONS,
  inferFunctionPermissions: set.HASURA_GRAPHQL_INFER_FUNCTION_PERMISSIONS,
  remoteSchemaPermissions: set.HASURA_GRAPHQL_ENABLE_REMOTE_SCHEMA_PERMISSIONS,
  experimentalFeatures: set.HASURA_GRAPHQL_EXPERIMENTAL_FEATURES,
  defaultNamingConvention: set.HASURA_GRAPHQL_DEFAULT_NAMING_CONVENTION,
  liveQueries: {
    refetchIntervalMs: set.HASURA_GRAPHQL_LIVE_QUERIES_MULTIPLEXED_REFETCH_INTERVAL,
    batchSize: set.HASURA_GRAPHQL_LIVE_QUERIES_MULTIPLEXED_BATCH_SIZE,
  },
  streamingQueries: {
    refetchIntervalMs: set.HASURA_GRAPHQL_STREAMING_QUERIES_MULTIPLEXED_REFETCH_INTERVAL,
    batchSize: set.HASURA_GRAPHQL_STREAMING_QUERIES_MULTIPLEXED_BATCH_SIZE,
  },
  websocketKeepAliveMs: set.HASURA_GRAPHQL_WEBSOCKET_KEEPALIVE * 1000,
  websocketInitTimeoutMs: set.HASURA_GRAPHQL_WEBSOCKET_CONNECTION_INIT_TIMEOUT * 1000,
  asyncActionsFetchIntervalMs: set.HASURA_GRAPHQL_ASYNC_ACTIONS_FETCH_INTERVAL,
  eventsFetchIntervalMs: set.HASURA_GRAPHQL_EVENTS_FETCH_INTERVAL,
  eventsHttpPoolSize: set.HASURA_GRAPHQL_EVENTS_HTTP_POOL_SIZE,
  schemaSyncIntervalMs: set.HASURA_GRAPHQL_SCHEMA_SYNC_POLL_INTERVAL,
}));

export type Environment = Readonly<Record<string, string | undefined>>;
export type EngineConfig = z.output<typeof schema> & {
  /** The whole environment, for metadata that names a variable (`from_env`, `{{VARIABLE}}`). */
  readonly env: Environment;
  /** One line each, about settings that have no effect. */
  readonly warnings: readonly string[];
};

/** A wrong or missing setting; the message is one line that names it and the fix. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Whether a name or an address, as a URL or a setting has it, is this machine's and nobody else's. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    name === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(name)
  );
}

/**
 * Reads the settings from `env` (`process.env` unless given).
 * @throws {ConfigError} naming the first wrong variable
 */
export function readConfig(env: Environment = process.env): EngineConfig {
  if (env.NODE_ENV?.trim().toLowerCase() === 'production') {
    throw new ConfigError(
      'NODE_ENV=production: the embedded engine is for development and tests; run hasura/graphql-engine instead',
    );
  }
  const parsed = schema.safeParse(env);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ConfigError(`${String(issue?.path[0] ?? 'environment')}: ${issue?.message ?? 'invalid'}`);
  }
  if (parsed.data.metadataDatabaseUrl === undefined) {
    throw new ConfigError(
      'HASURA_GRAPHQL_DATABASE_URL: missing; set it to a PostgreSQL connection string, such as postgres://postgres@127.0.0.1:5432/postgres',
    );
  }
  const { adminSecrets, host } = parsed.data;
  if (adminSecrets.length === 0 && !isLoopbackHost(host)) {
    throw new ConfigError(
      `HASURA_GRAPHQL_SERVER_HOST: on ${host} everybody on the network would be admin; set HASURA_GRAPHQL_ADMIN_SECRET, or listen on 127.0.0.1`,
    );
  }
  const warnings = Object.keys(env)
    .filter((name) => name.startsWith('HASURA_GRAPHQL_') && !(name in variables) && !IGNORED.includes(name))
    .map((name) => `${name} is not known to the embedded engine and has no effect`);
  return { ...parsed.data, env, warnings };
}
