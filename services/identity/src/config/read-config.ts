import { CLAIM_SETTINGS, type CustomClaim } from '@latchkey/core/settings/claims';
import { settingsError } from '@latchkey/core/settings/fields';
import { ROLE_SETTINGS } from '@latchkey/core/settings/roles';
import { z } from 'zod';
import { DELETION_LIMIT_SETTINGS, type DeletionLimit } from '#core/settings/deletion-limit.ts';
import { type EngineConfig, SERVICE_SETTINGS, serviceUrl } from '#core/settings/service.ts';
import { PROVIDERS, type ProviderConfigs, providerConfigs } from '#providers/registry.ts';

/** All settings but the providers' own. */
const SETTINGS = z.object({
  ...SERVICE_SETTINGS.shape,
  ...ROLE_SETTINGS.shape,
  ...CLAIM_SETTINGS.shape,
  ...DELETION_LIMIT_SETTINGS.shape,
});

/** The providers that are set up, at least one, and what their tokens may give. */
export interface ProvidersConfig extends ProviderConfigs {
  /** The roles that tokens may carry besides `user`; never `admin`. */
  readonly allowedRoles: readonly string[];
  /** The users' attributes that become session variables. */
  readonly claims: readonly CustomClaim[];
}

export interface Config {
  readonly engine: EngineConfig;
  /** Whether it is known that Hasura trusts tokens by itself. */
  readonly hasJwtSecret: boolean;
  readonly http: { readonly host: string; readonly port: number };
  readonly logLevel: string;
  readonly writer: { readonly inFlight: number; readonly queueLimit: number };
  /** With any of which Hasura may call; none may be set. */
  readonly engineSecrets: readonly string[];
  readonly retentionDays: number;
  /** How much a repair may delete at once. */
  readonly deletionLimit: DeletionLimit;
  readonly providers: ProvidersConfig;
  /** The role of requests without a token; undefined if they are refused. */
  readonly unauthorizedRole: string | undefined;
  /** The longest that Hasura may take a session for good; as long as its token if undefined. */
  readonly sessionSeconds: number | undefined;
}

/** The names of all variables that the service reads. */
export const VARIABLES: readonly string[] = [
  ...Object.keys(SETTINGS.shape),
  ...PROVIDERS.flatMap(({ variables }) => variables),
];

/**
 * Reads the whole configuration, once.
 *
 * @throws LatchkeyError `configuration-invalid`: one line for each variable that is wrong, with the fix
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const parsed = SETTINGS.safeParse(environment);
  const issues = [
    ...(parsed.error?.issues ?? []),
    ...PROVIDERS.flatMap((provider) => provider.issuesOf(environment)),
  ];
  if (!parsed.success || issues.length > 0) throw settingsError({ issues });
  const env = parsed.data;
  return {
    hasJwtSecret: (env.HASURA_GRAPHQL_JWT_SECRET ?? env.HASURA_GRAPHQL_JWT_SECRETS) !== undefined,
    engine: {
      endpoint: env.HASURA_GRAPHQL_ENDPOINT,
      adminSecret: env.HASURA_GRAPHQL_ADMIN_SECRET,
      timeoutMs: env.LATCHKEY_ENGINE_TIMEOUT_MS,
    },
    http: { host: env.LATCHKEY_HOST, port: env.LATCHKEY_PORT },
    logLevel: env.LATCHKEY_LOG_LEVEL,
    writer: { inFlight: env.LATCHKEY_WRITES_IN_FLIGHT, queueLimit: env.LATCHKEY_QUEUE_LIMIT },
    engineSecrets: env.LATCHKEY_ACTION_SECRET,
    retentionDays: env.LATCHKEY_RETENTION_DAYS,
    deletionLimit: { share: env.LATCHKEY_DELETION_LIMIT, rows: env.LATCHKEY_DELETION_LIMIT_ROWS },
    providers: {
      ...providerConfigs(environment, { serviceUrl: serviceUrl(env), claims: env.LATCHKEY_CLAIMS }),
      allowedRoles: env.LATCHKEY_ALLOWED_ROLES,
      claims: env.LATCHKEY_CLAIMS,
    },
    unauthorizedRole: env.LATCHKEY_UNAUTHORIZED_ROLE,
    sessionSeconds: env.LATCHKEY_SESSION_SECONDS,
  };
}
