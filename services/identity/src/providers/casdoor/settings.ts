import { httpUrl, isAnySet, list, needed, SHORTEST_SECRET, setting } from '@latchkey/core/settings/fields';
import { z } from 'zod';

export const CASDOOR_SETTINGS = z.object({
  // Where the service reaches Casdoor.
  CASDOOR_ENDPOINT: setting(httpUrl('https://door.example.com').optional()),
  // The origin in Casdoor's app.conf, which is the issuer of its tokens; CASDOOR_ENDPOINT if not given.
  CASDOOR_ISSUER: setting(httpUrl('https://door.example.com').optional()),
  // Name, Client ID and Client secret on the application's page. Its certificate is the one that signs
  // the tokens; Casdoor's API is read with the other two.
  CASDOOR_APPLICATION: setting(z.string().trim().optional()),
  CASDOOR_CLIENT_ID: setting(z.string().trim().optional()),
  CASDOOR_CLIENT_SECRET: setting(z.string().trim().optional()),
  // The Client IDs whose tokens are accepted, with commas between them; CASDOOR_CLIENT_ID if not given.
  CASDOOR_AUDIENCE: setting(list.optional()),
  // The value of the header that the webhook's page holds: Casdoor signs nothing, so this alone tells
  // its webhooks from anybody's. Several, with commas between them, while one replaces another.
  CASDOOR_WEBHOOK_SECRET: setting(
    list
      .refine(
        (secrets) => secrets.length > 0 && secrets.every((secret) => secret.length >= SHORTEST_SECRET),
        `must have at least ${SHORTEST_SECRET} characters (openssl rand -hex 32 makes one); several with commas between them`,
      )
      .optional(),
  ),
  // The name of that header.
  CASDOOR_WEBHOOK_HEADER: setting(
    z
      .string()
      .trim()
      .toLowerCase()
      .regex(/^[a-z0-9-]+$/, 'must be a header’s name, of letters, digits and hyphens')
      .default('x-webhook-secret'),
  ),
  // The only organizations to keep in step, with commas between them; all if not given.
  CASDOOR_ORGANIZATIONS: setting(list.default([])),
});

export interface CasdoorConfig {
  /** Without a trailing slash, as all URLs here. */
  readonly endpoint: string;
  readonly issuer: string;
  readonly application: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly audience: readonly string[];
  readonly webhookSecrets: readonly string[];
  /** In lower case. */
  readonly webhookHeader: string;
  /** All if empty. */
  readonly organizations: readonly string[];
  /** The users' properties that are kept; the others may hold what is nobody's business, such as tokens. */
  readonly properties: readonly string[];
  /** Where Hasura reaches the service, which passes Casdoor's keys on. */
  readonly serviceUrl: string;
}

/**
 * What Casdoor's tokens are told by, which is known without any secret.
 * @throws LatchkeyError `configuration-invalid`
 */
export function casdoorTokens(
  env: z.infer<typeof CASDOOR_SETTINGS>,
): Pick<CasdoorConfig, 'issuer' | 'audience' | 'webhookHeader' | 'organizations'> {
  return {
    issuer: env.CASDOOR_ISSUER ?? endpointOf(env),
    audience: env.CASDOOR_AUDIENCE ?? [clientIdOf(env)],
    webhookHeader: env.CASDOOR_WEBHOOK_HEADER,
    organizations: env.CASDOOR_ORGANIZATIONS,
  };
}

/**
 * @param properties those that become session variables
 * @returns undefined where Casdoor is not set up
 * @throws LatchkeyError `configuration-invalid` where it is set up by half
 */
export function casdoorConfig(
  env: z.infer<typeof CASDOOR_SETTINGS>,
  serviceUrl: string,
  properties: readonly string[] = [],
): CasdoorConfig | undefined {
  const own = [
    env.CASDOOR_ENDPOINT,
    env.CASDOOR_APPLICATION,
    env.CASDOOR_CLIENT_ID,
    env.CASDOOR_CLIENT_SECRET,
    env.CASDOOR_WEBHOOK_SECRET,
  ];
  if (!isAnySet(own)) return undefined;
  return {
    endpoint: endpointOf(env),
    clientId: clientIdOf(env),
    ...casdoorTokens(env),
    application: needed(
      env.CASDOOR_APPLICATION,
      'CASDOOR_APPLICATION',
      'copy it from Casdoor, Identity → Applications → the application → Name',
    ),
    clientSecret: needed(
      env.CASDOOR_CLIENT_SECRET,
      'CASDOOR_CLIENT_SECRET',
      'copy it from Casdoor, Identity → Applications → the application → Client secret',
    ),
    webhookSecrets: needed(
      env.CASDOOR_WEBHOOK_SECRET,
      'CASDOOR_WEBHOOK_SECRET',
      'make one with openssl rand -hex 32 and enter it on Casdoor’s webhook page too, under Headers',
    ),
    properties: [...new Set(properties)],
    serviceUrl,
  };
}

function endpointOf(env: z.infer<typeof CASDOOR_SETTINGS>): string {
  return needed(
    env.CASDOOR_ENDPOINT,
    'CASDOOR_ENDPOINT',
    'set it to the address of Casdoor, such as https://door.example.com',
  );
}

function clientIdOf(env: z.infer<typeof CASDOOR_SETTINGS>): string {
  return needed(
    env.CASDOOR_CLIENT_ID,
    'CASDOOR_CLIENT_ID',
    'copy it from Casdoor, Identity → Applications → the application → Client ID',
  );
}
