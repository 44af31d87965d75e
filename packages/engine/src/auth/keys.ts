/** The keys that tokens are verified with: one fixed key, or a set that is fetched and refreshed. */
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { ConfigError } from '#base/config.ts';
import type { Logger } from '#base/log.ts';
import { parseFirstKeyJson } from '#values/exact-json.ts';
import { hasDirective, maxAge, parseExpires } from './cache-control.ts';
import { type Jwk, parseJwk } from './jwk.ts';

/** Hasura looks once a minute whether the set has expired, whatever a shorter `max-age` says. */
const POLL_MS = 60_000;
const FIRST_RETRY_MS = 200;
const RETRIES = 5;
const FETCH_TIMEOUT_MS = 30_000;

export interface KeySet {
  /** Every usable key, in the set's order; `kid` plays no part. */
  keys(): readonly KeyObject[];
  /** Changes whenever the keys may have. */
  version(): number;
  close(): void;
}

export function fixedKey(key: KeyObject): KeySet {
  return { keys: () => [key], version: () => 0, close: () => {} };
}

const jwkSet = z.object({ keys: z.array(z.unknown()) });

/**
 * Fetches the set at `url` and keeps it fresh by its `Cache-Control` or `Expires`; a set without either is
 * kept until the engine ends. A failed refresh keeps the keys there are; a set with a key that cannot be read is one.
 * @throws {ConfigError} when the first fetch fails five times over: the engine does not start then
 */
export async function remoteKeys(url: string, log: Logger): Promise<KeySet> {
  let { keys, expiresAt } = await fetchWithRetries(url);
  let version = 1;
  let busy = false;
  const refresh = async () => {
    if (busy || expiresAt === undefined || Date.now() < expiresAt) return;
    busy = true;
    try {
      const fresh = await fetchKeys(url);
      keys = fresh.keys;
      expiresAt = fresh.expiresAt ?? expiresAt;
      version += 1;
    } catch (error) {
      log.warn('jwk-refresh', { url, error: String(error) });
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void refresh(), POLL_MS);
  timer.unref();
  return { keys: () => keys, version: () => version, close: () => clearInterval(timer) };
}

interface Fetched {
  readonly keys: readonly KeyObject[];
  /** Milliseconds since the epoch; undefined = never. */
  readonly expiresAt: number | undefined;
}

async function fetchWithRetries(url: string): Promise<Fetched> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await fetchKeys(url);
    } catch (error) {
      if (attempt >= RETRIES) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new ConfigError(
          `HASURA_GRAPHQL_JWT_SECRET: no keys from jwk_url ${url} (${reason}); the engine does not start without them: start, or correct, what serves them first`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, FIRST_RETRY_MS * 2 ** attempt));
    }
  }
}

async function fetchKeys(url: string): Promise<Fetched> {
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  const set = jwkSet.parse(parseFirstKeyJson(await response.text()));
  return { keys: set.keys.flatMap(usableKey), expiresAt: expiry(response.headers) };
}

/**
 * A key that is not for verification, or too short, is left out. One that is no key at all spoils its set, as it
 * does for Hasura, which reads the set as a whole.
 */
function usableKey(value: unknown, index: number): KeyObject[] {
  const { key, use, operations } = readKey(value, index);
  if (use === 'enc' || operations?.includes('verify') === false) return [];
  const bits = key.asymmetricKeyDetails?.modulusLength;
  return key.asymmetricKeyType === 'rsa' && (bits ?? 0) < 2048 ? [] : [key];
}

function readKey(value: unknown, index: number): Jwk {
  try {
    return parseJwk(value);
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    const reason = issue === undefined ? String(error) : `${issue.path.join('.')}: ${issue.message}`;
    throw new Error(`key ${index} of the set cannot be read: ${reason}`);
  }
}

function expiry(headers: Headers): number | undefined {
  const cacheControl = headers.get('cache-control');
  if (cacheControl !== null) {
    const age = maxAge(cacheControl);
    if (hasDirective(cacheControl, 'must-revalidate')) return Date.now() + (age ?? 0) * 1000;
    if (hasDirective(cacheControl, 'no-cache') || hasDirective(cacheControl, 'no-store')) return Date.now();
    if (age !== undefined) return Date.now() + age * 1000;
  }
  const expires = headers.get('expires');
  return expires === null ? undefined : parseExpires(expires);
}
