import {
  httpUrl,
  list,
  optionalWholeNumber,
  SHORTEST_SECRET,
  setting,
  wholeNumber,
} from '@latchkey/core/settings/fields';
import { z } from 'zod';

export const ADDRESS_SETTINGS = z.object({
  LATCHKEY_PORT: wholeNumber(8081, 0, 65_535),
  // Where Hasura reaches the service; by default this machine and LATCHKEY_PORT.
  LATCHKEY_SERVICE_URL: setting(httpUrl('http://identity:8081').optional()),
});

export const SERVICE_SETTINGS = z.object({
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

export interface EngineConfig {
  /** Without a trailing slash. */
  readonly endpoint: string;
  readonly adminSecret: string;
  readonly timeoutMs: number;
}

/** Where Hasura reaches the service, without a trailing slash. */
export function serviceUrl(env: z.infer<typeof ADDRESS_SETTINGS>): string {
  return env.LATCHKEY_SERVICE_URL ?? `http://127.0.0.1:${env.LATCHKEY_PORT}`;
}
