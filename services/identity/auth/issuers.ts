import { LatchkeyError } from '../core/errors.ts';
import type { Provider } from '../providers/provider.ts';
import type { Registry } from '../providers/registry.ts';

/** The providers by the issuer of their tokens. One whose issuer is not configured has no tokens here. */
export function providersByIssuer(providers: Registry): ReadonlyMap<string, Provider> {
  const byIssuer = new Map<string, Provider>();
  for (const provider of providers.values()) {
    for (const issuer of issuersOf(provider)) byIssuer.set(issuer, provider);
  }
  return byIssuer;
}

function issuersOf(provider: Provider): readonly string[] {
  try {
    return provider.engineAuth().issuers;
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === 'configuration-invalid') return [];
    throw error;
  }
}
