import type { CognitoConfig } from '../../core/config.ts';
import type { Known, Provider } from '../provider.ts';
import { createCognitoApi } from './api.ts';
import { cognitoDirectory } from './directory.ts';
import { cognitoEngineAuth } from './engine-auth.ts';
import { cognitoLookup } from './lookup.ts';
import { cognitoRecords } from './records.ts';
import { cognitoVerifier } from './verify.ts';
import { cognitoTokenVerifier } from './verify-token.ts';

export function createCognito(config: CognitoConfig, known: Known): Provider {
  const api = createCognitoApi(config);
  return {
    name: 'cognito',
    verify: cognitoVerifier(config.webhookSecrets),
    records: cognitoRecords(config, api, known),
    directory: cognitoDirectory(config, api),
    lookup: cognitoLookup(config, api),
    engineAuth: () => cognitoEngineAuth(config),
    verifyToken: cognitoTokenVerifier(config),
  };
}
