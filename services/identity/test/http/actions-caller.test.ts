import { describe, expect, test } from 'vitest';
import type { Person, UserRecord } from '#core/records.ts';
import { KNOWS, type Row, rowOf, setUpActions, stored } from '../support/actions.ts';

const { build, call, provider, state } = setUpActions();

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
    expect([state.asked, state.written]).toEqual([[], []]);
    return [status, body.extensions.code, body.message];
  };

  test('is of the provider and tenant that the session tells, with a row and without', async () => {
    build(three());
    for (const stored of [null, rowOf({ provider: 'casdoor', tenant: 'acme' })]) {
      state.row = stored;
      state.asked = [];
      expect(await call('syncMe', { variables: session(HOOKED) })).toMatchObject({ status: 200 });
      expect(state.asked).toEqual(['casdoor read casdoor/acme/user_1']);
    }
    expect(state.written).toMatchObject([
      { records: [{ provider: 'casdoor', tenant: 'acme', id: 'user_1' }] },
      { records: [{ provider: 'casdoor', tenant: 'acme', id: 'user_1' }] },
    ]);
  });

  test('is of the only provider, where the session does not tell', async () => {
    build([provider('clerk', KNOWS)]);
    await call('deleteMyAccount');
    expect(state.asked).toEqual(['clerk remove clerk//user_1']);
  });

  test('is of the only tenant, where the session does not tell', async () => {
    build([provider('casdoor', KNOWS, { tenant: 'acme' })]);
    await call('syncMe');
    expect(state.asked).toEqual(['casdoor read casdoor/acme/user_1']);
  });

  test('is of the row’s tenant, where neither session nor provider tell', async () => {
    state.row = rowOf({ tenant: 'ins_1' });
    build([provider('clerk', KNOWS)]);
    await call('syncMe');
    expect(state.asked).toEqual(['clerk read clerk/ins_1/user_1']);
  });

  test('is nobody, where several providers are set up and the session does not tell', async () => {
    build(three());
    for (const stored of [null, rowOf({}), rowOf({ provider: 'casdoor', tenant: 'acme' })]) {
      state.row = stored;
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
      state.row = rowOf({ ...of, deleted_at });
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
    state.row = rowOf({ provider: 'casdoor', tenant: 'acme', ...of });
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
    state.row = rowOf({
      provider: 'casdoor',
      tenant: 'acme',
      tokens_valid_from: '2026-01-01T00:01:40+00:00',
    });
    build(three());
    expect((await call('syncMe', { variables: session(HOOKED) })).status).toBe(200);
  });

  test('is refused, where their sessions were ended and Hasura does not tell the token’s time', async () => {
    state.row = rowOf({ tokens_valid_from: '2026-01-01T00:00:00+00:00' });
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
    state.row = rowOf({ deleted_at: '2026-01-02T00:00:00+00:00' });
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
    expect(state.written).toEqual([]);
  });
});
