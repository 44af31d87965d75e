import type { ClerkConfig } from '../../core/config.ts';
import type { Provider } from '../provider.ts';
import { clerkAccounts } from './accounts.ts';
import { clerkDeliveries } from './deliveries.ts';
import { clerkDirectory } from './directory.ts';
import { clerkEngineAuth, clerkIssuer, clerkKeySource } from './engine-auth.ts';
import { clerkLookup } from './lookup.ts';
import { clerkVerifier } from './verify.ts';
import { clerkTokenVerifier } from './verify-token.ts';

/** @param allowedRoles those that a token may give besides `user` */
export function createClerk(config: ClerkConfig, allowedRoles: readonly string[] = []): Provider {
  const withIssuer = (): Pick<Provider, 'keys' | 'verifyToken'> => {
    const issuer = clerkIssuer(config);
    const keys = clerkKeySource(issuer);
    const { authorizedParties } = config;
    return {
      keys: keys.keys,
      verifyToken: clerkTokenVerifier(issuer, authorizedParties, keys, allowedRoles),
    };
  };
  // Webhooks need no issuer: a missing one is an error only where a token comes in, a wrong one at once.
  const isNamed = config.publishableKey !== undefined || config.frontendApiUrl !== undefined;
  let tokens = isNamed ? withIssuer() : undefined;
  return {
    name: 'clerk',
    verify: clerkVerifier(config.webhookSecrets),
    records: clerkDeliveries(config),
    directory: clerkDirectory(config),
    lookup: clerkLookup(config),
    accounts: clerkAccounts(config),
    engineAuth: () => clerkEngineAuth(config),
    async keys() {
      tokens ??= withIssuer();
      return tokens.keys();
    },
    async verifyToken(token) {
      tokens ??= withIssuer();
      return tokens.verifyToken(token);
    },
  };
}
