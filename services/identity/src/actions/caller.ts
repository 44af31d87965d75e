import { LatchkeyError } from '@latchkey/core/errors';
import { type Instant, mayBeSameOwner, USER_ID, type UserRecord } from '#core/records.ts';
import { checkSession, type SessionProblem } from '#core/session-check.ts';
import { CallerRowDocument } from '#hasura/generated/documents.ts';
import { engineAuthOf } from '#providers/engine-auth.ts';
import { withoutPart } from '#providers/parts.ts';
import type { Accounts, Provider } from '#providers/provider.ts';
import type { Registry } from '#providers/registry.ts';
import type { ActionServices, Caller } from './action.ts';

type Variables = Readonly<Record<string, string>>;

/**
 * Finds out who calls: the person of the provider and the tenant that issued the session's token. Where
 * there is a row of the id, it must be theirs, as it is at this moment, and neither deleted nor disabled.
 *
 * @param variables the session variables, their names in lower case
 * @param options.isForDeleted whether who is deleted may call as well
 * @throws LatchkeyError `request-invalid`, `token-invalid`, `not-found`, and what the engine throws
 */
export async function findCaller(
  { engine, providers }: Pick<ActionServices, 'engine' | 'providers'>,
  variables: Variables,
  { isForDeleted = false } = {},
): Promise<Caller> {
  const id = variables['x-hasura-user-id'];
  if (id === undefined || !USER_ID.test(id)) {
    throw new LatchkeyError(
      'request-invalid',
      'The session has no x-hasura-user-id that a provider could have given: call this with a token.',
    );
  }
  const issuer = providerOf(variables, providers);
  const { name: provider, accounts, tokens } = issuer;
  const tenant = tenantOf(variables, issuer);
  const issuedAt = issuedAtOf(variables);
  const { users_by_pk: row } = await engine.request(CallerRowDocument, { id });
  if (row === null) return { id, provider, tenant, accounts, tokens, clock: undefined, issuedAt };

  const instant = (text: string | null) => (text === null ? null : Date.parse(text));
  const problem = checkSession(
    { provider, tenant, issuedAt },
    {
      provider: row.provider,
      tenant: row.tenant,
      deletedAt: isForDeleted ? null : instant(row.deleted_at),
      disabledAt: instant(row.disabled_at),
      tokensValidFrom: instant(row.tokens_valid_from),
    },
  );
  if (problem !== undefined) throw refusedCaller(problem, issuedAt);
  // A token may not tell its tenant where there is only one; the row does.
  const known = tenant === '' ? row.tenant : tenant;
  return {
    id,
    provider,
    tenant: known,
    accounts,
    tokens,
    clock: Date.parse(row.source_updated_at),
    issuedAt,
  };
}

/** Whoever issued the session's token. */
function providerOf(variables: Variables, providers: Registry): Provider {
  const told = variables['x-hasura-identity-provider'] ?? '';
  if (told !== '') {
    const provider = [...providers.values()].find(({ name }) => name === told);
    if (provider !== undefined) return provider;
    throw new LatchkeyError(
      'request-invalid',
      'The session’s x-hasura-identity-provider is none of the providers that are set up here: give the service the settings of that one.',
    );
  }
  const [only, ...others] = providers.values();
  if (only !== undefined && others.length === 0) return only;
  throw new LatchkeyError(
    'request-invalid',
    'Several providers are set up, and the session does not tell which one its token is of: have Hasura ask the auth hook (npx latchkey jwt-secret prints how), or give the tokens the claim x-hasura-identity-provider.',
  );
}

/** Whose token it is at its provider; empty where that is not known, and need not be. */
function tenantOf(variables: Variables, provider: Provider): string {
  const told = variables['x-hasura-identity-tenant'];
  if (told !== undefined && told !== '') return told;
  const { needsHook, tenant = '' } = engineAuthOf(provider.tokens) ?? {};
  // The auth hook tells it, empty where this provider's tokens do not.
  if (told === undefined && needsHook !== undefined) {
    throw new LatchkeyError(
      'request-invalid',
      `The session does not tell its token’s tenant (x-hasura-identity-tenant). ${needsHook}`,
    );
  }
  return tenant;
}

/** In whole seconds, as tokens have it. */
function issuedAtOf(variables: Variables): Instant | undefined {
  const told = variables['x-hasura-identity-issued-at'] ?? '';
  return /^\d{1,12}$/.test(told) ? Number(told) * 1000 : undefined;
}

function refusedCaller({ kind, reason }: SessionProblem, issuedAt: Instant | undefined): LatchkeyError {
  if (kind === 'deleted') return unknownCaller();
  if (kind === 'revoked' && issuedAt === undefined) {
    return new LatchkeyError(
      'token-invalid',
      'The sessions of this account were ended, and this one does not tell when its token was issued: have Hasura ask the auth hook (npx latchkey jwt-secret --strict prints how).',
    );
  }
  return new LatchkeyError('token-invalid', `The token is refused: ${reason}.`);
}

/** @throws LatchkeyError `request-invalid` where the caller's provider has no accounts to act on */
export function accountsOf({ provider, accounts }: Caller): Accounts {
  if (accounts === undefined) throw withoutPart({ name: provider }, 'accounts', 'request-invalid');
  return accounts;
}

/** The provider has no such user, or none that is kept in step. */
export function unknownCaller(): LatchkeyError {
  return new LatchkeyError('not-found', 'This account does not exist any more: sign in again.');
}

/**
 * What the provider says of the caller, fit to be written.
 *
 * @throws LatchkeyError `not-found` where it knows nobody, `record-refused` where it speaks of somebody else
 */
export function ownRecord(caller: Caller, record: UserRecord | undefined): UserRecord {
  // Not taken for a deletion: to a provider that lags behind, the newest users are unknown too.
  if (record === undefined) throw unknownCaller();
  if (record.id === caller.id && mayBeSameOwner(record, caller)) return record;
  throw new LatchkeyError(
    'record-refused',
    `${caller.provider} answered with another user than was asked for: nothing was written.`,
  );
}
