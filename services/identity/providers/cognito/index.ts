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
  return {
    name: 'cognito',
    verify: cognitoVerifier(config.webhookSecrets),
    records: cognitoRecords(config, createCognitoApi(config, 'webhook'), known),
    directory: cognitoDirectory(config, createCognitoApi(config, 'reconcile')),
    lookup: cognitoLookup(config, api),
    engineAuth: () => cognitoEngineAuth(config),
    verifyToken: cognitoTokenVerifier(config),
  };
}
