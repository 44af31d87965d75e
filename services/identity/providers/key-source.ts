import { createRemoteJWKSet, customFetch, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { LatchkeyError } from '../core/errors.ts';
import type { Instant } from '../core/records.ts';

/** How old the keys may be before the provider is asked again. Hasura asks once a minute at most. */
const FRESH_MS = 60_000;
/** Between two questions because of a key that nobody knows: anybody can name one. */
const UNKNOWN_KEY_MS = 10_000;
/** Between two questions while the provider does not answer. */
const RETRY_MS = 5_000;
/** How long the last good keys do, while the provider does not answer. */
const LONGEST_OUTAGE_MS = 24 * 60 * 60_000;
const TIMEOUT_MS = 5_000;
const LARGEST_BYTES = 256 * 1024;
const MOST_KEYS = 100;

/** Public parts alone. A secret (`oct`) among a provider's keys would let everybody sign. */
const PUBLIC_KEY = z.object({
  kty: z.enum(['RSA', 'EC', 'OKP']),
  use: z.literal('sig').default('sig'),
  kid: z.string().exactOptional(),
  alg: z.string().exactOptional(),
  n: z.string().exactOptional(),
  e: z.string().exactOptional(),
  crv: z.string().exactOptional(),
  x: z.string().exactOptional(),
  y: z.string().exactOptional(),
});
const KEY_SET = z.object({ keys: z.array(z.unknown()).max(MOST_KEYS) });

/** A provider's public keys as they were at an instant. */
export interface KeptKeys {
  readonly keySet: JSONWebKeySet;
  readonly readAt: Instant;
  /** Why they are not newer, while the provider does not answer. */
  readonly outage?: LatchkeyError;
}

export interface KeySource {
  /**
   * The keys, at most a minute old, or the last good ones through an outage of a day.
   * @throws LatchkeyError `provider-unreachable`
   */
  keys(): Promise<KeptKeys>;
  /** Finds a token's key; asks the provider anew for one that is not known, at a bounded rate. */
  readonly find: JWTVerifyGetKey;
}

export interface KeySourceOptions {
  readonly url: string;
  /** What to check when they cannot be had: "Clerk’s keys cannot be had: <mend>." */
  readonly provider: string;
  readonly mend: string;
  /** Objects to a set that is not the wanted one, by throwing. */
  readonly check?: (keySet: JSONWebKeySet) => void;
}

/** Where a provider's public keys come from, for the service's own verification and for Hasura's. */
export function createKeySource({ url, provider, mend, check }: KeySourceOptions): KeySource {
  let kept: KeptKeys | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<KeptKeys> | undefined;

  const ask = async (): Promise<KeptKeys> => {
    if (kept?.outage !== undefined && Date.now() - failedAt < RETRY_MS) return lastGood(kept);
    try {
      const keySet = await read(url);
      check?.(keySet);
      kept = { keySet, readAt: Date.now() };
      return kept;
    } catch (cause) {
      failedAt = Date.now();
      const outage = explain(cause);
      if (kept === undefined) throw outage;
      kept = { ...kept, outage };
      return lastGood(kept);
    }
  };
  const askOnce = (): Promise<KeptKeys> => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
  const find = createRemoteJWKSet(new URL(url), {
    cooldownDuration: UNKNOWN_KEY_MS,
    [customFetch]: async () => Response.json((await askOnce()).keySet),
  });

  return {
    async keys() {
      const isFresh = kept?.outage === undefined && Date.now() - (kept?.readAt ?? 0) < FRESH_MS;
      return kept !== undefined && isFresh ? kept : askOnce();
    },
    find,
  };

  function lastGood(last: KeptKeys): KeptKeys {
    if (Date.now() - last.readAt < LONGEST_OUTAGE_MS) return last;
    throw last.outage ?? explain(undefined);
  }

  function explain(cause: unknown): LatchkeyError {
    if (cause instanceof LatchkeyError) return cause;
    return new LatchkeyError('provider-unreachable', `${provider}’s keys cannot be had: ${mend}.`, { cause });
  }
}

async function read(url: string): Promise<JSONWebKeySet> {
  // A redirect would be somebody else's keys.
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { accept: 'application/json, application/jwk-set+json' },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`They come back with status ${response.status}.`);
  }
  const { keys } = KEY_SET.parse(JSON.parse(await textOf(response)));
  const usable = keys.flatMap((key) => PUBLIC_KEY.safeParse(key).data ?? []);
  // Passed on, it would lock everybody out.
  if (usable.length === 0) throw new Error('None of them is one that signatures are verified by.');
  return { keys: usable };
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > LARGEST_BYTES) throw new Error(`They are larger than ${LARGEST_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
