import type { StoredState } from '#core/stored-state.ts';
import type { CompleteProvider } from '#providers/provider.ts';
import { casdoorAccounts } from './accounts.ts';
import { createCasdoorApi } from './api.ts';
import { casdoorDeliveries } from './deliveries.ts';
import { casdoorListing } from './directory.ts';
import { casdoorEngineAuth } from './engine-auth.ts';
import { casdoorKeySource } from './keys.ts';
import { casdoorDeparture, casdoorLookup } from './lookup.ts';
import type { CasdoorConfig } from './settings.ts';
import { casdoorVerifier } from './verify.ts';
import { casdoorTokenVerifier } from './verify-token.ts';

/** @param allowedRoles those that a token may give besides `user` */
export function createCasdoor(
  config: CasdoorConfig,
  stored: StoredState,
  allowedRoles: readonly string[] = [],
): CompleteProvider {
  const api = createCasdoorApi(config);
  const keys = casdoorKeySource(config);
  return {
    name: 'casdoor',
    tokens: {
      engineAuth: () => casdoorEngineAuth(config),
      keys: keys.keys,
      verifyToken: casdoorTokenVerifier(config, keys, stored, allowedRoles),
    },
    webhooks: { verify: casdoorVerifier(config), parse: casdoorDeliveries(config, api, stored) },
    directory: {
      ...casdoorListing(config, api, stored),
      lookup: casdoorLookup(config, api),
      hasLeft: casdoorDeparture(api),
    },
    accounts: casdoorAccounts(config, api),
  };
}
