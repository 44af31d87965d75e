import { z } from 'zod';
import { LatchkeyError } from '../errors.ts';
import { httpUrl, isAnySet, isSigningSecret, list, needed, setting } from './kit.ts';

const TOKEN_USES = ['id', 'access'] as const;
export type TokenUse = (typeof TOKEN_USES)[number];

/** As the AWS API names the versions of the event that the Pre token generation trigger gets. */
const TRIGGER_VERSIONS = ['V1_0', 'V2_0', 'V3_0'] as const;
export type TriggerVersion = (typeof TRIGGER_VERSIONS)[number];

export const COGNITO_SETTINGS = z.object({
  // Amazon Cognito → User pools → the pool → Overview → User pool ID. The region and the issuer of the
  // tokens follow from it.
  COGNITO_USER_POOL_ID: setting(
    z
      .string()
      .trim()
      .regex(
        /^[\w-]+_[0-9A-Za-z]+$/,
        'must be the User pool ID, such as eu-west-1_AbCdEfGhI (the pool’s Overview), not its name or ARN',
      )
      .optional(),
  ),
  // The pool → Applications → App clients → Client ID. Only tokens of these are accepted; several with
  // commas between them.
  COGNITO_CLIENT_IDS: setting(
    list.refine((ids) => ids.length > 0, 'must name at least one Client ID').optional(),
  ),
  // Shared with the Lambda functions, which sign with it. Several, with commas between them, while one
  // replaces another.
  COGNITO_WEBHOOK_SECRET: setting(
    list
      .refine(
        (secrets) => secrets.length > 0 && secrets.every(isSigningSecret),
        'must be whsec_ and base64 (echo "whsec_$(openssl rand -base64 32)" makes one); several with commas between them',
      )
      .optional(),
  ),
  // Which of Cognito's tokens clients send: the ID token or the access token.
  COGNITO_TOKEN_USE: setting(
    z.enum(TOKEN_USES, { error: `must be one of ${TOKEN_USES.join(', ')}` }).default('id'),
  ),
  // The pool → Authentication → Extensions → the Pre token generation trigger → Trigger event version.
  COGNITO_TRIGGER_VERSION: setting(
    z.enum(TRIGGER_VERSIONS, { error: `must be one of ${TRIGGER_VERSIONS.join(', ')}` }).default('V1_0'),
  ),
  // The attributes that become users.metadata, with commas between them, such as custom:plan; none if
  // not given.
  COGNITO_METADATA_ATTRIBUTES: setting(list.default([])),
  // Another address of Cognito's API: a VPC endpoint, or a stand-in on this machine, which then is also
  // the issuer.
  COGNITO_ENDPOINT: setting(httpUrl('http://127.0.0.1:9229').optional()),
});

export interface CognitoConfig {
  readonly userPoolId: string;
  /** At least one. */
  readonly clientIds: readonly string[];
  readonly webhookSecrets: readonly string[];
  readonly tokenUse: TokenUse;
  readonly triggerVersion: TriggerVersion;
  readonly metadataAttributes: readonly string[];
  /** Without a trailing slash. */
  readonly endpoint: string | undefined;
}

/**
 * What Cognito's tokens are told by, which is known without any secret.
 * @throws LatchkeyError `configuration-invalid`
 */
export function cognitoTokens(
  env: z.infer<typeof COGNITO_SETTINGS>,
): Pick<CognitoConfig, 'userPoolId' | 'clientIds' | 'tokenUse' | 'triggerVersion' | 'endpoint'> {
  if (env.COGNITO_TOKEN_USE === 'access' && env.COGNITO_TRIGGER_VERSION === 'V1_0') {
    throw new LatchkeyError(
      'configuration-invalid',
      'COGNITO_TOKEN_USE is access, but a V1_0 trigger puts Hasura’s claims into ID tokens only: choose a later Trigger event version and set COGNITO_TRIGGER_VERSION to it, or set COGNITO_TOKEN_USE to id.',
    );
  }
  return {
    userPoolId: needed(
      env.COGNITO_USER_POOL_ID,
      'COGNITO_USER_POOL_ID',
      'copy it from Amazon Cognito → User pools → the pool → Overview → User pool ID',
    ),
    clientIds: needed(
      env.COGNITO_CLIENT_IDS,
      'COGNITO_CLIENT_IDS',
      'copy it from the pool → Applications → App clients → Client ID',
    ),
    tokenUse: env.COGNITO_TOKEN_USE,
    triggerVersion: env.COGNITO_TRIGGER_VERSION,
    endpoint: env.COGNITO_ENDPOINT,
  };
}

/**
 * @returns undefined where Cognito is not set up
 * @throws LatchkeyError `configuration-invalid` where it is set up by half
 */
export function cognitoConfig(env: z.infer<typeof COGNITO_SETTINGS>): CognitoConfig | undefined {
  const own = [env.COGNITO_USER_POOL_ID, env.COGNITO_CLIENT_IDS, env.COGNITO_WEBHOOK_SECRET];
  if (!isAnySet(own)) return undefined;
  return {
    ...cognitoTokens(env),
    webhookSecrets: needed(
      env.COGNITO_WEBHOOK_SECRET,
      'COGNITO_WEBHOOK_SECRET',
      'make one with echo "whsec_$(openssl rand -base64 32)" and give the Lambda functions the same',
    ),
    metadataAttributes: env.COGNITO_METADATA_ATTRIBUTES,
  };
}
