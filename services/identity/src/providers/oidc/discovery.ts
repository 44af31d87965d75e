import { LatchkeyError } from '@latchkey/core/errors';
import { networkCause } from '@latchkey/core/network-cause';
import { z } from 'zod';
import type { Instant } from '#core/records.ts';
import { fetchJson, UnfitAnswer } from '#providers/fetch-json.ts';
import { isSafe } from './settings.ts';

/** Addresses change with years. */
const FRESH_MS = 60 * 60_000;
/** Between two questions while the issuer does not answer. */
const RETRY_MS = 5_000;
/** How long the last good answer does meanwhile; as long as keys do. */
const LONGEST_OUTAGE_MS = 24 * 60 * 60_000;
const LARGEST_BYTES = 256 * 1024;

const address = z.string().refine(isSafe, 'must be an https URL');
const METADATA = z.object({
  issuer: z.string(),
  jwks_uri: address,
  userinfo_endpoint: address.optional(),
});
export type Metadata = z.infer<typeof METADATA>;

export interface Discovery {
  /**
   * What the issuer says of itself, an hour old at most, or the last that it said through an outage of a day.
   * @throws LatchkeyError `provider-unreachable`
   */
  read(): Promise<Metadata>;
}

/**
 * Reads `<issuer>/.well-known/openid-configuration` (OpenID Connect Discovery 1.0, sections 4 and 4.3).
 *
 * @param issuer what the document must name as its issuer, letter for letter
 */
export function createDiscovery(issuer: string): Discovery {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  let kept: { readonly metadata: Metadata; readonly readAt: Instant } | undefined;
  let failed: { readonly error: LatchkeyError; readonly at: Instant } | undefined;
  let asking: Promise<Metadata> | undefined;

  async function ask(): Promise<Metadata> {
    try {
      const metadata = METADATA.parse(await fetchJson(url, { most: LARGEST_BYTES }));
      if (metadata.issuer !== issuer) throw new UnfitAnswer(foreignIssuer(metadata.issuer));
      kept = { metadata, readAt: Date.now() };
      failed = undefined;
      return metadata;
    } catch (cause) {
      failed = { error: explain(cause), at: Date.now() };
      return lastGood(failed.error);
    }
  }

  function lastGood(error: LatchkeyError): Metadata {
    if (kept !== undefined && Date.now() - kept.readAt < LONGEST_OUTAGE_MS) return kept.metadata;
    throw error;
  }

  function explain(cause: unknown): LatchkeyError {
    const why =
      networkCause(cause) ??
      (cause instanceof UnfitAnswer ? cause.message : 'the answer is no discovery document');
    return new LatchkeyError(
      'provider-unreachable',
      `The issuer’s addresses cannot be had from ${url} (${why}): check OIDC_ISSUER and the way to it, or set OIDC_JWKS_URL.`,
      { cause },
    );
  }

  return {
    async read() {
      if (kept !== undefined && failed === undefined && Date.now() - kept.readAt < FRESH_MS) {
        return kept.metadata;
      }
      if (failed !== undefined && Date.now() - failed.at < RETRY_MS) return lastGood(failed.error);
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
  };
}

/** Whoever answers there could be an issuer for others too: nothing of it is believed. */
function foreignIssuer(told: string): string {
  return `it is of another issuer, ${JSON.stringify(told.slice(0, 200))}, and the two must be the same letter for letter`;
}
