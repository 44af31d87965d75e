import { isAnySet, list, needed, setting } from '@latchkey/core/settings/fields';
import { z } from 'zod';

const WELL_KNOWN = '/.well-known/openid-configuration';
const EXAMPLE = 'https://login.example.com/realms/app';

export const OIDC_SETTINGS = z.object({
  // The issuer of the tokens, letter for letter as their `iss` has it, a slash at its end too. Its keys are
  // found by <issuer>/.well-known/openid-configuration.
  OIDC_ISSUER: setting(
    z
      .string()
      .trim()
      .refine((text) => !text.includes('/.well-known/'), `must be the issuer alone, without ${WELL_KNOWN}`)
      .refine(isIssuer, `must be an https URL without user, password, ? and #, such as ${EXAMPLE}`)
      .optional(),
  ),
  // Whom the tokens must be meant for (their `aud`): the API's identifier, or the client's id. Any of several,
  // with commas between them.
  OIDC_AUDIENCE: setting(
    list.refine((audience) => audience.length > 0, 'must name at least one audience').optional(),
  ),
  // Where the keys are, if they are not to be found by the issuer. Then nothing but keys is asked for, and
  // profiles are what tokens say.
  OIDC_JWKS_URL: setting(
    z.string().trim().refine(isKeysUrl, 'must be an http(s) URL without user, password and #').optional(),
  ),
});

export interface OidcConfig {
  /** Compared letter for letter. */
  readonly issuer: string;
  /** At least one; a token must be for any of them. */
  readonly audience: readonly string[];
  /** Undefined: what discovery says. */
  readonly keysUrl: string | undefined;
  /** Where Hasura reaches the service, which passes the keys on. */
  readonly serviceUrl: string;
}

/**
 * What the tokens are told by; none of it is a secret.
 * @throws LatchkeyError `configuration-invalid`
 */
export function oidcTokens(
  env: z.infer<typeof OIDC_SETTINGS>,
): Pick<OidcConfig, 'issuer' | 'audience' | 'keysUrl'> {
  return {
    issuer: needed(
      env.OIDC_ISSUER,
      'OIDC_ISSUER',
      `copy issuer from ${WELL_KNOWN} of your provider, letter for letter`,
    ),
    audience: needed(
      env.OIDC_AUDIENCE,
      'OIDC_AUDIENCE',
      'set it to what your tokens have as aud: the API’s identifier, or the client’s id',
    ),
    keysUrl: env.OIDC_JWKS_URL,
  };
}

/**
 * @returns undefined where it is not set up
 * @throws LatchkeyError `configuration-invalid` where it is set up by half
 */
export function oidcConfig(
  env: z.infer<typeof OIDC_SETTINGS>,
  { serviceUrl }: { readonly serviceUrl: string },
): OidcConfig | undefined {
  if (!isAnySet([env.OIDC_ISSUER, env.OIDC_AUDIENCE, env.OIDC_JWKS_URL])) return undefined;
  return { ...oidcTokens(env), serviceUrl };
}

function isIssuer(text: string): boolean {
  return isSafe(text) && !/[?#]/.test(text);
}

/**
 * Whether nobody on the way can change what is read from there, for whoever can change the keys can be
 * anybody: https, or a stand-in on this machine.
 */
export function isSafe(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || `${url.username}${url.password}${url.hash}` !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

/** It is named by whoever runs the service, so it may be an address inside. */
function isKeysUrl(text: string): boolean {
  const { protocol = '', username = '', password = '', hash = '' } = URL.parse(text) ?? {};
  return /^https?:$/.test(protocol) && `${username}${password}${hash}` === '';
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
