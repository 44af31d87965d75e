import type { CasdoorConfig } from '../../core/config.ts';
import type { Known, Provider } from '../provider.ts';
import { createCasdoorApi } from './api.ts';
import { casdoorDirectory } from './directory.ts';
import { casdoorEngineAuth } from './engine-auth.ts';
import { readCasdoorKeys } from './keys.ts';
import { casdoorLookup } from './lookup.ts';
import { casdoorRecords } from './records.ts';
import { casdoorVerifier } from './verify.ts';
import { casdoorTokenVerifier } from './verify-token.ts';

export function createCasdoor(config: CasdoorConfig, known: Known): Provider {
  const api = createCasdoorApi(config);
  return {
    name: 'casdoor',
    verify: casdoorVerifier(config),
    records: casdoorRecords(config, api, known),
    directory: casdoorDirectory(config, api),
    lookup: casdoorLookup(config, api, known),
    engineAuth: () => casdoorEngineAuth(config),
    keys: () => readCasdoorKeys(config),
    verifyToken: casdoorTokenVerifier(config),
  };
}
