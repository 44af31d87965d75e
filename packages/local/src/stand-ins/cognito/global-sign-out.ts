import { decodeJwt } from 'jose';
import { z } from 'zod';
import type { Call } from './call.ts';

/** What cognito-local answers to a sign-in, as far as sessions are concerned. */
const SIGNED_IN = z.object({
  AuthenticationResult: z.object({ AccessToken: z.string(), RefreshToken: z.string() }),
});
const CLIENT = z.object({ ClientId: z.string() });

export interface GlobalSignOut {
  /** Notes the refresh token of a sign-in, from the request and the answer to it. */
  noteSignIn(input: unknown, answer: unknown): void;
  /** Takes back all refresh tokens of a user that have been noted. */
  signOut(sub: string): Promise<void>;
}

/**
 * `AdminUserGlobalSignOut`, which cognito-local does not have: by taking back one token after the other. Of
 * sign-ins in an earlier run nothing is known.
 *
 * @param call calls an operation of cognito-local
 */
export function globalSignOut(call: Call): GlobalSignOut {
  const sessions = new Map<string, { clientId: string; token: string }[]>();
  return {
    noteSignIn(input, answer) {
      const { data: signedIn } = SIGNED_IN.safeParse(answer);
      const { data: client } = CLIENT.safeParse(input);
      if (signedIn === undefined || client === undefined) return;
      const { AccessToken, RefreshToken: token } = signedIn.AuthenticationResult;
      const { sub = '' } = decodeJwt(AccessToken);
      sessions.set(sub, [...(sessions.get(sub) ?? []), { clientId: client.ClientId, token }]);
    },
    async signOut(sub) {
      for (const { clientId: ClientId, token: Token } of sessions.get(sub) ?? []) {
        await call('RevokeToken', { ClientId, Token });
      }
      sessions.delete(sub);
    },
  };
}
