import { decodeJwt } from 'jose';
import type { ClerkConfig } from '#core/config.ts';
import { refused } from '#providers/jwt.ts';
import type { KeptKeys, KeySource } from '#providers/key-source.ts';
import type { Provider, VerifiedToken } from '#providers/provider.ts';
import { clerkAccounts } from './accounts.ts';
import { clerkDeliveries } from './deliveries.ts';
import { clerkDirectory } from './directory.ts';
import { clerkEngineAuth, clerkIssuers, clerkKeySource } from './engine-auth.ts';
import { clerkLookup } from './lookup.ts';
import { clerkVerifier } from './verify.ts';
import { clerkTokenVerifier } from './verify-token.ts';

/** @param allowedRoles those that a token may give besides `user` */
export function createClerk(config: ClerkConfig, allowedRoles: readonly string[] = []): Provider {
  // Webhooks need no issuer: a missing one is an error only where a token comes in, a wrong one at once.
  const isNamed = config.publishableKey !== undefined || config.frontendApiUrl !== undefined;
  let tokens = isNamed ? createTokens(config, allowedRoles) : undefined;
  return {
    name: 'clerk',
    verify: clerkVerifier(config.webhookSecrets),
    records: clerkDeliveries(config),
    directory: clerkDirectory(config),
    lookup: clerkLookup(config),
    accounts: clerkAccounts(config),
    engineAuth: () => clerkEngineAuth(config),
    async keys() {
      tokens ??= createTokens(config, allowedRoles);
      return tokens.keys();
    },
    async verifyToken(token) {
      tokens ??= createTokens(config, allowedRoles);
      return tokens.verifyToken(token);
    },
  };
}

interface Tokens {
  /** Of the first issuer, which is the one that Hasura trusts by itself. */
  keys(): Promise<KeptKeys>;
  verifyToken(token: string): Promise<VerifiedToken>;
}

/** Each issuer has keys of its own, and its tokens are verified by those alone. */
function createTokens(config: ClerkConfig, allowedRoles: readonly string[]): Tokens {
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
