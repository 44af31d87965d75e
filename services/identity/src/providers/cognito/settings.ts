import { LatchkeyError } from '@latchkey/core/errors';
import {
  flag,
  httpUrl,
  isAnySet,
  isSigningSecret,
  list,
  needed,
  setting,
} from '@latchkey/core/settings/fields';
import { z } from 'zod';
import { AWS_SETTINGS, type AwsCredentials, awsCredentials, awsEndpoint } from './aws.ts';

const TOKEN_USES = ['id', 'access'] as const;
export type TokenUse = (typeof TOKEN_USES)[number];

/** As the AWS API names the versions of the event that the Pre token generation trigger gets. */
const TRIGGER_VERSIONS = ['V1_0', 'V2_0', 'V3_0'] as const;
export type TriggerVersion = (typeof TRIGGER_VERSIONS)[number];

const POOL_ID = /^[\w-]+_[0-9A-Za-z]+$/;

/** An address below which each pool has a folder of its own; whatever of that is given too is left out. */
const poolsAddress = (example: string) =>
  httpUrl(example).transform((url) =>
    url.replace(/\/\.well-known\/jwks\.json$/, '').replace(/\/[\w-]+_[0-9A-Za-z]+$/, ''),
  );

export const COGNITO_SETTINGS = z.object({
  // Amazon Cognito → User pools → the pool → Overview → User pool ID; several with commas between them. The
  // region and the issuer of the tokens follow from it.
  COGNITO_USER_POOL_ID: setting(
    list
      .refine(
        (ids) => ids.length > 0 && ids.every((id) => POOL_ID.test(id)),
        'must be the User pool ID, such as eu-west-1_AbCdEfGhI (the pool’s Overview), not its name or ARN; several with commas between them',
      )
      .transform((ids) => [...new Set(ids)])
      .optional(),
  ),
  // The pool → Applications → App clients → Client ID. Only tokens of these are accepted; several, also of
  // several pools, with commas between them.
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
  // Whether the groups that Cognito makes by itself, <User pool ID>_<Provider>, are organizations and roles
  // too. All who come from that identity provider share it.
  COGNITO_FEDERATED_GROUPS: flag,
  // Whether people are kept before they have confirmed their sign-up. Until then anybody may have signed up
  // with any address.
  COGNITO_UNCONFIRMED_USERS: flag,
  // Another address of Cognito's API: a VPC endpoint, or a stand-in on this machine, which then is also
  // the issuer.
  COGNITO_ENDPOINT: setting(httpUrl('http://127.0.0.1:9229').optional()),
  // For a stand-in: what its tokens name as their issuer, up to the User pool ID.
  COGNITO_ISSUER: setting(poolsAddress('https://cognito-idp.eu-west-1.amazonaws.com').optional()),
  // Another address of the keys, up to the User pool ID: the rest of it is /.well-known/jwks.json.
  COGNITO_KEYS_URL: setting(poolsAddress('http://127.0.0.1:9229').optional()),
  ...AWS_SETTINGS.shape,
});

/** What Cognito's tokens are told by. */
export interface CognitoTokens {
  /** Each once, in the order of the setting. */
  readonly userPoolIds: readonly [string, ...string[]];
  /** At least one, of any of the pools. */
  readonly clientIds: readonly string[];
  readonly tokenUse: TokenUse;
  readonly triggerVersion: TriggerVersion;
  /** Without a trailing slash, as are the other addresses. */
  readonly endpoint: string | undefined;
  /** The issuers less `/<User pool ID>`; undefined for AWS's own or, of a stand-in, its endpoint. */
  readonly issuer: string | undefined;
  /** The addresses of the keys less `/<User pool ID>/.well-known/jwks.json`; undefined for the usual ones. */
  readonly keysUrl: string | undefined;
}

export interface CognitoConfig extends CognitoTokens {
  readonly webhookSecrets: readonly string[];
  readonly metadataAttributes: readonly string[];
  readonly keepsFederatedGroups: boolean;
  readonly keepsUnconfirmedUsers: boolean;
  /** Where the API is, if not at AWS's own address. It need not be the `endpoint`, nor says who issues. */
  readonly apiEndpoint: string | undefined;
  /** Undefined: those that the AWS SDK finds. */
  readonly credentials: AwsCredentials | undefined;
}

/**
 * What Cognito's tokens are told by, which is known without any secret.
 * @throws LatchkeyError `configuration-invalid`
 */
export function cognitoTokens(env: z.infer<typeof COGNITO_SETTINGS>): CognitoTokens {
  if (env.COGNITO_TOKEN_USE === 'access' && env.COGNITO_TRIGGER_VERSION === 'V1_0') {
    throw new LatchkeyError(
      'configuration-invalid',
      'COGNITO_TOKEN_USE is access, but a V1_0 trigger puts Hasura’s claims into ID tokens only: choose a later Trigger event version and set COGNITO_TRIGGER_VERSION to it, or set COGNITO_TOKEN_USE to id.',
    );
  }
  const [first, ...others] = env.COGNITO_USER_POOL_ID ?? [];
  return {
    userPoolIds: [
      needed(
        first,
        'COGNITO_USER_POOL_ID',
        'copy it from Amazon Cognito → User pools → the pool → Overview → User pool ID',
      ),
      ...others,
    ],
    clientIds: needed(
      env.COGNITO_CLIENT_IDS,
      'COGNITO_CLIENT_IDS',
      'copy it from the pool → Applications → App clients → Client ID',
    ),
    tokenUse: env.COGNITO_TOKEN_USE,
    triggerVersion: env.COGNITO_TRIGGER_VERSION,
    endpoint: env.COGNITO_ENDPOINT,
    issuer: env.COGNITO_ISSUER,
    keysUrl: env.COGNITO_KEYS_URL,
  };
}

/**
 * @param claimed the attributes that become session variables, and so must be in users.metadata
 * @returns undefined where Cognito is not set up
 * @throws LatchkeyError `configuration-invalid` where it is set up by half
 */
export function cognitoConfig(
  env: z.infer<typeof COGNITO_SETTINGS>,
  claimed: readonly string[] = [],
): CognitoConfig | undefined {
  const own = [env.COGNITO_USER_POOL_ID, env.COGNITO_CLIENT_IDS, env.COGNITO_WEBHOOK_SECRET];
  if (!isAnySet(own)) return undefined;
  const apiEndpoint = env.COGNITO_ENDPOINT ?? awsEndpoint(env);
  return {
    ...cognitoTokens(env),
    webhookSecrets: needed(
      env.COGNITO_WEBHOOK_SECRET,
      'COGNITO_WEBHOOK_SECRET',
      'make one with echo "whsec_$(openssl rand -base64 32)" and give the Lambda functions the same',
    ),
    metadataAttributes: [...new Set([...env.COGNITO_METADATA_ATTRIBUTES, ...claimed])],
    keepsFederatedGroups: env.COGNITO_FEDERATED_GROUPS,
    keepsUnconfirmedUsers: env.COGNITO_UNCONFIRMED_USERS,
    apiEndpoint,
    credentials: awsCredentials(env, apiEndpoint),
  };
}
