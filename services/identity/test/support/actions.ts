import { afterEach, beforeEach } from 'vitest';
import type { IdentityRecord } from '#core/records.ts';
import { type Person, stubUser, type UserRecord } from '#core/records.ts';
import { DELETION_LIMIT } from '#core/settings/deletion-limit.ts';
import type { HasuraClient } from '#hasura/client.ts';
import { buildApp } from '#http/app.ts';
import { createLogger } from '#http/logger.ts';
import { createClerk } from '#providers/clerk/index.ts';
import type { Accounts, EngineAuth, Provider } from '#providers/provider.ts';
import type { Registry } from '#providers/registry.ts';
import { CONFIG } from './clerk.ts';

export const SECRETS = ['the-first-secret-of-two', 'the-second-secret-of-two'];

export interface Row {
  provider: string;
  tenant: string;
  source_updated_at: string;
  deleted_at: string | null;
  disabled_at: string | null;
  tokens_valid_from: string | null;
}
export const rowOf = (changes: Partial<Row>): Row => ({
  provider: 'clerk',
  tenant: '',
  source_updated_at: '2026-01-01T00:00:00+00:00',
  deleted_at: null,
  disabled_at: null,
  tokens_valid_from: null,
  ...changes,
});

export const stored = (person: Person): UserRecord => ({ ...stubUser(person), clock: 5_000 });
export const KNOWS: Partial<Accounts> = { read: async (person) => stored(person) };

/** What the app finds and what it did, from one test to the next anew. */
interface State {
  row: Row | null;
  written: { readonly records: readonly IdentityRecord[] }[];
  /** Calls of the providers. */
  asked: string[];
  /** Whose tokens are refused from now on. */
  ended: string[];
  logged: string;
  /** What the writer throws. */
  failure: Error | undefined;
}

/** The app with providers and an engine that are stand-ins. To be called once in each file of tests. */
export function setUpActions() {
  const state: State = { row: null, written: [], asked: [], ended: [], logged: '', failure: undefined };
  let app: ReturnType<typeof buildApp>;
  beforeEach(() => {
    Object.assign(state, { row: null, written: [], asked: [], ended: [], logged: '', failure: undefined });
  });
  afterEach(() => app.close());

  /** A provider of which only the accounts matter, and how Hasura trusts it. */
  function provider(
    name: Provider['name'],
    accounts: Partial<Accounts>,
    trust: Partial<EngineAuth> = {},
  ): Provider {
    const note = (what: string, { provider: of, tenant, id }: Person) =>
      state.asked.push(`${name} ${what} ${of}/${tenant}/${id}`);
    const clerk = createClerk({ ...CONFIG, frontendApiUrl: 'https://clerk.example.com' });
    return {
      ...clerk,
      name,
      tokens: {
        ...clerk.tokens,
        engineAuth: () => ({
          ...clerk.tokens.engineAuth(),
          issuers: [`https://${name}.example.com`],
          ...trust,
        }),
      },
      accounts: {
        async read(person) {
          note('read', person);
          return accounts.read?.(person);
        },
        async change(person, change) {
          note('change', person);
          return accounts.change?.(person, change);
        },
        async remove(person) {
          note('remove', person);
          await accounts.remove?.(person);
        },
        ...(accounts.endSessions && {
          async endSessions(person) {
            note('end', person);
            await accounts.endSessions?.(person);
          },
        }),
      },
    };
  }

  function build(providers: Provider[], engineSecrets = SECRETS) {
    const registry: Registry = new Map(providers.map((one) => [one.name, one]));
    const request: HasuraClient['request'] = async (_document, variables) => {
      // All that is asked is the caller's row, and that tokens of before be refused.
      if (!('tenants' in variables)) return JSON.parse(JSON.stringify({ users_by_pk: state.row }));
      const isThere = state.row !== null || state.written.length > 0;
      state.ended.push(JSON.stringify(variables));
      return JSON.parse(
        JSON.stringify({ update_users: { returning: isThere ? [{ tokens_valid_from: '2026-01-01' }] : [] } }),
      );
    };
    app = buildApp({
      providers: registry,
      engine: { request, checkTables: () => Promise.reject(new Error('not asked here')) },
      writer: {
        async write(records) {
          if (state.failure !== undefined) throw state.failure;
          state.written.push({ records });
        },
        writeDelivery: () => Promise.reject(new Error('No delivery is written here.')),
        close: async () => {},
      },
      engineSecrets,
      retentionDays: 30,
      deletionLimit: DELETION_LIMIT,
      logger: createLogger('trace', {
        write(line) {
          state.logged += line;
        },
      }),
    });
  }

  async function call(
    name: string,
    {
      input = {},
      variables = { 'x-hasura-user-id': 'user_1' },
      secret = SECRETS[0] ?? '',
    }: { input?: object; variables?: Record<string, string>; secret?: string } = {},
  ) {
    const answer = await app.inject({
      method: 'POST',
      url: '/actions',
      headers: { 'x-latchkey-secret': secret },
      payload: { action: { name }, input, session_variables: variables, request_query: 'mutation { … }' },
    });
    return { status: answer.statusCode, body: answer.json() };
  }

  return { state, provider, build, call, app: () => app };
}
