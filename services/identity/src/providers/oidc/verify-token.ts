import { type CustomClaim, plainAttribute } from '@latchkey/core/settings/claims';
import { decodeProtectedHeader, type JWTPayload } from 'jose';
import { USER_ID } from '#core/records.ts';
import { grant } from '#providers/claims.ts';
import { jwtVerifier, refused, tokenError } from '#providers/jwt.ts';
import type { KeySource } from '#providers/key-source.ts';
import type { VerifiedToken } from '#providers/provider.ts';
import type { OidcConfig } from './settings.ts';

/** Of a token that has passed. */
export type OidcPayload = JWTPayload & { readonly sub: string; readonly exp: number; readonly iat: number };

/** Asymmetric ones alone. Which of them a key is for follows from its type and curve, and its own `alg`. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
/** The kinds of JWT (header `typ`) that ID and access tokens are; logout tokens and others have kinds of their own. */
const HEADER_TYPES = ['jwt', 'at+jwt'];
/** What Keycloak calls access and ID tokens in their payloads. */
const PAYLOAD_TYPES = ['bearer', 'id'];
/** Where issuers say what a token is for, each in its own claim. */
const KIND_CLAIMS = ['token_use', 'token_type', 'tokenType', 'TokenType'];

/**
 * Makes the function that verifies ID and access tokens of an issuer: signature, `iss`, `aud`, `exp`, `iat`, and
 * that it is a token of a person which whoever bears it may use.
 *
 * @throws LatchkeyError `token-invalid`, or `provider-unreachable` where the keys cannot be had
 */
export function oidcVerifier(
  { issuer, audience }: Pick<OidcConfig, 'issuer' | 'audience'>,
  keys: Pick<KeySource, 'find'>,
): (token: string) => Promise<OidcPayload> {
  const verify = jwtVerifier(keys, { issuer, audience: [...audience], algorithms: ALGORITHMS });
  return async (token) => {
    const { iat, ...payload } = await verify(token);
    checkKind(token, payload);
    if (iat === undefined) throw refused('it does not say when it was issued (iat)');
    if (isOfMachine(payload)) throw tokenError('it belongs to a machine and not to a user');
    if (!USER_ID.test(payload.sub)) {
      throw tokenError('its user’s id (sub) has characters that no id may have here: docs/oidc.md');
    }
    return { ...payload, iat };
  };
}

/** The same, with what the token gives its bearer. */
export function oidcTokenVerifier(
  { issuer }: Pick<OidcConfig, 'issuer'>,
  verify: (token: string) => Promise<OidcPayload>,
  { allowedRoles, claims }: { allowedRoles: readonly string[]; claims: readonly CustomClaim[] },
): (token: string) => Promise<VerifiedToken> {
  return async (token) => {
    const payload = await verify(token);
    const { sub, exp, iat, roles } = payload;
    const variables = claims.flatMap((claim) => {
      const name = plainAttribute(claim);
      return Object.hasOwn(payload, name) ? [[claim.variable, payload[name]] as const] : [];
    });
    return {
      issuer,
      tenant: issuer,
      subject: sub,
      expiresAt: exp * 1000,
      issuedAt: iat * 1000,
      ...grant(
        sub,
        { variables: Object.fromEntries(variables), roles: Array.isArray(roles) ? roles : undefined },
        allowedRoles,
      ),
    };
  };
}

/** Issuers sign refresh and logout tokens with the same keys, and in the same name. */
function checkKind(token: string, payload: JWTPayload): void {
  const { typ = 'JWT' }: { typ?: unknown } = decodeProtectedHeader(token);
  const kind = String(typ)
    .toLowerCase()
    .replace(/^application\//, '');
  const { typ: payloadType, events, cnf } = payload;
  const isOfKind =
    HEADER_TYPES.includes(kind) &&
    (payloadType === undefined ||
      (typeof payloadType === 'string' && PAYLOAD_TYPES.includes(payloadType.toLowerCase()))) &&
    !KIND_CLAIMS.some((claim) => /refresh|offline|logout/i.test(String(payload[claim] ?? ''))) &&
    // A logout token, or another notice of something that happened.
    events === undefined;
  if (!isOfKind) throw refused('it is neither an ID token nor an access token');
  if (cnf !== undefined) {
    throw tokenError(
      'it is bound to a key of its client’s (cnf), which Hasura does not ask for: have the issuer make bearer tokens',
    );
  }
}

/** A client's own token names the client as its subject, as far as issuers agree on that. */
function isOfMachine({ sub, azp, client_id: clientId, appid, gty, idtyp }: JWTPayload): boolean {
  return [azp, clientId, appid].includes(sub) || gty === 'client-credentials' || idtyp === 'app';
}
