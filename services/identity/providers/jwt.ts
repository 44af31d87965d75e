import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import { LatchkeyError } from '../core/errors.ts';

const CLOCK_SKEW_SECONDS = 5;

interface Keys {
  /** Where the provider publishes its public keys. */
  readonly url: string;
  /** In place of the global one, where the keys that come must be looked at. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** What to check when they cannot be had: "Clerk’s keys cannot be had: <mend>." */
  readonly provider: string;
  readonly mend: string;
}

/**
 * Makes the function that verifies a provider's tokens as far as all providers are alike: signature,
 * issuer, `exp` (which must be there) and `sub`. Whatever else a token must say is the caller's part.
 *
 * @throws LatchkeyError `token-invalid`, or `provider-unreachable` where the keys cannot be had
 */
export function jwtVerifier(
  keys: Keys,
  options: JWTVerifyOptions & { issuer: string; algorithms: string[] },
): (token: string) => Promise<JWTPayload & { sub: string; exp: number }> {
  const keySet = createRemoteJWKSet(
    new URL(keys.url),
    keys.fetch === undefined ? {} : { [customFetch]: keys.fetch },
  );

  return async (token) => {
    const { payload } = await jwtVerify(token, keySet, {
      requiredClaims: ['exp', 'sub'],
      clockTolerance: CLOCK_SKEW_SECONDS,
      ...options,
    }).catch((error: unknown) => explain(error, keys));
    const { sub, exp } = payload;
    if (typeof sub !== 'string' || sub === '' || exp === undefined) throw refused('it names no user');
    return { ...payload, sub, exp };
  };
}

/** @param why goes on after "The token is refused: " */
export function refused(why: string, cause?: unknown): LatchkeyError {
  return new LatchkeyError('token-invalid', `The token is refused: ${why}. Sign in again for a new one.`, {
    cause,
  });
}

function explain(error: unknown, { provider, mend }: Keys): never {
  if (error instanceof errors.JWTExpired) throw refused('it has expired', error);
  const isOfTheToken =
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) &&
    // jose tells a key set that was not answered with 200 by this bare error.
    error.code !== 'ERR_JOSE_GENERIC';
  if (isOfTheToken) throw refused('its signature or claims do not hold', error);
  throw new LatchkeyError('provider-unreachable', `${provider}’s keys cannot be had: ${mend}.`, {
    cause: error,
  });
}
