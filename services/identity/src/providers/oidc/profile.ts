import { LatchkeyError } from '@latchkey/core/errors';
import { networkCause } from '@latchkey/core/network-cause';
import { z } from 'zod';
import { storable } from '#core/payload.ts';
import { type Instant, stubUser, type UserRecord } from '#core/records.ts';
import { fetchJson, UnfitAnswer } from '#providers/fetch-json.ts';
import { refused } from '#providers/jwt.ts';
import type { Discovery } from './discovery.ts';
import type { OidcPayload } from './verify-token.ts';

const LARGEST_BYTES = 64 * 1024;
const LONGEST = 1_000;
/** The token is not one for the issuer itself: an ID token, or one without the scope openid. */
const NOT_FOR_USERINFO = [400, 401, 403];

const text = z
  .string()
  .max(LONGEST)
  .transform((value) => (value.trim() === '' ? null : storable(value)))
  .nullable()
  .catch(null);

/** The standard claims (OpenID Connect Core 1.0, section 5.1) that become columns. */
const PROFILE = z.object({
  email: text,
  // Some issuers write it as a text.
  email_verified: z.union([z.boolean(), z.literal('true').transform(() => true)]).catch(false),
  phone_number: text,
  preferred_username: text,
  name: text,
  given_name: text,
  family_name: text,
  picture: text,
});

/**
 * Makes the function that reads who the bearer of a token is: from the issuer's userinfo endpoint, as of this
 * moment, or else from the claims of the token, as of when it was issued.
 *
 * @param verify verifies the token fully
 * @param discovery undefined where the issuer is not to be asked
 */
export function oidcProfile(
  issuer: string,
  verify: (token: string) => Promise<OidcPayload>,
  discovery: Discovery | undefined,
  now: () => Instant = Date.now,
): (token: string) => Promise<UserRecord> {
  return async (token) => {
    const payload = await verify(token);
    const began = now();
    const issuedAt = Math.min(payload.iat * 1000, began);
    const { userinfo_endpoint: endpoint } = (await discovery?.read()) ?? {};
    const told = endpoint === undefined ? undefined : await readUserinfo(endpoint, token, payload.sub);
    const person = { provider: 'oidc', tenant: issuer, id: payload.sub } as const;
    return {
      ...stubUser(person, issuedAt),
      clock: told === undefined ? issuedAt : began,
      ...columnsOf(told ?? payload),
    };
  };
}

/**
 * @returns undefined where the endpoint does not take this token
 * @throws LatchkeyError `provider-unreachable`, or `token-invalid` where it speaks of somebody else
 */
async function readUserinfo(endpoint: string, token: string, subject: string): Promise<object | undefined> {
  let told: unknown;
  try {
    told = await fetchJson(endpoint, { most: LARGEST_BYTES, headers: { authorization: `Bearer ${token}` } });
  } catch (cause) {
    const status = cause instanceof UnfitAnswer ? cause.status : undefined;
    if (status !== undefined && NOT_FOR_USERINFO.includes(status)) return undefined;
    const why =
      networkCause(cause) ?? (cause instanceof UnfitAnswer ? cause.message : 'the answer is no JSON');
    throw new LatchkeyError(
      'provider-unreachable',
      `The profile cannot be had from ${endpoint} (${why}): check the way to it, or set OIDC_JWKS_URL to go by tokens alone.`,
      { cause },
    );
  }
  // Section 5.3.2: otherwise nothing of it may be used.
  const { data } = z.looseObject({ sub: z.string() }).safeParse(told);
  if (data?.sub !== subject) throw refused('the issuer’s userinfo endpoint answers it with another user');
  return data;
}

function columnsOf(claims: object) {
  const told = PROFILE.parse({ ...claims });
  const parts = [told.given_name, told.family_name].filter((part) => part !== null);
  return {
    email: told.email,
    emailVerified: told.email !== null && told.email_verified,
    phone: told.phone_number,
    username: told.preferred_username,
    name: told.name ?? (parts.length > 0 ? parts.join(' ') : null),
    firstName: told.given_name,
    lastName: told.family_name,
    imageUrl: told.picture,
  };
}
