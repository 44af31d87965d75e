import type { ProviderConfigs } from '../core/config.ts';
import type { ProviderName } from '../core/records.ts';
import type { Provider } from './provider.ts';

/** The configured providers by name. Only their code is loaded. */
export type Registry = ReadonlyMap<ProviderName, Provider>;

export async function loadProviders(config: ProviderConfigs): Promise<Registry> {
  const providers: Provider[] = [];
  if (config.clerk !== undefined) {
    const { createClerk } = await import('./clerk/index.ts');
    providers.push(createClerk(config.clerk));
  }
  if (config.cognito !== undefined) {
    const { createCognito } = await import('./cognito/index.ts');
    providers.push(createCognito(config.cognito));
  }
  return new Map(providers.map((provider) => [provider.name, provider]));
}
