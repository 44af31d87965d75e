import { engineAuthOf } from '../providers/engine-auth.ts';
import type { Provider } from '../providers/provider.ts';
import type { Registry } from '../providers/registry.ts';

/** The providers by the issuer of their tokens. One whose issuer is not configured has no tokens here. */
export function providersByIssuer(providers: Registry): ReadonlyMap<string, Provider> {
  const byIssuer = new Map<string, Provider>();
  for (const provider of providers.values()) {
    for (const issuer of engineAuthOf(provider)?.issuers ?? []) byIssuer.set(issuer, provider);
  }
  return byIssuer;
}
