import { createKeySource, type KeySource } from '#providers/key-source.ts';
import { keysUrlOf, type PoolPlace } from './pool.ts';

/** Where the keys of a pool are read. */
export function cognitoKeySource(pool: PoolPlace): KeySource {
  return createKeySource({
    url: keysUrlOf(pool),
    provider: 'Cognito',
    fix: 'check COGNITO_USER_POOL_ID (or COGNITO_ENDPOINT, COGNITO_KEYS_URL) and the way to it',
  });
}
