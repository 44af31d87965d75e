import { type Caller, ConnectionRefused, type Subprotocol } from '@latchkey/local/graphql-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Person, startThreeProviders, THREE, type ThreeProviders } from '../support/three-providers.ts';

let stack: ThreeProviders;
let people: Record<(typeof THREE)[number], Person>;

beforeAll(async () => {
  stack = await startThreeProviders({
    LATCHKEY_ALLOWED_ROLES: 'editor',
    LATCHKEY_UNAUTHORIZED_ROLE: 'visitor',
  });
  people = {
    clerk: await stack.signUp('clerk', 'ada@example.com'),
    casdoor: await stack.signUp('casdoor', 'grace@example.com'),
    cognito: await stack.signUp('cognito', 'linus@example.com'),
  };
}, 120_000);
afterAll(() => stack?.close());

const ask = async (caller: Caller, query = '{ users { id email provider } }') => {
  const { data, codes } = await stack.hasura.query(query, caller);
  return { data, codes };
};
const first = async (caller: Caller, subprotocol: Subprotocol): Promise<unknown> => {
  const results = stack.hasura.subscribe('subscription { users { id } }', caller, subprotocol);
  try {
    return (await results.next()).value;
  } finally {
    await results.return();
  }
};

test('the service and the keys are there before the engine is', async () => {
  await stack.engine.stop();
  for (const name of THREE) {
    const answer = await fetch(`${stack.service.url}/jwks/${name}`);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'public, max-age=60']);
  }
  await stack.engine.start();
});

describe.each(THREE)('who signed up at %s', (name) => {
  test('reads their own row alone', async () => {
    const { id, email, token } = people[name];
    expect(await ask({ token: await token() })).toEqual({
      data: { users: [{ id, email, provider: name }] },
      codes: [],
    });
  });

  test.each<Subprotocol>(['graphql-transport-ws', 'graphql-ws'])(
    'reads their own row alone over a WebSocket (%s)',
    async (subprotocol) => {
      const { id, token } = people[name];
      expect(await first({ token: await token() }, subprotocol)).toEqual({ users: [{ id }] });
      await expect(first({ token: 'a.b.c' }, subprotocol)).rejects.toBeInstanceOf(ConnectionRefused);
      await expect(first({ token: await token(), role: 'admin' }, subprotocol)).rejects.toBeInstanceOf(
        ConnectionRefused,
      );
    },
  );

  test('is nobody else by headers, and no admin', async () => {
    const { id, token } = people[name];
    const headers = { 'x-hasura-user-id': people.clerk.id, 'x-hasura-allowed-roles': '["admin"]' };
    expect((await ask({ token: await token(), headers })).data).toMatchObject({ users: [{ id }] });
    for (const role of ['admin', 'editor', 'visitor']) {
      expect(await ask({ token: await token(), role })).toEqual({ data: null, codes: ['access-denied'] });
    }
  });

  test('is refused with a token that Hasura alone would let pass', async () => {
    for (const missing of ['exp', 'iss']) {
      const token = await people[name].signed({ [missing]: undefined });
      expect(await ask({ token }), missing).toEqual({ data: null, codes: ['access-denied'] });
    }
  });
});

test('a refresh token of Casdoor, which Hasura alone would let pass, is refused', async () => {
  const user = stack.casdoor.directory.findUser(people.casdoor.id);
  if (user === undefined) throw new Error('Grace is gone.');
  for (const format of ['JWT', 'JWT-Empty', 'JWT-Standard', 'JWT-Custom'] as const) {
    expect((await ask({ token: await stack.casdoor.token(user, { format }) })).codes, format).toEqual([]);
    const token = await stack.casdoor.token(user, { format, refresh: true });
    expect((await ask({ token })).codes, format).toEqual(['access-denied']);
  }
});

test('a role that is on the list is given to whose token claims it', async () => {
  for (const person of [
    await people.casdoor.signed({
      roles: ['editor', 'admin'].map((role) => ({ owner: 'acme', name: role, isEnabled: true })),
    }),
    await people.cognito.signed({ 'cognito:groups': ['editor'], 'https://hasura.io/jwt/claims': undefined }),
  ]) {
    // The metadata give editors nothing, and that is what they are told: not that they are no editors.
    expect((await ask({ token: person, role: 'editor' })).codes).toEqual(['validation-failed']);
    expect((await ask({ token: person, role: 'admin' })).codes).toEqual(['access-denied']);
  }
  // Another organization may name anybody in its roles, and a text does not tell whose role it is.
  for (const roles of [[{ owner: 'beta', name: 'editor', isEnabled: true }], ['editor']]) {
    const token = await people.casdoor.signed({ roles });
    expect((await ask({ token, role: 'editor' })).codes).toEqual(['access-denied']);
  }
});

test('who has no token has the role for nobody, and no other', async () => {
  expect((await ask({})).codes).toEqual(['validation-failed']);
  expect((await ask({ role: 'user' })).codes).toEqual(['access-denied']);
});

test('a WebSocket ends when its token does', async () => {
  const exp = Math.floor(Date.now() / 1000) + 3;
  const token = await people.clerk.signed({ exp });
  const results = stack.hasura.subscribe('subscription { users { id } }', { token }, 'graphql-ws');
  expect((await results.next()).value).toEqual({ users: [{ id: people.clerk.id }] });
  await expect(results.next()).rejects.toBeInstanceOf(ConnectionRefused);
  expect(Date.now()).toBeGreaterThanOrEqual((exp - 1) * 1000);
});
