import { randomUUID } from 'node:crypto';
import type { CasdoorRole, CasdoorUser } from './types.ts';

export const TOKEN_FORMATS = ['JWT', 'JWT-Empty', 'JWT-Standard', 'JWT-Custom'] as const;
export type TokenFormat = (typeof TOKEN_FORMATS)[number];

export type TokenOptions = {
  /** Casdoor's default is JWT. */
  format?: TokenFormat | undefined;
  /** A refresh token, which differs by little. */
  refresh?: boolean | undefined;
  /** How long it is good for, from now; negative for one that has expired. Casdoor's default is a week. */
  lifetimeSeconds?: number | undefined;
  /** Overrides, for tokens that Casdoor would never make. */
  claims?: Record<string, unknown> | undefined;
};

/** A user's token as Casdoor makes it, to be signed with {@link tokenHeader}. */
export function tokenPayload(
  { issuer, clientId }: { issuer: string; clientId: string },
  { user, roles }: { user: CasdoorUser; roles: CasdoorRole[] },
  { format = 'JWT', refresh = false, lifetimeSeconds = 604_800, claims = {} }: TokenOptions = {},
): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  const issuedAt = Math.min(now, now + lifetimeSeconds - 1);
  const { owner, name, id, displayName, avatar, email, phone } = user;
  const isCustom = format === 'JWT-Custom';
  return {
    ...profile(),
    // In this one format the refresh token keeps the wrong type, and has the right one beside it.
    tokenType: refresh && !isCustom ? 'refresh-token' : 'access-token',
    ...(refresh && isCustom && { TokenType: 'refresh-token' }),
    scope: 'openid profile',
    azp: clientId,
    iss: issuer,
    sub: id,
    aud: [clientId],
    exp: now + lifetimeSeconds,
    nbf: issuedAt,
    iat: issuedAt,
    jti: `admin/${randomUUID()}`,
    ...claims,
  };

  function profile(): Record<string, unknown> {
    switch (format) {
      case 'JWT':
        // Roles are objects, and the salt of the password comes along.
        return { ...user, roles: roles.map((role) => ({ ...role, users: null })), permissions: [] };
      case 'JWT-Empty':
        return { owner, name, id, displayName, avatar, email, phone };
      case 'JWT-Standard':
        return { owner, preferred_username: name, id, name: displayName, picture: avatar, email };
      case 'JWT-Custom':
        // As its page is told to be filled in: token fields Owner and Name, and an attribute of role names.
        return {
          owner,
          name,
          ...(roles.length > 0 && { roles: roles.map((role) => role.name) }),
          nonce: '',
        };
    }
  }
}

/** Access tokens name their key; refresh tokens, of whatever format, do not. */
export function tokenHeader(kid: string, { refresh = false }: TokenOptions = {}): Record<string, unknown> {
  return refresh ? {} : { kid };
}
