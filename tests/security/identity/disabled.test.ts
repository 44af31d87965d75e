import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTenantsWorld, type TenantsWorld } from './tenants-world.ts';

let world: TenantsWorld;
beforeAll(async () => {
  world = await startTenantsWorld({ CASDOOR_ORGANIZATIONS: 'acme' });
}, 120_000);
afterAll(() => world?.close());

/** What docs/several-providers.md promises, and as much again for a busy machine. */
const WITHIN = { timeout: 10_000, interval: 100 };

interface Case {
  name: string;
  start(): Promise<{ id: string; token(): Promise<string> }>;
  disable(id: string): Promise<void>;
  enable(id: string): Promise<void>;
}

const cases: Case[] = [
  {
    name: 'banned at Clerk',
    start: () => world.stack.signUp('clerk', 'banned@example.com'),
    async disable(id) {
      world.stack.clerk.directory.banUser(id);
      await world.stack.clerk.webhooks.idle();
    },
    async enable(id) {
      world.stack.clerk.directory.unbanUser(id);
      await world.stack.clerk.webhooks.idle();
    },
  },
  {
    name: 'forbidden at Casdoor',
    start: () => world.stack.signUp('casdoor', 'forbidden@example.com'),
    async disable() {
      world.stack.casdoor.actions.updateUser('acme/forbidden', { isForbidden: true });
      await world.stack.casdoor.webhooks.idle();
    },
    async enable() {
      world.stack.casdoor.actions.updateUser('acme/forbidden', { isForbidden: false });
      await world.stack.casdoor.webhooks.idle();
    },
  },
  {
    name: 'deleted softly at Casdoor',
    start: () => world.stack.signUp('casdoor', 'softly@example.com'),
    async disable() {
      world.stack.casdoor.actions.updateUser('acme/softly', { isDeleted: true });
      await world.stack.casdoor.webhooks.idle();
    },
    async enable() {
      world.stack.casdoor.actions.updateUser('acme/softly', { isDeleted: false });
      await world.stack.casdoor.webhooks.idle();
    },
  },
];

describe.each(cases)('somebody who is $name', ({ start, disable, enable }) => {
  test('is out within seconds, with tokens from before, and in again when they are let in', async () => {
    const { id, token } = await start();
    const before = await token();
    expect(await world.read(before)).toMatchObject({ users: [{ id }] });
    await disable(id);
    expect(await world.row(id)).toMatchObject({ disabled_at: expect.any(String), deleted_at: null });
    await expect.poll(() => world.read(before), WITHIN).toBe('access-denied');
    for (const action of ['syncMe', 'updateMyProfile(first_name: "Still here")', 'deleteMyAccount']) {
      expect(await world.act(before, action)).toBe('access-denied');
    }
    expect(await world.row(id)).toMatchObject({ disabled_at: expect.any(String), deleted_at: null });
    await enable(id);
    expect(await world.row(id)).toMatchObject({ disabled_at: null });
    await expect.poll(() => world.read(before), WITHIN).toMatchObject({ users: [{ id }] });
  });
});

test('where Hasura trusts tokens by itself, the shipped permissions show a disabled user nothing', async () => {
  const { id } = await world.stack.signUp('clerk', 'jwt-mode@example.com');
  const { clerk, engine, adminSecret } = world.stack;
  const { id: place } = clerk.directory.createOrganization({ name: 'Theirs' });
  clerk.directory.setMembership(place, id, 'org:admin');
  await clerk.webhooks.idle();
  const asThem = async () => {
    const answer = await fetch(`${engine.url}/v1/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        // What a session of JWT mode comes to.
        'x-hasura-admin-secret': adminSecret,
        'x-hasura-role': 'user',
        'x-hasura-user-id': id,
      },
      body: JSON.stringify({
        query: '{ users { id } organizations { id } organization_memberships { user_id } }',
      }),
    });
    return answer.json();
  };
  expect(await asThem()).toEqual({
    data: { users: [{ id }], organizations: [{ id: place }], organization_memberships: [{ user_id: id }] },
  });
  clerk.directory.banUser(id);
  await clerk.webhooks.idle();
  expect(await asThem()).toEqual({ data: { users: [], organizations: [], organization_memberships: [] } });
});

describe('whose sessions were ended', () => {
  test('is refused with tokens of before, by command and by their own action, and let in with a later one', async () => {
    const ada = await world.stack.signUp('clerk', 'revoked@example.com');
    const before = await ada.token();
    expect(await world.read(before)).toMatchObject({ users: [{ id: ada.id }] });
    // Tokens tell seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const { code } = await world.latchkey('revoke', ada.id);
    expect(code).toBe(0);
    await expect.poll(() => world.read(before), WITHIN).toBe('access-denied');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const later = await ada.token();
    expect(await world.read(later)).toMatchObject({ users: [{ id: ada.id }] });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await world.act(later, 'signOutEverywhere')).toEqual({ signOutEverywhere: { id: ada.id } });
    await expect.poll(() => world.read(later), WITHIN).toBe('access-denied');
  });
});
