import { httpUrl, isAnySet, setting } from '@latchkey/core/settings/fields';
import { z } from 'zod';

const text = setting(z.string().optional());
/** One that is none is the SDK's to refuse, where it is used at all. */
const address = setting(httpUrl('http://127.0.0.1:4566').optional()).catch(undefined);

/**
 * The AWS SDK's own variables, as far as something must be known of them. It reads the environment
 * itself, and does not know what the commands take from `.env`.
 */
export const AWS_SETTINGS = z.object({
  AWS_ACCESS_KEY_ID: text,
  AWS_SECRET_ACCESS_KEY: text,
  AWS_SESSION_TOKEN: text,
  AWS_PROFILE: text,
  AWS_WEB_IDENTITY_TOKEN_FILE: text,
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: text,
  AWS_CONTAINER_CREDENTIALS_FULL_URI: text,
  // Another address of the APIs, of Cognito's alone or of all of them.
  AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: address,
  AWS_ENDPOINT_URL: address,
  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: text,
});
type AwsSettings = z.infer<typeof AWS_SETTINGS>;

/** As the AWS SDK takes them. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The address that the SDK's variables give Cognito's API; undefined for AWS's own. */
export function awsEndpoint(env: AwsSettings): string | undefined {
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true') return undefined;
  return env.AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER ?? env.AWS_ENDPOINT_URL;
}

/**
 * The credentials for Cognito's API: the keys that are set or, of a stand-in on this machine, any. A
 * stand-in must not make the SDK look for an account, nor take the place of one that is configured.
 *
 * @returns undefined for those that the SDK finds: a profile, a role
 */
export function awsCredentials(env: AwsSettings, endpoint: string | undefined): AwsCredentials | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  // A profile that is chosen comes first, as in the SDK.
  if (env.AWS_PROFILE !== undefined) return undefined;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    const { AWS_SESSION_TOKEN: sessionToken } = env;
    return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  }
  const roles = [
    env.AWS_WEB_IDENTITY_TOKEN_FILE,
    env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI,
    env.AWS_CONTAINER_CREDENTIALS_FULL_URI,
  ];
  if (!isOnThisMachine(endpoint) || isAnySet(roles)) return undefined;
  return { accessKeyId: 'local', secretAccessKey: 'local' };
}

/** Whether an address is one of this machine alone. */
export function isOnThisMachine(url: string | undefined): boolean {
  const { hostname = '' } = (url !== undefined && URL.parse(url)) || {};
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
