import { LatchkeyError } from '@latchkey/core/errors';
import { SESSION_USER_SECONDS } from '@latchkey/identity/auth/session-users';
import { readConfig } from '@latchkey/identity/config/read-config';
import type { Person, ProviderName } from '@latchkey/identity/core/records';
import { createHasuraClient, type HasuraClient } from '@latchkey/identity/hasura/client';
import { readTrustMode } from '@latchkey/identity/hasura/trust-mode';
import type { Provider } from '@latchkey/identity/providers/provider';
import { loadProviders, PROVIDER_NAMES } from '@latchkey/identity/providers/registry';
import { revokeTokens } from '@latchkey/identity/sync/revoke-tokens';
import { defineCommand } from './command.ts';
import { environmentWithDotEnv } from './environment.ts';

export const revoke = defineCommand({
  name: 'revoke',
  description: `
Ends all sessions of a user: the auth hook and the actions refuse every token that was issued to them so
far, within ${SESSION_USER_SECONDS} seconds, and their sessions at the provider end where it can do that. They can sign in again;
to keep somebody out, disable or delete them at the provider.

Hasura's JWT mode looks at no row: there tokens stay good until they expire, and only the sessions at the
provider are ended.

The settings are the identity service's, from the environment or .env.

Exit codes: 0 done, 1 there is no such user, or something of it could not be done, 2 wrong call or setting,
3 Hasura or the provider does not answer.`,
  argument: 'user-id',
  options: {
    provider: {
      type: 'string',
      placeholder: 'name',
      choices: PROVIDER_NAMES,
      help: `Only if the user is of this provider: ${PROVIDER_NAMES.join(', ')}.`,
    },
  },
  async run({ provider }, id) {
    const config = readConfig(environmentWithDotEnv());
    const engine = createHasuraClient(config.engine);
    const person = await findPerson(engine, id, provider);
    if (person === undefined) return 0;

    const isJwtMode = (await readTrustMode(config.engine)) === 'jwt';
    // There it would not end what it should, and keep the user from actions for good: tokens do not tell
    // when they were issued.
    if (!isJwtMode) await refuse(engine, person);
    const providers = await loadProviders(config.providers, engine);
    const isEnded = await endAtProvider(providers.get(person.provider), person);
    if (isJwtMode) {
      console.error(
        'Hasura trusts tokens by itself (JWT mode): those that were issued stay good until they expire. npx latchkey jwt-secret --strict has it ask the service.',
      );
    }
    return isEnded && !isJwtMode ? 0 : 1;
  },
});

const describe = ({ id, provider, tenant }: { id: string; provider: string; tenant: string }): string =>
  `${id} of ${provider}${tenant === '' ? '' : ` ${tenant}`}`;

/** @returns undefined for who is deleted, and has no sessions any more */
async function findPerson(
  engine: Pick<HasuraClient, 'ownerOf'>,
  id: string,
  wanted: ProviderName | undefined,
): Promise<Person | undefined> {
  const row = await engine.ownerOf(id);
  if (row === undefined) {
    throw new LatchkeyError(
      'not-found',
      `There is no user ${id}: give the id of a row of users, which is the token’s x-hasura-user-id.`,
    );
  }
  const whose = describe({ id, ...row });
  const provider = PROVIDER_NAMES.find((name) => name === row.provider);
  if (provider === undefined || (wanted !== undefined && wanted !== provider)) {
    throw new LatchkeyError('not-found', `That is ${whose}: nothing was changed.`);
  }
  if (!row.deleted) return { id, provider, tenant: row.tenant };
  console.log(`${whose} is deleted: their tokens are refused already.`);
  return undefined;
}

async function refuse(engine: Pick<HasuraClient, 'request'>, person: Person): Promise<void> {
  const validFrom = await revokeTokens(engine, person);
  if (validFrom === undefined) {
    throw new LatchkeyError(
      'not-found',
      `${describe(person)} has just changed: look at the row, and do it again.`,
    );
  }
  const since = new Date(validFrom).toISOString();
  console.log(
    `${describe(person)}: tokens issued before ${since} are refused, by the auth hook within ${SESSION_USER_SECONDS} seconds.`,
  );
}

/** @returns whether no new tokens come of the sessions there, as far as that can be had */
async function endAtProvider(provider: Provider | undefined, person: Person): Promise<boolean> {
  const { endSessions } = provider?.accounts ?? {};
  if (endSessions !== undefined) {
    await endSessions(person);
    console.log(`${describe(person)}: the sessions at the provider are ended.`);
    return true;
  }
  console.error(
    provider === undefined
      ? `${person.provider} is not set up here, so the sessions there go on and new tokens are good: give its settings, or end them there.`
      : `${person.provider} has no way to end sessions, so whoever holds a refresh token gets new tokens: disable the user there to keep them out.`,
  );
  return provider !== undefined;
}
