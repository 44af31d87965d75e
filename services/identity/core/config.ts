import { z } from 'zod';
import { LatchkeyError } from './errors.ts';

/** Absent, `VAR=` and `VAR=" "` mean the same: compose files pass on empty ones. */
const setting = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (typeof value === 'string' && value.trim() === '' ? undefined : value), schema);

const wholeNumber = (fallback: number, min: number, max: number) =>
  setting(
    z.coerce
      .number(`must be a whole number from ${min} to ${max}`)
      .int(`must be a whole number from ${min} to ${max}`)
      .min(min, `must be a whole number from ${min} to ${max}`)
      .max(max, `must be a whole number from ${min} to ${max}`)
      .default(fallback),
  );

const httpUrl = (example: string) =>
  z
    .string()
    .trim()
    .refine(
      (text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''),
      `must be an http(s) URL such as ${example}`,
    )
    .transform((text) => text.replace(/\/+$/, ''));

const list = z
  .string()
  .transform((text) => text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()])));

const SHORTEST_SECRET = 16;
const isSigningSecret = (text: string) => {
  const key = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1];
  return key !== undefined && Buffer.from(key, 'base64').length >= SHORTEST_SECRET;
};

const ENVIRONMENT = z.object({
  // Where Hasura is, and the secret that lets the service write. The hasura CLI reads the same two.
  HASURA_GRAPHQL_ENDPOINT: setting(httpUrl('http://127.0.0.1:8080').default('http://127.0.0.1:8080')),
  HASURA_GRAPHQL_ADMIN_SECRET: setting(
    z.string('is missing: set it to the admin secret that the engine was started with'),
  ),

  // Where the service listens. Containers need 0.0.0.0.
  LATCHKEY_HOST: setting(z.string().default('127.0.0.1')),
  LATCHKEY_PORT: wholeNumber(8081, 0, 65_535),
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
  // How long Hasura may take to answer. Providers give up on a delivery after 15 seconds.
  LATCHKEY_ENGINE_TIMEOUT_MS: wholeNumber(10_000, 100, 120_000),

  // Clerk's dashboard, Configure → Webhooks → the endpoint → Signing Secret. Several, with commas
  // between them, while one replaces another.
  CLERK_WEBHOOK_SECRET: setting(
    list
      .refine(
        (secrets) => secrets.length > 0 && secrets.every(isSigningSecret),
        'must be whsec_… as Clerk shows it (Configure → Webhooks → the endpoint → Signing Secret); several with commas between them',
      )
      .optional(),
  ),
  // Clerk's dashboard, Configure → API keys. The issuer of Clerk's tokens follows from either.
  CLERK_PUBLISHABLE_KEY: setting(
    z
      .string()
      .regex(
        /^pk_(test|live)_[A-Za-z0-9+/_=-]+$/,
        'must be pk_test_… or pk_live_…, whole, as Clerk shows it (Configure → API keys)',
      )
      .optional(),
  ),
  CLERK_FRONTEND_API_URL: setting(httpUrl('https://clerk.example.com').optional()),
  // Only for reading Clerk's directory (reconcile) and for actions.
  CLERK_SECRET_KEY: setting(
    z
      .string()
      .regex(/^sk_/, 'must be sk_test_… or sk_live_… (Clerk’s dashboard, Configure → API keys)')
      .optional(),
  ),
  CLERK_API_URL: setting(httpUrl('https://api.clerk.com').default('https://api.clerk.com')),
  // The origins whose tokens are accepted (the token's azp), with commas between them; all if not given.
  CLERK_AUTHORIZED_PARTIES: setting(list.default([])),
});

export interface ClerkConfig {
  readonly webhookSecrets: readonly string[];
  readonly publishableKey: string | undefined;
  readonly frontendApiUrl: string | undefined;
  readonly secretKey: string | undefined;
  readonly apiUrl: string;
  readonly authorizedParties: readonly string[];
}

export interface EngineConfig {
  /** Without a trailing slash. */
  readonly endpoint: string;
  readonly adminSecret: string;
  readonly timeoutMs: number;
}

export interface Config {
  readonly engine: EngineConfig;
  readonly http: { readonly host: string; readonly port: number };
  readonly logLevel: string;
  readonly writer: { readonly inFlight: number; readonly queueLimit: number };
  /** Only the providers that are set up. At least one is. */
  readonly providers: { readonly clerk?: ClerkConfig };
}

/** The names of all variables that the service reads. */
export const VARIABLES: readonly string[] = Object.keys(ENVIRONMENT.shape);

/**
 * Reads the whole configuration, once.
 *
 * @throws LatchkeyError `configuration-invalid`: one line for each variable that is wrong, with the mend
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const parsed = ENVIRONMENT.safeParse(environment);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}.`);
    throw new LatchkeyError('configuration-invalid', lines.join('\n'));
  }
  const env = parsed.data;
  if (env.CLERK_WEBHOOK_SECRET === undefined) {
    throw new LatchkeyError(
      'configuration-invalid',
      'CLERK_WEBHOOK_SECRET is missing: copy it from Clerk’s dashboard, Configure → Webhooks → the endpoint → Signing Secret.',
    );
  }
  return {
    engine: {
      endpoint: env.HASURA_GRAPHQL_ENDPOINT,
      adminSecret: env.HASURA_GRAPHQL_ADMIN_SECRET,
      timeoutMs: env.LATCHKEY_ENGINE_TIMEOUT_MS,
    },
    http: { host: env.LATCHKEY_HOST, port: env.LATCHKEY_PORT },
    logLevel: env.LATCHKEY_LOG_LEVEL,
    writer: { inFlight: env.LATCHKEY_WRITES_IN_FLIGHT, queueLimit: env.LATCHKEY_QUEUE_LIMIT },
    providers: {
      clerk: {
        webhookSecrets: env.CLERK_WEBHOOK_SECRET,
        publishableKey: env.CLERK_PUBLISHABLE_KEY,
        frontendApiUrl: env.CLERK_FRONTEND_API_URL,
        secretKey: env.CLERK_SECRET_KEY,
        apiUrl: env.CLERK_API_URL,
        authorizedParties: env.CLERK_AUTHORIZED_PARTIES,
      },
    },
  };
}
