import type { CasdoorConfig } from '../../core/config.ts';
import type { Known, Provider } from '../provider.ts';
import { casdoorAccounts } from './accounts.ts';
import { createCasdoorApi } from './api.ts';
import { casdoorDirectory } from './directory.ts';
import { casdoorEngineAuth } from './engine-auth.ts';
import { casdoorKeySource } from './keys.ts';
import { casdoorLookup } from './lookup.ts';
import { casdoorRecords } from './records.ts';
import { casdoorVerifier } from './verify.ts';
import { casdoorTokenVerifier } from './verify-token.ts';

/** @param allowedRoles those that a token may give besides `user` */
export function createCasdoor(
  config: CasdoorConfig,
  known: Known,
  allowedRoles: readonly string[] = [],
): Provider {
  const api = createCasdoorApi(config);
  const keys = casdoorKeySource(config);
  return {
    name: 'casdoor',
    verify: casdoorVerifier(config),
    records: casdoorRecords(config, api, known),
    directory: casdoorDirectory(config, api),
    lookup: casdoorLookup(config, api, known),
    accounts: casdoorAccounts(config, api, known),
    engineAuth: () => casdoorEngineAuth(config),
    keys: keys.keys,
    verifyToken: casdoorTokenVerifier(config, keys, allowedRoles),
  };
}
