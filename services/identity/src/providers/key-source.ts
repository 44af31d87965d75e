import { LatchkeyError } from '@latchkey/core/errors';
import { networkCause } from '@latchkey/core/network-cause';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { Instant } from '#core/records.ts';
import { fetchJson, UnfitAnswer } from './fetch-json.ts';

/** How old the keys may be before the provider is asked again, for Hasura (once a minute at most) and for the hook. */
const FRESH_MS = 60_000;
/** Between two questions because of a token that no key fits: anybody can make one. */
const UNFITTING_MS = 10_000;
/** Between two questions while the provider does not answer. */
const RETRY_MS = 5_000;
/** How long the last good keys do, while the provider does not answer. */
const LONGEST_OUTAGE_MS = 24 * 60 * 60_000;
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

/** Finds a token's key; asks the provider anew for one that is not known, at a bounded rate. */
export interface KeyFinder extends JWTVerifyGetKey {
  /**
   * Asks the provider anew, unless it was asked a moment ago: a key may be made anew under the name of before.
   * @returns whether the keys are others now
   * @throws LatchkeyError `provider-unreachable`
   */
  reload?(): Promise<boolean>;
}

export interface KeySource {
  /**
   * The keys, at most a minute old, or the last good ones through an outage of a day.
   * @throws LatchkeyError `provider-unreachable`
   */
  keys(): Promise<KeptKeys>;
  readonly find: KeyFinder;
}

export interface KeySourceOptions {
  /** Where they are, or how that is found out each time that they are asked for. */
  readonly url: string | (() => Promise<string>);
  /** What to check when they cannot be had: "Clerk’s keys cannot be had from <url> (<why>): <fix>." */
  readonly provider: string;
  readonly fix: string;
  /** Objects to a set that is not the wanted one, by throwing. */
  readonly check?: (keySet: JSONWebKeySet) => void;
}

/** Where a provider's public keys come from, for the service's own verification and for Hasura's. */
export function createKeySource({ url, provider, fix, check }: KeySourceOptions): KeySource {
  let kept: KeptKeys | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<KeptKeys> | undefined;
  let local: { readonly keySet: JSONWebKeySet; readonly find: JWTVerifyGetKey } | undefined;

  const ask = async (): Promise<KeptKeys> => {
    if (kept?.outage !== undefined && Date.now() - askedAt < RETRY_MS) return lastGood(kept);
    askedAt = Date.now();
    let from = 'where its issuer says';
    try {
      from = typeof url === 'string' ? url : await url();
      const keySet = await read(from);
      check?.(keySet);
      kept = { keySet, readAt: Date.now() };
      return kept;
    } catch (cause) {
      const outage = explain(cause, from);
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
  async function keys(): Promise<KeptKeys> {
    const isFresh = kept?.outage === undefined && Date.now() - (kept?.readAt ?? 0) < FRESH_MS;
    return kept !== undefined && isFresh ? kept : askOnce();
  }
  async function finder(): Promise<JWTVerifyGetKey> {
    const { keySet } = await keys();
    if (local?.keySet !== keySet) local = { keySet, find: createLocalJWKSet(keySet) };
    return local.find;
  }
  async function reload(): Promise<boolean> {
    if (asking === undefined && Date.now() - askedAt < UNFITTING_MS) return false;
    const before = kept?.keySet;
    const { keySet } = await askOnce();
    return JSON.stringify(keySet) !== JSON.stringify(before);
  }
  const find: KeyFinder = async (header, token) => {
    try {
      return await (await finder())(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey && (await reload()))) throw error;
      return (await finder())(header, token);
    }
  };
  find.reload = reload;

  return { keys, find };

  function lastGood(last: KeptKeys): KeptKeys {
    if (Date.now() - last.readAt < LONGEST_OUTAGE_MS) return last;
    throw last.outage ?? explain(undefined, String(url));
  }

  function explain(cause: unknown, from: string): LatchkeyError {
    if (cause instanceof LatchkeyError) return cause;
    const why =
      networkCause(cause) ?? (cause instanceof UnfitAnswer ? cause.message : 'the answer is no key set');
    return new LatchkeyError(
      'provider-unreachable',
      `${provider}’s keys cannot be had from ${from} (${why}): ${fix}.`,
      { cause },
    );
  }
}

async function read(url: string): Promise<JSONWebKeySet> {
  const answer = await fetchJson(url, {
    most: LARGEST_BYTES,
    headers: { accept: 'application/json, application/jwk-set+json' },
  });
  const { keys } = KEY_SET.parse(answer);
  const usable = keys.flatMap((key) => PUBLIC_KEY.safeParse(key).data ?? []);
  // Passed on, it would lock everybody out.
  if (usable.length === 0) throw new UnfitAnswer('none of them is one that signatures are verified by');
  return { keys: usable };
}
