import { LatchkeyError } from '../core/errors.ts';
import type { Provider } from '../providers/provider.ts';
import type { Registry } from '../providers/registry.ts';

/** The providers by the issuer of their tokens. One whose issuer is not configured has no tokens here. */
export function providersByIssuer(providers: Registry): ReadonlyMap<string, Provider> {
  const byIssuer = new Map<string, Provider>();
  for (const provider of providers.values()) {
    const issuer = issuerOf(provider);
    if (issuer !== undefined) byIssuer.set(issuer, provider);
  }
  return byIssuer;
}

function issuerOf(provider: Provider): string | undefined {
  try {
    return provider.engineAuth().issuer;
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === 'configuration-invalid') return undefined;
    throw error;
  }
}
