import { LatchkeyError } from '@latchkey/core/errors';
import { createKeySource, type KeySource } from '#providers/key-source.ts';
import type { CasdoorConfig } from './settings.ts';

type Place = Pick<CasdoorConfig, 'endpoint' | 'application'>;

/**
 * Where the application's own key is. `/.well-known/jwks` would hold the keys of every application on
 * the server, also those that another organization's administrators made and know.
 */
export function casdoorKeysUrl({ endpoint, application }: Place): string {
  return `${endpoint}/.well-known/${encodeURIComponent(application)}/jwks`;
}

/**
 * The application's key. An application has one; of an application that it does not know, or that has
 * no Token cert, Casdoor hands out everybody's, and those are not to be trusted.
 */
export function casdoorKeySource(place: Place): KeySource {
  return createKeySource({
    url: casdoorKeysUrl(place),
    provider: 'Casdoor',
    fix: 'check CASDOOR_ENDPOINT and CASDOOR_APPLICATION, and the way to Casdoor',
    check({ keys }) {
      if (keys.length === 1) return;
      throw new LatchkeyError(
        'provider-unreachable',
        `Casdoor at ${place.endpoint} answers with ${keys.length} keys and not with the application’s own: CASDOOR_APPLICATION must be the application’s Name, and its Token cert (tab Security) must be set.`,
      );
    },
  });
}
