import { LatchkeyError } from '@latchkey/core/errors';
import { CLAIM_SETTINGS } from '@latchkey/core/settings/claims';
import { settingsError } from '@latchkey/core/settings/fields';
import { ADDRESS_SETTINGS, serviceUrl } from '@latchkey/identity/core/config';
import { PROVIDER_NAMES, type ProviderName } from '@latchkey/identity/core/records';
import { CASDOOR_SETTINGS, casdoorTokens } from '@latchkey/identity/core/settings/casdoor';
import { CLERK_SETTINGS, clerkTokens } from '@latchkey/identity/core/settings/clerk';
import { COGNITO_SETTINGS, cognitoTokens } from '@latchkey/identity/core/settings/cognito';
import { casdoorEngineAuth } from '@latchkey/identity/providers/casdoor/engine-auth';
import { clerkEngineAuth } from '@latchkey/identity/providers/clerk/engine-auth';
import { cognitoEngineAuth } from '@latchkey/identity/providers/cognito/engine-auth';
import type { EngineAuth } from '@latchkey/identity/providers/provider';
import type { z } from 'zod';
import type { Environment } from '../environment.ts';

export type TrustedProvider = { name: ProviderName; auth: EngineAuth };

/** Any of these means that the provider is in use. */
const SIGNS: Record<ProviderName, readonly string[]> = {
  clerk: ['CLERK_PUBLISHABLE_KEY', 'CLERK_FRONTEND_API_URL', 'CLERK_WEBHOOK_SECRET'],
  casdoor: ['CASDOOR_ENDPOINT', 'CASDOOR_ISSUER', 'CASDOOR_CLIENT_ID'],
  cognito: ['COGNITO_USER_POOL_ID', 'COGNITO_CLIENT_IDS'],
};

/**
 * The providers that are meant: those that are named, or else those that are set up, or else Clerk.
 *
 * @param named as on the command line, also several with commas between them
 * @throws LatchkeyError `configuration-invalid`
 */
export function chooseProviders(named: readonly string[], environment: Environment): ProviderName[] {
  const names = named.flatMap((text) => text.split(',')).map((name) => name.trim());
  const unknown = names.find((name) => !PROVIDER_NAMES.some((known) => known === name));
  if (unknown !== undefined) {
    throw new LatchkeyError(
      'configuration-invalid',
      `--provider takes ${PROVIDER_NAMES.join(', ')}, not ${unknown}.`,
    );
  }
  if (names.length > 0) return PROVIDER_NAMES.filter((name) => names.includes(name));
  const found = PROVIDER_NAMES.filter((name) =>
    SIGNS[name].some((variable) => environment[variable] !== undefined),
  );
  return found.length > 0 ? found : ['clerk'];
}

/**
 * How Hasura is made to trust a provider.
 *
 * @param environment the settings of the identity service; its secrets are not needed
 * @throws LatchkeyError `configuration-invalid`
 */
export function trust(name: ProviderName, environment: Environment): TrustedProvider {
  const { LATCHKEY_CLAIMS: claims } = read(CLAIM_SETTINGS, environment);
  switch (name) {
    case 'clerk':
      return { name, auth: clerkEngineAuth(clerkTokens(read(CLERK_SETTINGS, environment)), claims) };
    case 'casdoor': {
      const tokens = casdoorTokens(read(CASDOOR_SETTINGS, environment));
      return {
        name,
        auth: casdoorEngineAuth({ ...tokens, serviceUrl: readServiceUrl(environment) }, claims),
      };
    }
    case 'cognito':
      return { name, auth: cognitoEngineAuth(cognitoTokens(read(COGNITO_SETTINGS, environment))) };
  }
}

/** Where Hasura reaches the identity service. */
export function readServiceUrl(environment: Environment): string {
  return serviceUrl(read(ADDRESS_SETTINGS, environment));
}

function read<T extends z.ZodType>(settings: T, environment: Environment): z.infer<T> {
  const parsed = settings.safeParse(environment);
  if (!parsed.success) throw settingsError(parsed.error);
  return parsed.data;
}
