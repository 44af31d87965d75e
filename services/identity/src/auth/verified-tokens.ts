import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { LRUCache } from 'lru-cache';
import type { ProviderName } from '#core/records.ts';
import { refused } from '#providers/jwt.ts';
import type { VerifiedToken } from '#providers/provider.ts';
import type { Registry } from '#providers/registry.ts';
import { providersByIssuer } from './issuers.ts';

const MAX_TOKENS = 10_000;
/**
 * As old as keys may be (key-source.ts): a token of a key that was withdrawn is refused two minutes later at
 * most, and Casdoor's tokens are good for a week. To verify one again costs some 50 µs.
 */
const MAX_AGE_MS = 60_000;

/** A verified token, and whose it is. */
export interface TrustedToken extends VerifiedToken {
  readonly provider: ProviderName;
}

/**
 * Makes the function that verifies a token of any configured provider: by its issuer to that provider,
 * and there fully. A verified token is cached until it expires, a minute at most.
 *
 * @param maxTokens how many are cached; the least recently used makes way
 * @throws LatchkeyError `token-invalid`, or `provider-unreachable` where the keys cannot be had; neither
 *   is cached
 */
export function createTokenVerifier(
  providers: Registry,
  maxTokens: number = MAX_TOKENS,
): (token: string) => Promise<TrustedToken> {
  const byIssuer = providersByIssuer(providers);
  // By the clock that tokens expire by, looked at each time.
  const cache = new LRUCache<string, TrustedToken>({
    max: maxTokens,
    ttl: MAX_AGE_MS,
    ttlResolution: 0,
    perf: Date,
  });

  return async (token) => {
    // By a digest, so that a dump of the memory holds no tokens.
    const key = createHash('sha256').update(token).digest('base64');
    const cached = cache.get(key);
    if (cached !== undefined) return cached;

    // Nobody has verified it yet: it only says whom to ask.
    const provider = byIssuer.get(unverifiedIssuer(token) ?? '');
    if (provider === undefined) throw refused('its issuer is not one of the providers that are set up here');
    const verified = { ...(await provider.tokens.verifyToken(token)), provider: provider.name };
    const ttl = Math.min(verified.expiresAt - Date.now(), MAX_AGE_MS);
    // One that has just expired may be good yet, within the tolerated difference of clocks.
    if (ttl > 0) cache.set(key, verified, { ttl });
    return verified;
  };
}

function unverifiedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch (cause) {
    throw refused('it is no JWT', cause);
  }
}
