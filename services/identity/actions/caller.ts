import { LatchkeyError } from '../core/errors.ts';
import { type Instant, type Person, PROVIDER_NAMES } from '../core/records.ts';
import { CallerRowDocument } from '../hasura/generated/documents.ts';
import type { Provider } from '../providers/provider.ts';
import type { ActionServices } from './action.ts';

/** Whose action it is. */
export interface Caller extends Person {
  readonly at: Provider;
  /** The clock of their row, where there is one. */
  readonly clock: Instant | undefined;
}

/** Every provider's ids, and nothing that means something in the path of a provider's API. */
const ID = /^(?!\.+$)[\w.@:+=|-]{1,255}$/;

/**
 * Finds out who calls and which provider they are of: the one their row says; without a row the one
 * that is set up or, of several, the one that knows them.
 *
 * @param variables the session variables, their names in lower case
 * @throws LatchkeyError `request-invalid`, `not-found`, and what the engine and the providers throw
 */
export async function findCaller(
  { engine, providers }: Pick<ActionServices, 'engine' | 'providers'>,
  variables: Readonly<Record<string, string>>,
): Promise<Caller> {
  const id = variables['x-hasura-user-id'];
  if (id === undefined || !ID.test(id)) {
    throw new LatchkeyError(
      'request-invalid',
      'The session has no x-hasura-user-id that a provider could have given: call this with a token.',
    );
  }
  const { users_by_pk: row } = await engine.ask(CallerRowDocument, { id });
  if (row === null) {
    const at = await whoKnows(id, [...providers.values()]);
    return { id, provider: at.name, tenant: '', at, clock: undefined };
  }

  const name = PROVIDER_NAMES.find((one) => one === row.provider);
  const provider = name && providers.get(name);
  if (provider === undefined) {
    throw new LatchkeyError(
      'configuration-invalid',
      `${id} is of ${row.provider}, which is not set up: give the service its settings.`,
    );
  }
  const { tenant, source_updated_at: clock } = row;
  return { id, provider: provider.name, tenant, at: provider, clock: Date.parse(clock) };
}

async function whoKnows(id: string, providers: readonly Provider[]): Promise<Provider> {
  const [only, ...others] = providers;
  if (only !== undefined && others.length === 0) return only;
  const answers = await Promise.allSettled(
    providers.map(({ name, accounts }) => accounts.read({ provider: name, tenant: '', id })),
  );
  const found = providers.find((_, index) => {
    const answer = answers[index];
    return answer?.status === 'fulfilled' && answer.value !== undefined;
  });
  if (found !== undefined) return found;
  // One that does not answer may be the one that knows.
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  throw unknownCaller();
}

/** The provider has no such user, or none that is kept in step. */
export function unknownCaller(): LatchkeyError {
  return new LatchkeyError('not-found', 'This account does not exist any more: sign in again.');
}
