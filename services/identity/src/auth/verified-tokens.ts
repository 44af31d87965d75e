import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Instant, ProviderName } from '#core/records.ts';
import { refused } from '#providers/jwt.ts';
import type { VerifiedToken } from '#providers/provider.ts';
import type { Registry } from '#providers/registry.ts';
import { providersByIssuer } from './issuers.ts';

const MOST_TOKENS = 10_000;
/**
 * As old as keys may be (key-source.ts): a token of a key that was withdrawn is refused two minutes later at
 * most, and Casdoor's tokens are good for a week. To verify one again costs some 50 µs.
 */
const LONGEST_MS = 60_000;

/** A verified token, and whose it is. */
export interface TrustedToken extends VerifiedToken {
  readonly provider: ProviderName;
}

/**
 * Makes the function that verifies a token of any configured provider: by its issuer to that provider,
 * and there fully. What was verified is remembered until the token expires, a minute at most.
 *
 * @param mostTokens how many are remembered; the one not seen for longest makes way
 * @throws LatchkeyError `token-invalid`, or `provider-unreachable` where the keys cannot be had; neither
 *   is remembered
 */
export function createTokenVerifier(
  providers: Registry,
  mostTokens: number = MOST_TOKENS,
): (token: string) => Promise<TrustedToken> {
  const byIssuer = providersByIssuer(providers);
  const remembered = new LRUCache<string, { verified: TrustedToken; until: Instant }>({ max: mostTokens });

  return async (token) => {
    // By a digest, so that a dump of the memory holds no tokens.
    const key = createHash('sha256').update(token).digest('base64');
    const known = remembered.get(key);
    if (known !== undefined && known.until > Date.now()) return known.verified;

    // Nobody has verified it yet: it only says whom to ask.
    const provider = byIssuer.get(unverifiedIssuer(token) ?? '');
    if (provider === undefined) throw refused('its issuer is not one of the providers that are set up here');
    const verified = { ...(await provider.verifyToken(token)), provider: provider.name };
    remembered.set(key, { verified, until: Math.min(verified.expiresAt, Date.now() + LONGEST_MS) });
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
