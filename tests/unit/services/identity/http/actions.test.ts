import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LatchkeyError } from '../../../../../services/identity/core/errors.ts';
import { stubUser, type UserRecord } from '../../../../../services/identity/core/records.ts';
import { VANISHING } from '../../../../../services/identity/core/settings/vanishing.ts';
import type { Engine } from '../../../../../services/identity/hasura/graphql.ts';
import { buildApp } from '../../../../../services/identity/http/app.ts';
import { createLogger } from '../../../../../services/identity/http/logger.ts';
import { createClerk } from '../../../../../services/identity/providers/clerk/index.ts';
import type { Accounts, Provider } from '../../../../../services/identity/providers/provider.ts';
import type { Registry } from '../../../../../services/identity/providers/registry.ts';
import type { Entry } from '../../../../../services/identity/sync/rows.ts';
import { CONFIG } from '../../../../support/clerk.ts';

const SECRETS = ['the-first-secret-of-two', 'the-second-secret-of-two'];

interface Row {
  provider: string;
  source_updated_at: string;
  deleted_at: string | null;
}

let row: Row | null;
let written: Entry[];
let asked: string[];
let logged: string;
let failure: Error | undefined;
let app: ReturnType<typeof buildApp>;

/** A provider of which only the accounts matter. */
function provider(name: Provider['name'], accounts: Partial<Accounts>): Provider {
  const note = (what: string) => asked.push(`${name} ${what}`);
  const clerk = createClerk(CONFIG);
  return {
    ...clerk,
    name,
    accounts: {
      async read(id) {
        note('read');
        return accounts.read?.(id);
      },
      async change(id, change) {
        note('change');
        return accounts.change?.(id, change);
      },
      async remove(id) {
        note('remove');
        await accounts.remove?.(id);
      },
    },
  };
}

const knows = (name: Provider['name']): Partial<Accounts> => ({
  read: async (id): Promise<UserRecord> => ({
    ...stubUser({ provider: name, tenant: '', id }),
    clock: 5_000,
  }),
});
const fails = (code: ConstructorParameters<typeof LatchkeyError>[0]): Partial<Accounts> => ({
  read: () => Promise.reject(new LatchkeyError(code, 'at https://10.0.0.7')),
});

function build(providers: Provider[], engineSecrets = SECRETS) {
  const registry: Registry = new Map(providers.map((one) => [one.name, one]));
  const ask: Engine['ask'] = async () => {
    // The only thing that is asked is the caller's row.
    return JSON.parse(JSON.stringify({ users_by_pk: row }));
  };
  app = buildApp({
    providers: registry,
    engine: { ask, checkTables: () => Promise.reject(new Error('not asked here')) },
    writer: {
      async write(entry) {
        if (failure !== undefined) throw failure;
        written.push(entry);
        return { status: 'applied', error: null };
      },
      close: async () => {},
    },
    engineSecrets,
    retentionDays: 30,
    vanishing: VANISHING,
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
  logged = '';
  failure = undefined;
});
afterEach(() => app.close());

async function call(
  name: string,
  { input = {}, variables = { 'x-hasura-user-id': 'user_1' }, secret = SECRETS[0] ?? '' } = {},
) {
  const answer = await app.inject({
    method: 'POST',
    url: '/actions',
    headers: { 'x-latchkey-secret': secret },
    payload: { action: { name }, input, session_variables: variables, request_query: 'mutation { … }' },
  });
  return { status: answer.statusCode, body: answer.json() };
}

describe('the provider that is asked', () => {
  test('is the one of the caller’s row, and no other', async () => {
    row = { provider: 'casdoor', source_updated_at: '2026-01-01T00:00:00+00:00', deleted_at: null };
    build([provider('clerk', knows('clerk')), provider('casdoor', knows('casdoor'))]);
    expect(await call('syncMe')).toEqual({ status: 200, body: { id: 'user_1' } });
    expect(asked).toEqual(['casdoor read']);
    expect(written).toMatchObject([{ records: [{ kind: 'user', provider: 'casdoor', id: 'user_1' }] }]);
  });

  test('is without a row the only one there is', async () => {
    build([provider('clerk', knows('clerk'))]);
    await call('deleteMyAccount');
    expect(asked).toEqual(['clerk remove']);
  });

  test('is without a row, of several, the one that knows the caller, even while another is away', async () => {
    build([
      provider('clerk', fails('provider-unreachable')),
      provider('casdoor', knows('casdoor')),
      provider('cognito', {}),
    ]);
    expect(await call('deleteMyAccount')).toMatchObject({ status: 200 });
    expect(asked.filter((what) => what.endsWith('remove'))).toEqual(['casdoor remove']);
  });

  test('is nobody, where one that is away might be the one', async () => {
    build([provider('clerk', fails('provider-unreachable')), provider('casdoor', {})]);
    expect(await call('deleteMyAccount')).toMatchObject({
      status: 429,
      body: { extensions: { code: 'unavailable' } },
    });
    expect(written).toEqual([]);
  });

  test('is nobody, where none knows the caller', async () => {
    build([provider('clerk', {}), provider('casdoor', {})]);
    expect(await call('deleteMyAccount')).toMatchObject({
      status: 404,
      body: { extensions: { code: 'not-found' } },
    });
    expect(written).toEqual([]);
  });

  test('is missed where it is not set up any more, and the log names it', async () => {
    row = { provider: 'casdoor', source_updated_at: '2026-01-01T00:00:00+00:00', deleted_at: null };
    build([provider('clerk', knows('clerk'))]);
    expect(await call('syncMe')).toMatchObject({ status: 500, body: { extensions: { code: 'internal' } } });
    expect(logged).toContain('casdoor, which is not set up');
  });
});

describe('an error', () => {
  test.each(['provider-unreachable', 'engine-unreachable', 'engine-busy', 'queue-full'] as const)(
    'that passes (%s) tells the client to try again, and nothing of the inside',
    async (code) => {
      build([provider('clerk', knows('clerk'))]);
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
    build([provider('clerk', knows('clerk'))]);
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
    build([provider('clerk', knows('clerk'))]);
    const answer = await app.inject({
      method: 'POST',
      url: '/actions',
      headers: { 'x-latchkey-secret': SECRETS[0], 'content-type': 'application/json' },
      payload,
    });
    expect([answer.statusCode, answer.json().extensions.code]).toEqual([400, 'request-invalid']);
    expect(asked).toEqual([]);
  });

  test('of an action that is not known names the mend', async () => {
    build([provider('clerk', knows('clerk'))]);
    for (const name of ['dropEverything', '__proto__', 'constructor']) {
      const { status, body } = await call(name);
      expect([status, body.message]).toEqual([404, expect.stringContaining('latchkey apply')]);
    }
  });
});

describe('the secret', () => {
  test.each(SECRETS)('is any of those that are set', async (secret) => {
    build([provider('clerk', knows('clerk'))]);
    expect((await call('syncMe', { secret })).status).toBe(200);
  });

  test.each(['', 'another-secret-altogether', SECRETS.join(','), ` ${SECRETS[0]}x`])(
    'is none but those: %j',
    async (secret) => {
      build([provider('clerk', knows('clerk'))]);
      expect(await call('syncMe', { secret })).toMatchObject({
        status: 401,
        body: { extensions: { code: 'secret-invalid' } },
      });
      expect([asked, written]).toEqual([[], []]);
    },
  );

  test('that is not set lets nobody in, and the log names the mend', async () => {
    build([provider('clerk', knows('clerk'))], []);
    expect((await call('syncMe', { secret: '' })).status).toBe(500);
    expect(logged).toContain('LATCHKEY_ACTION_SECRET is missing');
    const job = await app.inject({ method: 'POST', url: '/jobs/erasure' });
    expect(job.statusCode).toBe(500);
    expect(asked).toEqual([]);
  });

  test('is not in the log', async () => {
    build([provider('clerk', knows('clerk'))]);
    await call('syncMe');
    await call('syncMe', { secret: 'a-wrong-one-of-some-length' });
    expect(logged).not.toMatch(/-of-two|a-wrong-one/);
  });
});

test('a deletion outdoes a row whose provider’s clock is ahead of ours', async () => {
  const ahead = Date.now() + 60_000;
  row = { provider: 'clerk', source_updated_at: new Date(ahead).toISOString(), deleted_at: null };
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
