import { type Caller, ConnectionRefused, type Subprotocol } from '@latchkey/local/graphql-client';
import type { ClerkUser } from '@latchkey/local/stand-ins/clerk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let ada: ClerkUser;
let ben: ClerkUser;

beforeAll(async () => {
  stack = await startTestStack();
  ada = stack.clerk.directory.signUp({ email: 'ada@example.com', firstName: 'Ada' });
  ben = stack.clerk.directory.signUp({ email: 'ben@example.com', firstName: 'Ben' });
  await stack.clerk.webhooks.idle();
});
afterAll(() => stack?.close());

const PROTOCOLS: Subprotocol[] = ['graphql-transport-ws', 'graphql-ws'];

describe.each(PROTOCOLS)('over subprotocol %s', (subprotocol) => {
  const first = async (query: string, caller: Caller): Promise<unknown> => {
    const results = stack.hasura.subscribe(query, caller, subprotocol);
    try {
      return (await results.next()).value;
    } finally {
      await results.return();
    }
  };

  test('a live query shows a user their own row alone', async () => {
    const token = await stack.clerk.token(ada.id);
    expect(await first('subscription { users { id } }', { token })).toEqual({ users: [{ id: ada.id }] });
    expect(await first(`subscription { users_by_pk(id: "${ben.id}") { id } }`, { token })).toEqual({
      users_by_pk: null,
    });
  });

  test('a plain query shows a user their own row alone', async () => {
    const token = await stack.clerk.token(ben.id);
    expect(await first('{ users { id } }', { token })).toEqual({ users: [{ id: ben.id }] });
  });

  test('a live query follows what happens at Clerk', async () => {
    const token = await stack.clerk.token(ada.id);
    const firstName = `Ada of ${subprotocol}`;
    const results = stack.hasura.subscribe('subscription { users { first_name } }', { token }, subprotocol);
    try {
      expect((await results.next()).value).not.toEqual({ users: [{ first_name: firstName }] });
      stack.clerk.directory.updateUser(ada.id, { firstName });
      expect((await results.next()).value).toEqual({ users: [{ first_name: firstName }] });
    } finally {
      await results.return();
    }
  });

  const refused: [string, () => Promise<Caller>][] = [
    ['without a token', async () => ({})],
    [
      'with an expired token',
      async () => ({ token: await stack.clerk.token(ada.id, { lifetimeSeconds: -60 }) }),
    ],
    [
      'with a token of another issuer',
      async () => ({ token: await stack.clerk.token(ada.id, { claims: { iss: 'https://other.example' } }) }),
    ],
    ['who asks for role admin', async () => ({ token: await stack.clerk.token(ada.id), role: 'admin' })],
  ];
  test.each(refused)('a caller %s is refused', async (_who, caller) => {
    await expect(first('subscription { users { id } }', await caller())).rejects.toBeInstanceOf(
      ConnectionRefused,
    );
  });
});
