import { LatchkeyError } from '@latchkey/core/errors';
import type { CustomClaim } from '@latchkey/core/settings/claims';
import type { ProviderConfigMap, ProviderName } from '#core/records.ts';
import type { StoredState } from '#core/stored-state.ts';
import { casdoor } from './casdoor/definition.ts';
import { clerk } from './clerk/definition.ts';
import { cognito } from './cognito/definition.ts';
import type { Environment, ProviderDefinition, SettingsContext } from './definition.ts';
import { oidc } from './oidc/definition.ts';
import type { Provider } from './provider.ts';

/** All providers: one line for each. Whatever is said of providers elsewhere follows from it. */
export const PROVIDERS = [
  clerk, //
  casdoor,
  cognito,
  oidc,
] as const;

export const PROVIDER_NAMES: readonly ProviderName[] = PROVIDERS.map(({ name }) => name);

/** @param name as a row has it: it may be that of a provider that is not known here any more */
export function definitionOf(name: string): ProviderDefinition | undefined {
  return PROVIDERS.find((provider) => provider.name === name);
}

/** The configurations of those that are set up. */
export type ProviderConfigs = { readonly [Name in ProviderName]?: ProviderConfigMap[Name] };

/**
 * Reads the configurations of those that are set up.
 *
 * @throws LatchkeyError `configuration-invalid` where there is none, or one is set up by half
 */
export function providerConfigs(environment: Environment, context: SettingsContext): ProviderConfigs {
  const configs = Object.assign({}, ...PROVIDERS.map((provider) => configOf(provider, environment, context)));
  if (Object.keys(configs).length > 0) return configs;
  const guides = PROVIDERS.map(({ guide }) => guide).join(', ');
  throw new LatchkeyError(
    'configuration-invalid',
    `${clerk.signs[0]} is missing, and no other provider is set up: set the variables of the one you use (${guides}).`,
  );
}

function configOf(
  provider: ProviderDefinition,
  environment: Environment,
  context: SettingsContext,
): ProviderConfigs {
  const config = provider.config(environment, context);
  return config === undefined ? {} : { [provider.name]: config };
}

/** The configured providers by name. Only their code is loaded. */
export type Registry = ReadonlyMap<ProviderName, Provider>;

export async function loadProviders(
  configs: ProviderConfigs & {
    readonly allowedRoles: readonly string[];
    readonly claims?: readonly CustomClaim[];
  },
  stored: StoredState,
): Promise<Registry> {
  const { allowedRoles, claims = [] } = configs;
  const byName: ProviderConfigs = configs;
  const load = async <Name extends ProviderName>(
    definition: ProviderDefinition<Name>,
  ): Promise<Provider[]> => {
    const config = byName[definition.name];
    if (config === undefined) return [];
    const { create } = await definition.load();
    return [create(config, { stored, allowedRoles, claims })];
  };
  const providers = (await Promise.all(PROVIDERS.map((definition) => load<ProviderName>(definition)))).flat();
  return new Map(providers.map((provider) => [provider.name, provider]));
}
