import type { StoredState } from '#core/stored-state.ts';
import type { CompleteProvider } from '#providers/provider.ts';
import { cognitoAccounts } from './accounts.ts';
import { cognitoDeliveries } from './deliveries.ts';
import { cognitoListing } from './directory.ts';
import { cognitoEngineAuth } from './engine-auth.ts';
import { cognitoKeySource } from './keys.ts';
import { cognitoLookup } from './lookup.ts';
import { type PoolPlace, placesOf } from './pool.ts';
import { connectPools } from './pools.ts';
import type { CognitoConfig } from './settings.ts';
import { cognitoVerifier } from './verify.ts';
import { cognitoTokenVerifier } from './verify-token.ts';

/** @param allowedRoles those that a token may give besides `user` */
export function createCognito(
  config: CognitoConfig,
  stored: StoredState,
  allowedRoles: readonly string[] = [],
): CompleteProvider {
  const pools = connectPools(config);
  const withKeys = (place: PoolPlace) => ({ place, keys: cognitoKeySource(place) });
  const [place, ...others] = placesOf(config);
  const first = withKeys(place);
  return {
    name: 'cognito',
    tokens: {
      engineAuth: () => cognitoEngineAuth(config),
      // Of several pools the first one's: each key is good for its own pool alone, and Hasura, which tries
      // them all, must not be given those of another.
      keys: first.keys.keys,
      verifyToken: cognitoTokenVerifier(config, [first, ...others.map(withKeys)], allowedRoles),
    },
    webhooks: { verify: cognitoVerifier(config.webhookSecrets), parse: cognitoDeliveries(pools, stored) },
    directory: { ...cognitoListing(pools), lookup: cognitoLookup(pools) },
    accounts: cognitoAccounts(pools),
  };
}
