import { LatchkeyError } from '@latchkey/core/errors';
import { describe, expect, test } from 'vitest';
import { KNOWS, rowOf, SECRETS, setUpActions } from '../support/actions.ts';

const { app, build, call, provider, state } = setUpActions();

describe('signOutEverywhere', () => {
  const HOOKED = { 'x-hasura-user-id': 'user_1', 'x-hasura-identity-issued-at': '1767225700' };
  const ENDS = { ...KNOWS, endSessions: async () => {} };
  const ofClerk = JSON.stringify({ id: 'user_1', provider: 'clerk', tenants: ['', ''] });

  test('has tokens of before refused, and then ends the sessions at the provider', async () => {
    state.row = rowOf({});
    build([provider('clerk', ENDS)]);
    expect(await call('signOutEverywhere', { variables: HOOKED })).toEqual({
      status: 200,
      body: { id: 'user_1' },
    });
    expect([state.ended, state.asked, state.written]).toEqual([[ofClerk], ['clerk end clerk//user_1'], []]);
  });

  test('is as good where the provider has no way to end them', async () => {
    state.row = rowOf({});
    build([provider('clerk', KNOWS)]);
    expect((await call('signOutEverywhere', { variables: HOOKED })).status).toBe(200);
    expect(state.ended).toEqual([ofClerk]);
  });

  test('brings the row of who has none yet, for that is where it is kept', async () => {
    build([provider('clerk', ENDS)]);
    expect((await call('signOutEverywhere', { variables: HOOKED })).status).toBe(200);
    expect(state.written).toMatchObject([{ records: [{ id: 'user_1' }] }]);
    expect(state.ended).toEqual([ofClerk, ofClerk]);
  });

  test('has tokens refused even if the provider is away, and says that not all is done', async () => {
    state.row = rowOf({});
    const away = () => Promise.reject(new LatchkeyError('provider-unreachable', 'at https://10.0.0.7'));
    build([provider('clerk', { endSessions: away })]);
    expect(await call('signOutEverywhere', { variables: HOOKED })).toMatchObject({
      status: 429,
      body: { extensions: { code: 'unavailable' } },
    });
    expect(state.ended).toEqual([ofClerk]);
  });

  test('ends those at the provider alone, where Hasura does not tell when tokens were issued', async () => {
    state.row = rowOf({});
    build([provider('clerk', ENDS)]);
    expect((await call('signOutEverywhere')).status).toBe(200);
    expect([state.ended, state.asked]).toEqual([[], ['clerk end clerk//user_1']]);
  });

  test('is refused, with the fix, where neither can be done', async () => {
    state.row = rowOf({});
    build([provider('clerk', KNOWS)]);
    expect(await call('signOutEverywhere')).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('jwt-secret --strict') },
    });
    expect(state.ended).toEqual([]);
  });
});

describe('an error', () => {
  test.each(['provider-unreachable', 'engine-unreachable', 'engine-busy', 'queue-full'] as const)(
    'that passes (%s) tells the client to try again, and nothing of the inside',
    async (code) => {
      build([provider('clerk', KNOWS)]);
      state.failure = new LatchkeyError(code, 'at https://10.0.0.7');
      const { status, body } = await call('syncMe');
      // Of 5xx Hasura tells the client nothing.
      expect(status).toBe(429);
      expect(body).toEqual({
        message: expect.stringContaining('try again'),
        extensions: { code: 'unavailable' },
      });
      expect(state.logged).toContain('10.0.0.7');
    },
  );

  test('that is unforeseen says nothing of the inside', async () => {
    build([provider('clerk', KNOWS)]);
    state.failure = new TypeError('undefined is not a function');
    const { status, body } = await call('syncMe');
    expect([status, body]).toEqual([
      500,
      { message: expect.not.stringContaining('undefined'), extensions: { code: 'internal' } },
    ]);
    expect(state.logged).toContain('undefined is not a function');
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
    const answer = await app().inject({
      method: 'POST',
      url: '/actions',
      headers: { 'x-latchkey-secret': SECRETS[0], 'content-type': 'application/json' },
      payload,
    });
    expect([answer.statusCode, answer.json().extensions.code]).toEqual([400, 'request-invalid']);
    expect(state.asked).toEqual([]);
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
      expect([state.asked, state.written]).toEqual([[], []]);
    },
  );

  test('that is not set lets nobody in, and the log names the fix', async () => {
    build([provider('clerk', KNOWS)], []);
    expect((await call('syncMe', { secret: '' })).status).toBe(500);
    expect(state.logged).toContain('LATCHKEY_ACTION_SECRET is missing');
    const job = await app().inject({ method: 'POST', url: '/jobs/erasure' });
    expect(job.statusCode).toBe(500);
    expect(state.asked).toEqual([]);
  });

  test('is not in the log', async () => {
    build([provider('clerk', KNOWS)]);
    await call('syncMe');
    await call('syncMe', { secret: 'a-wrong-one-of-some-length' });
    expect(state.logged).not.toMatch(/-of-two|a-wrong-one/);
  });
});

test('a deletion outdoes a row whose provider’s clock is ahead of ours', async () => {
  const ahead = Date.now() + 60_000;
  state.row = rowOf({ source_updated_at: new Date(ahead).toISOString() });
  build([provider('clerk', {})]);
  await call('deleteMyAccount');
  expect(state.written).toMatchObject([{ records: [{ deleted: true, clock: ahead }] }]);
});

test('a deletion that the provider does not make leaves the row', async () => {
  build([
    provider('clerk', {
      remove: () => Promise.reject(new LatchkeyError('request-invalid', 'Clerk does not take this.')),
    }),
  ]);
  expect((await call('deleteMyAccount')).status).toBe(400);
  expect(state.written).toEqual([]);
});
