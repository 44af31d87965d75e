import { type Instant, mayBeSameOwner, type Owner, UNCERTAIN_TENANT } from './records.ts';

/** Whose session it is, by the word of whoever issued its token. */
export interface SessionOwner extends Owner {
  /** When the token was issued; undefined where that is not told. */
  readonly issuedAt: Instant | undefined;
}

/** What a user's row says of whether they may have a session. */
export interface StoredUser {
  readonly provider: string;
  readonly tenant: string;
  readonly deletedAt: Instant | null;
  readonly disabledAt: Instant | null;
  readonly tokensValidFrom: Instant | null;
}

/** Why a session is refused. It says nothing of whose the row is. */
export interface SessionProblem {
  readonly kind: 'another' | 'deleted' | 'disabled' | 'revoked';
  /** Goes on after "The token is refused: ", and names the fix. */
  readonly reason: string;
}

/**
 * Checks a session's token against the row of its id: the row must be of the provider and the tenant
 * that issued the token, neither deleted nor disabled, and the token not of before `tokens_valid_from`.
 *
 * @returns undefined where it is good
 */
export function checkSession(session: SessionOwner, row: StoredUser): SessionProblem | undefined {
  if (row.tenant === UNCERTAIN_TENANT) {
    return {
      kind: 'another',
      reason:
        'it could not be told, when tenants were introduced, whose the row of its id is: set users.tenant of that row (docs/tenants.md)',
    };
  }
  if (!mayBeSameOwner(session, row)) {
    return {
      kind: 'another',
      reason:
        'the row of its id belongs to another provider or tenant than the token: two people bear one id, and one of them needs another (docs/tenants.md)',
    };
  }
  if (row.deletedAt !== null) {
    return {
      kind: 'deleted',
      reason: 'its user was deleted at the provider; sign up again for a new account',
    };
  }
  if (row.disabledAt !== null) {
    return {
      kind: 'disabled',
      reason: 'its user is disabled at the provider; whoever administers it there can let them in again',
    };
  }
  if (
    row.tokensValidFrom !== null &&
    !(session.issuedAt !== undefined && session.issuedAt >= row.tokensValidFrom)
  ) {
    return {
      kind: 'revoked',
      reason:
        session.issuedAt === undefined
          ? 'the sessions of its user were ended, and it does not say when it was issued (iat)'
          : 'the sessions of its user were ended after it was issued; sign in again for a new one',
    };
  }
  return undefined;
}
