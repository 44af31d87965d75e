import type { CognitoConfig } from '../../core/config.ts';
import type { Provider, StoredState } from '../provider.ts';
import { cognitoAccounts } from './accounts.ts';
import { createCognitoApi } from './api.ts';
import { cognitoDirectory } from './directory.ts';
import { cognitoEngineAuth } from './engine-auth.ts';
import { cognitoLookup } from './lookup.ts';
import { cognitoKeySource } from './pool.ts';
import { cognitoRecords } from './records.ts';
import { cognitoVerifier } from './verify.ts';
import { cognitoTokenVerifier } from './verify-token.ts';

/** @param allowedRoles those that a token may give besides `user` */
export function createCognito(
  config: CognitoConfig,
  stored: StoredState,
  allowedRoles: readonly string[] = [],
): Provider {
  const keys = cognitoKeySource(config);
  const api = createCognitoApi(config);
  return {
    name: 'cognito',
    verify: cognitoVerifier(config.webhookSecrets),
    records: cognitoRecords(config, api, stored),
    directory: cognitoDirectory(config, api),
    lookup: cognitoLookup(config, api),
    accounts: cognitoAccounts(config, api),
    engineAuth: () => cognitoEngineAuth(config),
    keys: keys.keys,
    verifyToken: cognitoTokenVerifier(config, keys, allowedRoles),
  };
}
