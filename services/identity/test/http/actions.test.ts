import { LatchkeyError } from '@latchkey/core/errors';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { IdentityRecord } from '#core/records.ts';
import { type Person, stubUser, type UserRecord } from '#core/records.ts';
import { DELETION_LIMIT } from '#core/settings/deletion-limit.ts';
import type { HasuraClient } from '#hasura/client.ts';
import { buildApp } from '#http/app.ts';
import { createLogger } from '#http/logger.ts';
import { createClerk } from '#providers/clerk/index.ts';
import type { Accounts, EngineAuth, Provider } from '#providers/provider.ts';
import type { Registry } from '#providers/registry.ts';
import { CONFIG } from '../support/clerk.ts';

const SECRETS = ['the-first-secret-of-two', 'the-second-secret-of-two'];

interface Row {
  provider: string;
  tenant: string;
  source_updated_at: string;
  deleted_at: string | null;
  disabled_at: string | null;
  tokens_valid_from: string | null;
}
const rowOf = (changes: Partial<Row>): Row => ({
  provider: 'clerk',
  tenant: '',
  source_updated_at: '2026-01-01T00:00:00+00:00',
  deleted_at: null,
  disabled_at: null,
  tokens_valid_from: null,
  ...changes,
});

let row: Row | null;
let written: { readonly records: readonly IdentityRecord[] }[];
let asked: string[];
/** Whose tokens are refused from now on. */
let ended: string[];
let logged: string;
let failure: Error | undefined;
let app: ReturnType<typeof buildApp>;

/** A provider of which only the accounts matter, and how Hasura trusts it. */
function provider(
  name: Provider['name'],
  accounts: Partial<Accounts>,
  trust: Partial<EngineAuth> = {},
): Provider {
  const note = (what: string, { provider: of, tenant, id }: Person) =>
    asked.push(`${name} ${what} ${of}/${tenant}/${id}`);
  const clerk = createClerk({ ...CONFIG, frontendApiUrl: 'https://clerk.example.com' });
  return {
    ...clerk,
    name,
    engineAuth: () => ({ ...clerk.engineAuth(), issuers: [`https://${name}.example.com`], ...trust }),
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

const stored = (person: Person): UserRecord => ({ ...stubUser(person), clock: 5_000 });
const KNOWS: Partial<Accounts> = { read: async (person) => stored(person) };
function build(providers: Provider[], engineSecrets = SECRETS) {
  const registry: Registry = new Map(providers.map((one) => [one.name, one]));
  const request: HasuraClient['request'] = async (_document, variables) => {
    // All that is asked is the caller's row, and that tokens of before be refused.
    if (!('tenants' in variables)) return JSON.parse(JSON.stringify({ users_by_pk: row }));
    const isThere = row !== null || written.length > 0;
    ended.push(JSON.stringify(variables));
    return JSON.parse(
      JSON.stringify({ update_users: { returning: isThere ? [{ tokens_valid_from: '2026-01-01' }] : [] } }),
    );
  };
  app = buildApp({
    providers: registry,
    engine: { request, checkTables: () => Promise.reject(new Error('not asked here')) },
    writer: {
      async write(records) {
        if (failure !== undefined) throw failure;
        written.push({ records });
      },
      writeDelivery: () => Promise.reject(new Error('No delivery is written here.')),
      close: async () => {},
    },
    engineSecrets,
    retentionDays: 30,
    deletionLimit: DELETION_LIMIT,
    logger: createLogger('trace', {
      write(line) {
        logged += line;
      },
    }),
  });
}

beforeEach(() => {
  row = null;
  written = [];
  asked = [];
  ended = [];
  logged = '';
  failure = undefined;
});
afterEach(() => app.close());

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

describe('whoever calls', () => {
  const session = (more: Record<string, string> = {}) => ({ 'x-hasura-user-id': 'user_1', ...more });
  const HOOKED = {
    'x-hasura-identity-provider': 'casdoor',
    'x-hasura-identity-tenant': 'acme',
    'x-hasura-identity-issued-at': '1767225700',
  };
  const NEEDS_HOOK = { needsHook: 'Hasura sees the id alone: use the hook.' };
  const three = () => [
    provider('clerk', KNOWS),
    provider('casdoor', KNOWS, NEEDS_HOOK),
    provider('cognito', KNOWS),
  ];
  const refusal = async (variables: Record<string, string>, name = 'syncMe') => {
    const { status, body } = await call(name, { variables });
    expect([asked, written]).toEqual([[], []]);
    return [status, body.extensions.code, body.message];
  };

  test('is of the provider and tenant that the session tells, with a row and without', async () => {
    build(three());
    for (const stored of [null, rowOf({ provider: 'casdoor', tenant: 'acme' })]) {
      row = stored;
      asked = [];
      expect(await call('syncMe', { variables: session(HOOKED) })).toMatchObject({ status: 200 });
      expect(asked).toEqual(['casdoor read casdoor/acme/user_1']);
    }
    expect(written).toMatchObject([
      { records: [{ provider: 'casdoor', tenant: 'acme', id: 'user_1' }] },
      { records: [{ provider: 'casdoor', tenant: 'acme', id: 'user_1' }] },
    ]);
  });

  test('is of the only provider, where the session does not tell', async () => {
    build([provider('clerk', KNOWS)]);
    await call('deleteMyAccount');
    expect(asked).toEqual(['clerk remove clerk//user_1']);
  });

  test('is of the only tenant, where the session does not tell', async () => {
    build([provider('casdoor', KNOWS, { tenant: 'acme' })]);
    await call('syncMe');
    expect(asked).toEqual(['casdoor read casdoor/acme/user_1']);
  });

  test('is of the row’s tenant, where neither session nor provider tell', async () => {
    row = rowOf({ tenant: 'ins_1' });
    build([provider('clerk', KNOWS)]);
    await call('syncMe');
    expect(asked).toEqual(['clerk read clerk/ins_1/user_1']);
  });

  test('is nobody, where several providers are set up and the session does not tell', async () => {
    build(three());
    for (const stored of [null, rowOf({}), rowOf({ provider: 'casdoor', tenant: 'acme' })]) {
      row = stored;
      expect(await refusal(session())).toEqual([
        400,
        'request-invalid',
        expect.stringMatching(/auth hook.*x-hasura-identity-provider/),
      ]);
    }
  });

  test('is nobody, where the session tells a provider that is not set up', async () => {
    build([provider('clerk', KNOWS)]);
    for (const told of ['casdoor', 'google', '__proto__']) {
      const variables = session({ 'x-hasura-identity-provider': told });
      expect(await refusal(variables)).toEqual([400, 'request-invalid', expect.stringContaining('settings')]);
    }
  });

  test('is nobody, where several tenants are kept and the session does not tell', async () => {
    build(three());
    const variables = session({ 'x-hasura-identity-provider': 'casdoor' });
    expect(await refusal(variables)).toEqual([
      400,
      'request-invalid',
      expect.stringContaining(NEEDS_HOOK.needsHook),
    ]);
  });

  test('may be of a provider whose tokens tell no tenant, by the word of the auth hook', async () => {
    build([provider('clerk', KNOWS, { needsHook: 'It has several issuers.' }), provider('cognito', KNOWS)]);
    const told = { 'x-hasura-identity-provider': 'clerk', 'x-hasura-identity-tenant': '' };
    expect((await call('syncMe', { variables: session(told) })).status).toBe(200);
  });

  test.each<[string, Partial<Row>]>([
    ['another provider', { provider: 'clerk', tenant: '' }],
    ['another tenant', { provider: 'casdoor', tenant: 'beta' }],
    ['nobody knows whom', { provider: 'casdoor', tenant: '?' }],
    ['a provider that is gone', { provider: 'google', tenant: 'acme' }],
  ])('is refused each action, where the row is of %s, also once it is deleted', async (_what, of) => {
    build(three());
    for (const deleted_at of [null, '2026-01-02T00:00:00+00:00']) {
      row = rowOf({ ...of, deleted_at });
      for (const name of ['syncMe', 'updateMyProfile', 'deleteMyAccount']) {
        const [status, code] = await refusal(session(HOOKED), name);
        expect([status, code], name).toEqual([401, 'token-invalid']);
      }
    }
  });

  test.each<[string, Partial<Row>, string]>([
    ['disabled', { disabled_at: '2026-01-01T00:00:00+00:00' }, 'is disabled'],
    ['revoked', { tokens_valid_from: '2026-01-01T00:01:40.001+00:00' }, 'sign in again'],
  ])('is refused each action, where they are %s', async (_what, of, message) => {
    row = rowOf({ provider: 'casdoor', tenant: 'acme', ...of });
    build(three());
    for (const name of ['syncMe', 'updateMyProfile', 'deleteMyAccount']) {
      expect(await refusal(session(HOOKED), name)).toEqual([
        401,
        'token-invalid',
        expect.stringContaining(message),
      ]);
    }
  });

  test('may call with a token of after their sessions were ended', async () => {
    row = rowOf({ provider: 'casdoor', tenant: 'acme', tokens_valid_from: '2026-01-01T00:01:40+00:00' });
    build(three());
    expect((await call('syncMe', { variables: session(HOOKED) })).status).toBe(200);
  });

  test('is refused, where their sessions were ended and Hasura does not tell the token’s time', async () => {
    row = rowOf({ tokens_valid_from: '2026-01-01T00:00:00+00:00' });
    build([provider('clerk', KNOWS)]);
    for (const told of [
      {},
      { 'x-hasura-identity-issued-at': '' },
      { 'x-hasura-identity-issued-at': '1e99' },
    ]) {
      expect(await refusal(session(told))).toEqual([
        401,
        'token-invalid',
        expect.stringContaining('jwt-secret --strict'),
      ]);
    }
  });

  test('is unknown once deleted, and can be deleted again', async () => {
    row = rowOf({ deleted_at: '2026-01-02T00:00:00+00:00' });
    build([provider('clerk', KNOWS)]);
    for (const name of ['syncMe', 'updateMyProfile']) {
      expect((await refusal(session(), name)).slice(0, 2)).toEqual([404, 'not-found']);
    }
    expect((await call('deleteMyAccount')).status).toBe(200);
  });

  test.each<[string, Partial<UserRecord>]>([
    ['another id', { id: 'user_2' }],
    ['another tenant', { tenant: 'beta' }],
    ['another provider', { provider: 'cognito' }],
  ])('gets nothing written, where their provider answers with somebody of %s', async (_what, of) => {
    const another = async (person: Person) => ({ ...stored(person), ...of });
    build([provider('casdoor', { read: another, change: another })]);
    for (const [name, input] of [
      ['syncMe', {}],
      ['updateMyProfile', { first_name: 'Eve' }],
    ] as const) {
      const { status, body } = await call(name, { input, variables: session(HOOKED) });
      expect([status, body.extensions.code]).toEqual([422, 'record-refused']);
    }
    expect(written).toEqual([]);
  });
});

describe('signOutEverywhere', () => {
  const HOOKED = { 'x-hasura-user-id': 'user_1', 'x-hasura-identity-issued-at': '1767225700' };
  const ENDS = { ...KNOWS, endSessions: async () => {} };
  const ofClerk = JSON.stringify({ id: 'user_1', provider: 'clerk', tenants: ['', ''] });

  test('has tokens of before refused, and then ends the sessions at the provider', async () => {
    row = rowOf({});
    build([provider('clerk', ENDS)]);
    expect(await call('signOutEverywhere', { variables: HOOKED })).toEqual({
      status: 200,
      body: { id: 'user_1' },
    });
    expect([ended, asked, written]).toEqual([[ofClerk], ['clerk end clerk//user_1'], []]);
  });

  test('is as good where the provider has no way to end them', async () => {
    row = rowOf({});
    build([provider('clerk', KNOWS)]);
    expect((await call('signOutEverywhere', { variables: HOOKED })).status).toBe(200);
    expect(ended).toEqual([ofClerk]);
  });

  test('brings the row of who has none yet, for that is where it is kept', async () => {
    build([provider('clerk', ENDS)]);
    expect((await call('signOutEverywhere', { variables: HOOKED })).status).toBe(200);
    expect(written).toMatchObject([{ records: [{ id: 'user_1' }] }]);
    expect(ended).toEqual([ofClerk, ofClerk]);
  });

  test('has tokens refused even if the provider is away, and says that not all is done', async () => {
    row = rowOf({});
    const away = () => Promise.reject(new LatchkeyError('provider-unreachable', 'at https://10.0.0.7'));
    build([provider('clerk', { endSessions: away })]);
    expect(await call('signOutEverywhere', { variables: HOOKED })).toMatchObject({
      status: 429,
      body: { extensions: { code: 'unavailable' } },
    });
    expect(ended).toEqual([ofClerk]);
  });

  test('ends those at the provider alone, where Hasura does not tell when tokens were issued', async () => {
    row = rowOf({});
    build([provider('clerk', ENDS)]);
    expect((await call('signOutEverywhere')).status).toBe(200);
    expect([ended, asked]).toEqual([[], ['clerk end clerk//user_1']]);
  });

  test('is refused, with the fix, where neither can be done', async () => {
    row = rowOf({});
    build([provider('clerk', KNOWS)]);
    expect(await call('signOutEverywhere')).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('jwt-secret --strict') },
    });
    expect(ended).toEqual([]);
  });
});

describe('an error', () => {
  test.each(['provider-unreachable', 'engine-unreachable', 'engine-busy', 'queue-full'] as const)(
    'that passes (%s) tells the client to try again, and nothing of the inside',
    async (code) => {
      build([provider('clerk', KNOWS)]);
      failure = new LatchkeyError(code, 'at https://10.0.0.7');
      const { status, body } = await call('syncMe');
      // Of 5xx Hasura tells the client nothing.
      expect(status).toBe(429);
      expect(body).toEqual({
        message: expect.stringContaining('try again'),
        extensions: { code: 'unavailable' },
      });
      expect(logged).toContain('10.0.0.7');
    },
  );

  test('that is unforeseen says nothing of the inside', async () => {
    build([provider('clerk', KNOWS)]);
    failure = new TypeError('undefined is not a function');
    const { status, body } = await call('syncMe');
    expect([status, body]).toEqual([
      500,
      { message: expect.not.stringContaining('undefined'), extensions: { code: 'internal' } },
    ]);
    expect(logged).toContain('undefined is not a function');
  });

  test.each([
    ['no JSON', '{"action"'],
    ['no object', '[]'],
    ['no session', '{"action":{"name":"syncMe"},"input":{}}'],
    [
      'a session of numbers',
      '{"action":{"name":"syncMe"},"input":{},"session_variables":{"x-hasura-user-id":1}}',
    ],
  ])('of a body that is %s is the caller’s', async (_what, payload) => {
    build([provider('clerk', KNOWS)]);
    const answer = await app.inject({
      method: 'POST',
      url: '/actions',
      headers: { 'x-latchkey-secret': SECRETS[0], 'content-type': 'application/json' },
      payload,
    });
    expect([answer.statusCode, answer.json().extensions.code]).toEqual([400, 'request-invalid']);
    expect(asked).toEqual([]);
  });

  test('of an action that is not known names the fix', async () => {
    build([provider('clerk', KNOWS)]);
    for (const name of ['dropEverything', '__proto__', 'constructor']) {
      const { status, body } = await call(name);
      expect([status, body.message]).toEqual([404, expect.stringContaining('latchkey apply')]);
    }
  });
});

describe('the secret', () => {
  test.each(SECRETS)('is any of those that are set', async (secret) => {
    build([provider('clerk', KNOWS)]);
    expect((await call('syncMe', { secret })).status).toBe(200);
  });

  test.each(['', 'another-secret-altogether', SECRETS.join(','), ` ${SECRETS[0]}x`])(
    'is none but those: %j',
    async (secret) => {
      build([provider('clerk', KNOWS)]);
      expect(await call('syncMe', { secret })).toMatchObject({
        status: 401,
        body: { extensions: { code: 'secret-invalid' } },
      });
      expect([asked, written]).toEqual([[], []]);
    },
  );

  test('that is not set lets nobody in, and the log names the fix', async () => {
    build([provider('clerk', KNOWS)], []);
    expect((await call('syncMe', { secret: '' })).status).toBe(500);
    expect(logged).toContain('LATCHKEY_ACTION_SECRET is missing');
    const job = await app.inject({ method: 'POST', url: '/jobs/erasure' });
    expect(job.statusCode).toBe(500);
    expect(asked).toEqual([]);
  });

  test('is not in the log', async () => {
    build([provider('clerk', KNOWS)]);
    await call('syncMe');
    await call('syncMe', { secret: 'a-wrong-one-of-some-length' });
    expect(logged).not.toMatch(/-of-two|a-wrong-one/);
  });
});

test('a deletion outdoes a row whose provider’s clock is ahead of ours', async () => {
  const ahead = Date.now() + 60_000;
  row = rowOf({ source_updated_at: new Date(ahead).toISOString() });
  build([provider('clerk', {})]);
  await call('deleteMyAccount');
  expect(written).toMatchObject([{ records: [{ deleted: true, clock: ahead }] }]);
});

test('a deletion that the provider does not make leaves the row', async () => {
  build([
    provider('clerk', {
      remove: () => Promise.reject(new LatchkeyError('request-invalid', 'Clerk does not take this.')),
    }),
  ]);
  expect((await call('deleteMyAccount')).status).toBe(400);
  expect(written).toEqual([]);
});
