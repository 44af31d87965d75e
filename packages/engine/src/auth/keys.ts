/** The keys that tokens are verified with: one fixed key, or a set that is fetched and refreshed. */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { ConfigError } from '#base/config.ts';
import type { Logger } from '#base/log.ts';
import { hasDirective, maxAge, parseExpires } from './cache-control.ts';

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

const jwk = z.looseObject({
  kty: z.string(),
  use: z.unknown().optional(),
  key_ops: z.array(z.string()).optional(),
});
const jwkSet = z.object({ keys: z.array(z.unknown()) });

/**
 * Fetches the set at `url` and keeps it fresh by its `Cache-Control` or `Expires`; a set without either is
 * kept until the engine ends. A failed refresh keeps the keys there are.
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
          `HASURA_GRAPHQL_JWT_SECRET: no keys from jwk_url ${url} (${reason}); the engine does not start while it is silent: start what serves it first`,
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
  const set = jwkSet.parse(await response.json());
  return { keys: set.keys.flatMap(importKey), expiresAt: expiry(response.headers) };
}

/** A key that cannot be used for verification (or at all) is left out; the others of its set still count. */
function importKey(value: unknown): KeyObject[] {
  const parsed = jwk.safeParse(value);
  if (!parsed.success) return [];
  const { use, key_ops: operations, ...rest } = parsed.data;
  if (use !== undefined && use !== 'sig') return [];
  if (operations !== undefined && !operations.includes('verify')) return [];
  try {
    if (rest.kty === 'oct') return [createSecretKey(Buffer.from(z.string().parse(rest.k), 'base64url'))];
    const key = createPublicKey({ key: rest, format: 'jwk' });
    if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) return [];
    return [key];
  } catch {
    return [];
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
