import { LatchkeyError } from '@latchkey/core/errors';
import { attributeAt, CLAIM_SETTINGS, type CustomClaim } from '@latchkey/core/settings/claims';
import {
  httpUrl,
  list,
  optionalWholeNumber,
  SHORTEST_SECRET,
  setting,
  settingsError,
  wholeNumber,
} from '@latchkey/core/settings/fields';
import { ROLE_SETTINGS } from '@latchkey/core/settings/roles';
import { z } from 'zod';
import { CASDOOR_SETTINGS, type CasdoorConfig, casdoorConfig } from '#core/settings/casdoor.ts';
import { CLERK_SETTINGS, type ClerkConfig, clerkConfig } from '#core/settings/clerk.ts';
import { COGNITO_SETTINGS, type CognitoConfig, cognitoConfig } from '#core/settings/cognito.ts';
import { DELETION_LIMIT_SETTINGS, type DeletionLimit } from '#core/settings/deletion-limit.ts';
import type { ProviderName } from './records.ts';

export const ADDRESS_SETTINGS = z.object({
  LATCHKEY_PORT: wholeNumber(8081, 0, 65_535),
  // Where Hasura reaches the service; by default this machine and LATCHKEY_PORT.
  LATCHKEY_SERVICE_URL: setting(httpUrl('http://identity:8081').optional()),
});

const SERVICE_SETTINGS = z.object({
  // Where Hasura is, and the secret that lets the service write. The hasura CLI reads the same two.
  HASURA_GRAPHQL_ENDPOINT: setting(httpUrl('http://127.0.0.1:8080').default('http://127.0.0.1:8080')),
  HASURA_GRAPHQL_ADMIN_SECRET: setting(
    z.string('is missing: set it to the admin secret that the engine was started with'),
  ),
  // Hasura's own: not used, but that Hasura trusts tokens by itself is refused where it could take one person
  // for another.
  HASURA_GRAPHQL_JWT_SECRET: setting(z.string().optional()),
  HASURA_GRAPHQL_JWT_SECRETS: setting(z.string().optional()),

  // Where the service listens. Containers need 0.0.0.0.
  LATCHKEY_HOST: setting(z.string().default('127.0.0.1')),
  ...ADDRESS_SETTINGS.shape,
  // With which Hasura shows that it is Hasura, when it calls for actions and cron triggers: the engine
  // has the same. Several, with commas between them, while one replaces another; without it neither works.
  LATCHKEY_ACTION_SECRET: setting(
    list
      .refine(
        (secrets) => secrets.every((secret) => secret.length >= SHORTEST_SECRET),
        `must have at least ${SHORTEST_SECRET} characters (openssl rand -hex 32 makes one); several with commas between them`,
      )
      .default([]),
  ),
  LATCHKEY_LOG_LEVEL: setting(
    z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
        error: 'must be one of trace, debug, info, warn, error, fatal, silent',
      })
      .default('info'),
  ),

  // Mutations under way at once. One gathers the largest batches; more help where Hasura is far away.
  LATCHKEY_WRITES_IN_FLIGHT: wholeNumber(1, 1, 16),
  // Deliveries that may wait for their turn; beyond that the sender is told to come back.
  LATCHKEY_QUEUE_LIMIT: wholeNumber(2_000, 1, 1_000_000),
  // How long the ledger keeps deliveries; what they said is in the tables all the same.
  LATCHKEY_RETENTION_DAYS: wholeNumber(30, 1, 3_650),
  // How long Hasura may take the auth hook's answer for good, and so keep a WebSocket without asking again;
  // as long as the token is good if not given.
  LATCHKEY_SESSION_SECONDS: optionalWholeNumber(1, 86_400),
  // How long Hasura may take to answer. Providers give up on a delivery after 15 seconds.
  LATCHKEY_ENGINE_TIMEOUT_MS: wholeNumber(10_000, 100, 120_000),
});

const ENVIRONMENT = z.object({
  ...SERVICE_SETTINGS.shape,
  ...ROLE_SETTINGS.shape,
  ...CLAIM_SETTINGS.shape,
  ...DELETION_LIMIT_SETTINGS.shape,
  ...CLERK_SETTINGS.shape,
  ...CASDOOR_SETTINGS.shape,
  ...COGNITO_SETTINGS.shape,
});

export type { CasdoorConfig, ClerkConfig, CognitoConfig };

export interface EngineConfig {
  /** Without a trailing slash. */
  readonly endpoint: string;
  readonly adminSecret: string;
  readonly timeoutMs: number;
}

/** Only the providers that are set up. At least one is. */
export interface ProviderConfigs {
  readonly clerk?: ClerkConfig;
  readonly casdoor?: CasdoorConfig;
  readonly cognito?: CognitoConfig;
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
  readonly providers: ProviderConfigs;
  /** The role of requests without a token; undefined if they are refused. */
  readonly unauthorizedRole: string | undefined;
  /** The longest that Hasura may take a session for good; as long as its token if undefined. */
  readonly sessionSeconds: number | undefined;
}

/** The names of all variables that the service reads. */
export const VARIABLES: readonly string[] = Object.keys(ENVIRONMENT.shape);

/**
 * Reads the whole configuration, once.
 *
 * @throws LatchkeyError `configuration-invalid`: one line for each variable that is wrong, with the fix
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const parsed = ENVIRONMENT.safeParse(environment);
  if (!parsed.success) throw settingsError(parsed.error);
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
    providers: providerConfigs(env),
    unauthorizedRole: env.LATCHKEY_UNAUTHORIZED_ROLE,
    sessionSeconds: env.LATCHKEY_SESSION_SECONDS,
  };
}

/** Where Hasura reaches the service, without a trailing slash. */
export function serviceUrl(env: z.infer<typeof ADDRESS_SETTINGS>): string {
  return env.LATCHKEY_SERVICE_URL ?? `http://127.0.0.1:${env.LATCHKEY_PORT}`;
}

function providerConfigs(env: z.infer<typeof ENVIRONMENT>): ProviderConfigs {
  const claims = env.LATCHKEY_CLAIMS;
  const clerk = clerkConfig(env);
  const casdoor = casdoorConfig(env, serviceUrl(env), attributesAt('casdoor', claims));
  const cognito = cognitoConfig(env);
  if (clerk === undefined && casdoor === undefined && cognito === undefined) {
    throw new LatchkeyError(
      'configuration-invalid',
      'CLERK_WEBHOOK_SECRET is missing, and no other provider is set up: set the variables of the one you use (docs/clerk.md, docs/casdoor.md, docs/cognito.md).',
    );
  }
  return {
    ...(clerk && { clerk }),
    ...(casdoor && { casdoor }),
    ...(cognito && { cognito: withAttributes(cognito, attributesAt('cognito', claims)) }),
    allowedRoles: env.LATCHKEY_ALLOWED_ROLES,
    claims,
  };
}

function withAttributes(cognito: CognitoConfig, claimed: readonly string[]): CognitoConfig {
  return { ...cognito, metadataAttributes: [...new Set([...cognito.metadataAttributes, ...claimed])] };
}

/** The attributes that must be in users.metadata for the claims to be there. */
function attributesAt(provider: ProviderName, claims: readonly CustomClaim[]): readonly string[] {
  return claims.map((claim) => attributeAt(provider, claim));
}
