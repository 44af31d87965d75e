import type { ProviderConfigs } from '#core/config.ts';
import type { ProviderName } from '#core/records.ts';
import type { StoredState } from '#core/stored-state.ts';
import type { Provider } from './provider.ts';

/** The configured providers by name. Only their code is loaded. */
export type Registry = ReadonlyMap<ProviderName, Provider>;

export async function loadProviders(config: ProviderConfigs, stored: StoredState): Promise<Registry> {
  const providers: Provider[] = [];
  if (config.clerk !== undefined) {
    const { createClerk } = await import('#providers/clerk/index.ts');
    providers.push(createClerk(config.clerk, config.allowedRoles));
  }
  if (config.casdoor !== undefined) {
    const { createCasdoor } = await import('#providers/casdoor/index.ts');
    providers.push(createCasdoor(config.casdoor, stored, config.allowedRoles));
  }
  if (config.cognito !== undefined) {
    const { createCognito } = await import('#providers/cognito/index.ts');
    providers.push(createCognito(config.cognito, stored, config.allowedRoles));
  }
  return new Map(providers.map((provider) => [provider.name, provider]));
}
