import { decodeJwt } from 'jose';
import { refused } from '#providers/jwt.ts';
import type { KeySource } from '#providers/key-source.ts';
import type { CompleteProvider, Tokens } from '#providers/provider.ts';
import { clerkAccounts } from './accounts.ts';
import { clerkDeliveries } from './deliveries.ts';
import { clerkListing } from './directory.ts';
import { clerkEngineAuth, clerkIssuers } from './engine-auth.ts';
import { clerkKeySource } from './keys.ts';
import { clerkLookup } from './lookup.ts';
import type { ClerkConfig } from './settings.ts';
import { clerkVerifier } from './verify.ts';
import { clerkTokenVerifier } from './verify-token.ts';

/** @param allowedRoles those that a token may give besides `user` */
export function createClerk(config: ClerkConfig, allowedRoles: readonly string[] = []): CompleteProvider {
  // Webhooks need no issuer: a missing one is an error only where a token comes in, a wrong one at once.
  const isNamed = config.publishableKey !== undefined || config.frontendApiUrl !== undefined;
  let verified = isNamed ? createTokens(config, allowedRoles) : undefined;
  return {
    name: 'clerk',
    tokens: {
      engineAuth: () => clerkEngineAuth(config),
      async keys() {
        verified ??= createTokens(config, allowedRoles);
        return verified.keys();
      },
      async verifyToken(token) {
        verified ??= createTokens(config, allowedRoles);
        return verified.verifyToken(token);
      },
    },
    webhooks: { verify: clerkVerifier(config.webhookSecrets), parse: clerkDeliveries(config) },
    directory: { ...clerkListing(config), lookup: clerkLookup(config) },
    accounts: clerkAccounts(config),
  };
}

/** `keys` are those of the first issuer, which is the one that Hasura trusts by itself. Each issuer has keys of its own, and its tokens are verified by those alone. */
function createTokens(
  config: ClerkConfig,
  allowedRoles: readonly string[],
): Pick<Tokens, 'keys' | 'verifyToken'> {
  const { authorizedParties, instanceId: tenant } = config;
  const [first, ...others] = clerkIssuers(config);
  const firstKeys = clerkKeySource(first);
  const verifierOf = (issuer: string, keys: KeySource) =>
    clerkTokenVerifier({ issuer, keys, tenant, authorizedParties, allowedRoles });
  const verifiers = new Map([
    [first, verifierOf(first, firstKeys)],
    ...others.map((issuer) => [issuer, verifierOf(issuer, clerkKeySource(issuer))] as const),
  ]);
  return {
    keys: firstKeys.keys,
    async verifyToken(token) {
      const verify = verifiers.get(unverifiedIssuer(token) ?? '');
      if (verify === undefined) throw refused('its issuer is not Clerk’s as it is set up here');
      return verify(token);
    },
  };
}

/** Nobody has verified it yet: it only says by whose keys to verify it. */
function unverifiedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch (cause) {
    throw refused('it is no JWT', cause);
  }
}
