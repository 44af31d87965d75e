import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Instant } from '../core/records.ts';
import { refused } from '../providers/jwt.ts';
import type { VerifiedToken } from '../providers/provider.ts';
import type { Registry } from '../providers/registry.ts';
import { providersByIssuer } from './issuers.ts';

const MOST_TOKENS = 10_000;
/** Casdoor's tokens are good for a week; a key that was withdrawn must not be trusted that long. */
const LONGEST_MS = 5 * 60_000;

/**
 * Makes the function that verifies a token of any configured provider: by its issuer to that provider,
 * and there fully. What was verified is remembered until the token expires, five minutes at most.
 *
 * @param mostTokens how many are remembered; the one not seen for longest makes way
 * @throws LatchkeyError `token-invalid`, or `provider-unreachable` where the keys cannot be had; neither
 *   is remembered
 */
export function createTokenVerifier(
  providers: Registry,
  mostTokens: number = MOST_TOKENS,
): (token: string) => Promise<VerifiedToken> {
  const byIssuer = providersByIssuer(providers);
  const remembered = new LRUCache<string, { verified: VerifiedToken; until: Instant }>({ max: mostTokens });

  return async (token) => {
    // By a digest, so that a dump of the memory holds no tokens.
    const key = createHash('sha256').update(token).digest('base64');
    const known = remembered.get(key);
    if (known !== undefined && known.until > Date.now()) return known.verified;

    // Nobody has verified it yet: it only says whom to ask.
    const provider = byIssuer.get(unverifiedIssuer(token) ?? '');
    if (provider === undefined) throw refused('its issuer is not one of the providers that are set up here');
    const verified = await provider.verifyToken(token);
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
