import type { ClerkConfig } from '../../core/config.ts';
import type { Provider } from '../provider.ts';
import { clerkDirectory } from './directory.ts';
import { clerkEngineAuth, clerkIssuer } from './engine-auth.ts';
import { clerkLookup } from './lookup.ts';
import { clerkRecords } from './records.ts';
import { clerkVerifier } from './verify.ts';
import { clerkTokenVerifier } from './verify-token.ts';

export function createClerk(config: ClerkConfig): Provider {
  // Webhooks need no issuer, so a missing one is an error only where a token comes in.
  let verifyToken: Provider['verifyToken'] | undefined;
  return {
    name: 'clerk',
    verify: clerkVerifier(config.webhookSecrets),
    records: clerkRecords,
    directory: clerkDirectory(config),
    lookup: clerkLookup(config),
    engineAuth: () => clerkEngineAuth(config),
    async verifyToken(token) {
      verifyToken ??= clerkTokenVerifier(clerkIssuer(config), config.authorizedParties);
      return verifyToken(token);
    },
  };
}
