import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';
import type { CasdoorConfig } from '../../core/config.ts';
import { LatchkeyError } from '../../core/errors.ts';

const KEY_SET = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });
const TIMEOUT_MS = 10_000;

/**
 * Where the application's own key is. `/.well-known/jwks` would hold the keys of every application on
 * the server, also those that another organization's administrators made and know.
 */
export function casdoorKeysUrl({
  endpoint,
  application,
}: Pick<CasdoorConfig, 'endpoint' | 'application'>): string {
  return `${endpoint}/.well-known/${encodeURIComponent(application)}/jwks`;
}

/**
 * Fetches the application's key. An application has one; of an application that it does not know, or
 * that has no Token cert, Casdoor hands out everybody's, and those are not to be trusted.
 *
 * @throws LatchkeyError `provider-unreachable`
 */
export async function fetchCasdoorKeys(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, init).catch((cause: unknown) => {
    throw failed('do not come back', cause);
  });
  if (!response.ok) throw failed(`come back with status ${response.status}`);
  const parsed = KEY_SET.safeParse(
    await response
      .clone()
      .json()
      .catch(() => undefined),
  );
  if (!parsed.success) throw failed('come back in another shape than expected');
  if (parsed.data.keys.length !== 1) {
    throw new LatchkeyError(
      'provider-unreachable',
      `Casdoor answers with ${parsed.data.keys.length} keys and not with the application’s own: CASDOOR_APPLICATION must be the application’s Name, and its Token cert (tab Security) must be set.`,
    );
  }
  return response;
}

/** The key set that Hasura is to have. */
export async function readCasdoorKeys(
  config: Pick<CasdoorConfig, 'endpoint' | 'application'>,
): Promise<JSONWebKeySet> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  return KEY_SET.parse(await (await fetchCasdoorKeys(casdoorKeysUrl(config), { signal })).json());
}

function failed(what: string, cause?: unknown): LatchkeyError {
  return new LatchkeyError(
    'provider-unreachable',
    `Casdoor’s keys ${what}: check CASDOOR_ENDPOINT and the way to it.`,
    { cause },
  );
}
