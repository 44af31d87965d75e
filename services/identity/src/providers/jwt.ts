import { LatchkeyError } from '@latchkey/core/errors';
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { CLOCK_SKEW_SECONDS } from './clock-skew.ts';
import type { KeySource } from './key-source.ts';

/**
 * Makes the function that verifies a provider's tokens as far as all providers are alike: signature,
 * issuer, `exp` (which must be there) and `sub`. Whatever else a token must say is the caller's part.
 *
 * @throws LatchkeyError `token-invalid`, or `provider-unreachable` where the keys cannot be had
 */
export function jwtVerifier(
  keys: Pick<KeySource, 'find'>,
  options: JWTVerifyOptions & { issuer: string; algorithms: string[] },
): (token: string) => Promise<JWTPayload & { sub: string; exp: number }> {
  const verify = (token: string) =>
    jwtVerify(token, keys.find, {
      requiredClaims: ['exp', 'sub'],
      clockTolerance: CLOCK_SKEW_SECONDS,
      ...options,
    });

  return async (token) => {
    const { payload } = await verify(token)
      .catch(async (error: unknown) => {
        // Casdoor's certificate that is made anew under its name keeps its kid: the key may be another now.
        const isUnfitting = error instanceof errors.JWSSignatureVerificationFailed;
        if (isUnfitting && (await keys.find.reload?.())) return verify(token);
        throw error;
      })
      .catch(explain);
    const { sub, exp } = payload;
    if (typeof sub !== 'string' || sub === '' || exp === undefined) throw refused('it names no user');
    return { ...payload, sub, exp };
  };
}

/**
 * Of a token that would be refused again after a new sign-in.
 *
 * @param why goes on after "The token is refused: "; it names the fix
 */
export function tokenError(why: string, cause?: unknown): LatchkeyError {
  return new LatchkeyError('token-invalid', `The token is refused: ${why}.`, { cause });
}

/** @param why goes on after "The token is refused: " */
export function refused(why: string, cause?: unknown): LatchkeyError {
  return tokenError(`${why}. Sign in again for a new one`, cause);
}

function explain(error: unknown): never {
  // That the keys cannot be had is no fault of the token.
  if (error instanceof LatchkeyError) throw error;
  if (error instanceof errors.JWTExpired) throw refused('it has expired', error);
  throw refused('its signature or claims do not hold', error);
}
