import { ConnectionRefused } from '@latchkey/local/graphql-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Person, startThreeProviders, type ThreeProviders } from '../../support/three-providers.ts';

const SESSION_SECONDS = 2;

let stack: ThreeProviders;
let ada: Person;
let token: string;
beforeAll(async () => {
  stack = await startThreeProviders({ LATCHKEY_SESSION_SECONDS: String(SESSION_SECONDS) });
  ada = await stack.signUp('clerk', 'ada@example.com');
  token = await ada.token();
}, 120_000);
afterAll(() => stack?.close());

const ACTIONS = ['syncMe', 'updateMyProfile(first_name: "Eve")', 'signOutEverywhere', 'deleteMyAccount'];
const ask = async (query: string) => {
  const { data, codes } = await stack.hasura.query(query, { token });
  return codes.length > 0 ? codes : data;
};
const row = () =>
  stack.asAdmin(`{ users_by_pk(id: "${ada.id}") { email first_name deleted_at tokens_valid_from } }`);

test.each([
  [
    'banned',
    (id: string) => stack.clerk.directory.banUser(id),
    (id: string) => stack.clerk.directory.unbanUser(id),
  ],
  [
    'locked',
    (id: string) => stack.clerk.directory.lockUser(id),
    (id: string) => stack.clerk.directory.unlockUser(id),
  ],
])(
  'who is %s at Clerk is out with a good token, rows and actions alike, and in again when let in',
  async (_how, out, back) => {
    expect(await ask('{ users { id } }')).toEqual({ users: [{ id: ada.id }] });
    out(ada.id);
    await stack.clerk.webhooks.idle();
    const before = await row();
    for (const query of ['{ users { id } }', ...ACTIONS.map((action) => `mutation { ${action} { id } }`)]) {
      expect(await ask(query), query).toEqual(['access-denied']);
    }
    expect(await row()).toEqual(before);
    expect(stack.clerk.directory.findUser(ada.id)).toBeDefined();

    back(ada.id);
    await stack.clerk.webhooks.idle();
    expect(await ask('{ users { id } }')).toEqual({ users: [{ id: ada.id }] });
  },
);

test('an open WebSocket shows who is banned nothing more, ends within the session’s seconds, and opens no more', async () => {
  const subscribe = () =>
    stack.hasura.subscribe('subscription { users { id } }', { token }, 'graphql-transport-ws');
  const results = subscribe();
  expect((await results.next()).value).toEqual({ users: [{ id: ada.id }] });
  stack.clerk.directory.banUser(ada.id);
  await stack.clerk.webhooks.idle();
  const bannedAt = Date.now();

  const shown: unknown[] = [];
  const end = (async () => {
    for await (const result of results) shown.push(result);
  })();
  await expect(end).rejects.toBeInstanceOf(ConnectionRefused);
  // With a second for the engine to notice, and some more for a machine that is busy.
  expect(Date.now() - bannedAt).toBeLessThan((SESSION_SECONDS + 1 + 5) * 1000);
  for (const result of shown) expect(result).toEqual({ users: [] });
  await expect(subscribe().next()).rejects.toBeInstanceOf(ConnectionRefused);
});
