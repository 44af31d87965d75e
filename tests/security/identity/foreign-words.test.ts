import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTenantsWorld, type TenantsWorld } from './tenants-world.ts';

// What an organization that is not the user's own, or not kept in step at all, says of somebody.

let world: TenantsWorld;
beforeAll(async () => {
  world = await startTenantsWorld({ CASDOOR_ORGANIZATIONS: 'acme,beta' });
}, 120_000);
afterAll(() => world?.close());
const casdoor = () => world.stack.casdoor;
const membershipsOf = async (id: string) =>
  (await world.rows()).organization_memberships
    .filter(({ user_id }) => user_id === id)
    .map(({ organization_id, role }) => `${organization_id} ${role}`);

describe('a user of an organization that is not kept in step', () => {
  test('is no reason to delete whoever of a kept one has their id', async () => {
    const carol = await world.joins('acme/carol', { displayName: 'Carol' });
    casdoor().directory.addUser('gamma/carol', { id: carol.id });
    casdoor().actions.addRole('acme/editor', { users: ['acme/carol'], isEnabled: true });
    await casdoor().webhooks.idle();
    expect(await world.row(carol.id)).toMatchObject({ deleted_at: null, roles: ['editor'], name: 'Carol' });
    const token = await world.tokenOf(carol);
    expect(await world.act(token, 'syncMe')).toEqual({ syncMe: { id: carol.id } });
    expect((await world.latchkey('sync', 'drift', '--provider', 'casdoor', '--quiet')).code).toBe(0);
    expect(await world.act(token, 'deleteMyAccount')).toEqual({ deleteMyAccount: { id: carol.id } });
    expect(casdoor().directory.findUser('acme/carol')).toBeUndefined();
    expect(casdoor().directory.findUser('gamma/carol')).toBeDefined();
  });

  test('gets no session', async () => {
    const stranger = casdoor().directory.addUser('gamma/stranger');
    expect(await world.read(await world.tokenOf(stranger))).toBe('access-denied');
  });
});

describe('groups and roles of another organization', () => {
  test('make nobody a member of it, and show nothing of it', async () => {
    casdoor().actions.addGroup('acme/engineers');
    const bob = await world.joins('acme/bob', { isAdmin: true, groups: ['acme/engineers'] });
    const mallory = await world.joins('beta/mallory', { groups: ['acme/engineers', 'acme', 'gamma/x'] });
    expect(await membershipsOf(mallory.id)).toEqual(['beta org:member']);
    expect(await world.read(await world.tokenOf(mallory))).toMatchObject({
      organizations: [{ id: 'beta' }],
      organization_memberships: [{ organization_id: 'beta', user_id: mallory.id }],
    });
    expect(await membershipsOf(bob.id)).toEqual(['acme org:admin', 'acme/engineers org:member']);
  });

  test('give nobody a role, and take none', async () => {
    const dave = await world.joins('acme/dave');
    casdoor().actions.addRole('acme/writer', { users: ['acme/dave'], isEnabled: true });
    casdoor().actions.addRole('beta/owner', { users: ['acme/dave'], isEnabled: true });
    await casdoor().webhooks.idle();
    casdoor().actions.updateUser('acme/dave', { displayName: 'Dave' });
    await casdoor().webhooks.idle();
    expect(await world.row(dave.id)).toMatchObject({ name: 'Dave', roles: ['writer'] });
    casdoor().actions.deleteRole('beta/owner');
    await casdoor().webhooks.idle();
    expect(await world.row(dave.id)).toMatchObject({ roles: ['writer'] });
  });

  test('or an id of Clerk’s among them, keep nobody an admin who is none any more', async () => {
    const { id: clerks } = world.stack.clerk.directory.createOrganization({ name: 'Of Clerk' });
    await world.stack.clerk.webhooks.idle();
    const erin = await world.joins('acme/erin', { isAdmin: true });
    expect(await membershipsOf(erin.id)).toEqual(['acme org:admin']);
    casdoor().actions.updateUser('acme/erin', { isAdmin: false, groups: [clerks] });
    await casdoor().webhooks.idle();
    expect(await membershipsOf(erin.id)).toEqual(['acme org:member']);
  });
});

describe('a record that names somebody who never was', () => {
  test('leaves nothing behind, and they can come later, wherever they are of', async () => {
    const { clerk } = world.stack;
    const { result: user, messages } = clerk.intercept(() =>
      clerk.directory.signUp({ email: 'future@example.com', firstName: 'Future' }),
    );
    for (const names of [
      { requestUri: `/api/update-user?userId=${user.id}`, object: JSON.stringify({ id: user.id }) },
      {
        requestUri: '/api/delete-user',
        object: JSON.stringify({ owner: 'beta', name: 'nobody', id: user.id }),
      },
    ]) {
      const { records } = casdoor().intercept(() => casdoor().actions.addUser(`beta/u${Math.random()}`));
      const [record] = records;
      if (record === undefined) throw new Error('There is no record.');
      const action = names.requestUri.startsWith('/api/delete') ? 'delete-user' : 'update-user';
      expect((await casdoor().webhooks.post({ ...record, action, ...names })).ok).toBe(true);
    }
    expect(await world.row(user.id)).toBeUndefined();
    for (const message of messages) await clerk.webhooks.post(message);
    expect(await world.row(user.id)).toMatchObject({ provider: 'clerk', deleted_at: null, name: 'Future' });
  });
});

describe('an address that Casdoor calls verified', () => {
  test('opens no account of before', async () => {
    const { adminSecret, engine } = world.stack;
    const importing = await fetch(`${engine.url}/v1/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-hasura-admin-secret': adminSecret },
      body: JSON.stringify({
        query: `mutation { insert_identity_imported_accounts_one(
          object: {legacy_id: "7", email: "ceo@example.com"}) { legacy_id } }`,
      }),
    });
    expect(await importing.json()).toEqual({
      data: { insert_identity_imported_accounts_one: { legacy_id: '7' } },
    });
    const thief = await world.joins('beta/thief', { email: 'ceo@example.com', emailVerified: true });
    expect(await world.row(thief.id)).toMatchObject({ email: 'ceo@example.com', legacy_id: null });
    const owner = await world.stack.signUp('clerk', 'ceo@example.com');
    expect(await world.row(owner.id)).toMatchObject({ legacy_id: '7' });
  });
});
