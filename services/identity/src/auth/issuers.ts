import { LatchkeyError } from '@latchkey/core/errors';
import { engineAuthOf } from '#providers/engine-auth.ts';
import type { Provider } from '#providers/provider.ts';
import type { Registry } from '#providers/registry.ts';

/**
 * The providers by the issuer of their tokens. One whose issuer is not configured has no tokens here.
 *
 * @throws LatchkeyError `configuration-invalid` where two have the same issuer
 */
export function providersByIssuer(providers: Registry): ReadonlyMap<string, Provider> {
  const byIssuer = new Map<string, Provider>();
  for (const provider of providers.values()) {
    for (const issuer of engineAuthOf(provider.tokens)?.issuers ?? []) {
      const other = byIssuer.get(issuer);
      if (other !== undefined) {
        throw new LatchkeyError(
          'configuration-invalid',
          `${issuer} is the issuer of ${other.name} and of ${provider.name} by their settings, and its tokens can be of one alone: correct one of them.`,
        );
      }
      byIssuer.set(issuer, provider);
    }
  }
  return byIssuer;
}
