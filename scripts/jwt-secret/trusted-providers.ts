import { LatchkeyError } from '@latchkey/core/errors';
import { CLAIM_SETTINGS } from '@latchkey/core/settings/claims';
import { settingsError } from '@latchkey/core/settings/fields';
import type { ProviderName } from '@latchkey/identity/core/records';
import { ADDRESS_SETTINGS, serviceUrl } from '@latchkey/identity/core/settings/service';
import type { ProviderDefinition } from '@latchkey/identity/providers/definition';
import type { EngineAuth } from '@latchkey/identity/providers/provider';
import { PROVIDER_NAMES, PROVIDERS } from '@latchkey/identity/providers/registry';
import type { z } from 'zod';
import type { Environment } from '../environment.ts';

export type TrustedProvider = Pick<ProviderDefinition, 'name' | 'screens'> & { auth: EngineAuth };

/**
 * The providers that are meant: those that are named, or else those that are set up, or else the first there is.
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
  const found = PROVIDERS.filter(({ signs }) =>
    signs.some((variable) => environment[variable] !== undefined),
  );
  return found.length > 0 ? found.map(({ name }) => name) : PROVIDER_NAMES.slice(0, 1);
}

/**
 * How Hasura is made to trust a provider.
 *
 * @param environment the settings of the identity service; its secrets are not needed
 * @throws LatchkeyError `configuration-invalid`
 */
export function trust(name: ProviderName, environment: Environment): TrustedProvider {
  const { LATCHKEY_CLAIMS: claims } = read(CLAIM_SETTINGS, environment);
  const definition = PROVIDERS.find((provider) => provider.name === name);
  if (definition === undefined) throw new Error(`${name} is not in the registry.`);
  const context = { claims, serviceUrl: readServiceUrl(environment) };
  return { name, screens: definition.screens, auth: definition.engineAuth(environment, context) };
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
