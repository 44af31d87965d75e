import { LatchkeyError } from '@latchkey/core/errors';
import { stubUser } from '#core/records.ts';
import { revokeTokens } from '#sync/revoke-tokens.ts';
import type { Action } from './action.ts';
import { ownRecord, unknownCaller } from './caller.ts';

/** Ends the caller's sessions: the tokens that they have so far are refused, and the provider makes no more of them. */
export const signOutEverywhere: Action = {
  name: 'signOutEverywhere',
  async run({ engine, writer, users }, caller) {
    const { id, accounts, issuedAt } = caller;
    if (issuedAt === undefined) {
      // Hasura does not tell when tokens were issued: those of a new sign-in would be refused too.
      if (accounts?.endSessions === undefined) {
        throw new LatchkeyError(
          'request-invalid',
          `Sessions cannot be ended here: ${caller.provider} has no way to, and Hasura trusts tokens by itself. Have it ask the auth hook (npx latchkey jwt-secret --strict prints how).`,
        );
      }
    } else if ((await revokeTokens(engine, caller)) === undefined) {
      // Whoever has no row yet gets one: it is where that is kept.
      const record = accounts ? ownRecord(caller, await accounts.read(caller)) : stubUser(caller);
      await writer.write([record]);
      if ((await revokeTokens(engine, caller)) === undefined) throw unknownCaller();
    }
    users.forget([id]);
    await accounts?.endSessions?.(caller);
    return { id };
  },
};
