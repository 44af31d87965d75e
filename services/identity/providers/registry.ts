import type { ProviderConfigs } from '../core/config.ts';
import type { ProviderName } from '../core/records.ts';
import type { Known, Provider } from './provider.ts';

/** The configured providers by name. Only their code is loaded. */
export type Registry = ReadonlyMap<ProviderName, Provider>;

export async function loadProviders(config: ProviderConfigs, known: Known): Promise<Registry> {
  const providers: Provider[] = [];
  if (config.clerk !== undefined) {
    const { createClerk } = await import('./clerk/index.ts');
    providers.push(createClerk(config.clerk, config.allowedRoles));
  }
  if (config.casdoor !== undefined) {
    const { createCasdoor } = await import('./casdoor/index.ts');
    providers.push(createCasdoor(config.casdoor, known, config.allowedRoles));
  }
  if (config.cognito !== undefined) {
    const { createCognito } = await import('./cognito/index.ts');
    providers.push(createCognito(config.cognito, known, config.allowedRoles));
  }
  return new Map(providers.map((provider) => [provider.name, provider]));
}
