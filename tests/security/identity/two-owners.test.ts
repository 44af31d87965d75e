import type { CasdoorUser } from '@latchkey/local/stand-ins/casdoor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTenantsWorld, type TenantsWorld } from './tenants-world.ts';

// An administrator of one Casdoor organization gives a user of theirs the id of somebody else: of another
// organization, or of another provider. That is theirs to do at Casdoor; it must get them nothing here.

let world: TenantsWorld;
beforeAll(async () => {
  world = await startTenantsWorld({ CASDOOR_ORGANIZATIONS: 'acme,beta' });
}, 120_000);
afterAll(() => world?.close());

const casdoor = () => world.stack.casdoor;
let people = 0;
/** Somebody of acme with rows of their own, and whoever of beta bears their id. */
async function collide(victimInput: Partial<CasdoorUser> = {}) {
  people += 1;
  const bob = await world.joins(`acme/bob${people}`, {
    displayName: `Bob ${people}`,
    isAdmin: true,
    email: `bob${people}@example.com`,
    ...victimInput,
  });
  const before = await world.rows();
  const mallory = await world.joins(`beta/mallory${people}`, { id: bob.id, displayName: 'Mallory' });
  return { bob, mallory, before };
}

const ownRowsOf = ({ id, displayName }: CasdoorUser) => ({
  users: [{ id, name: displayName, provider: 'casdoor' }],
  organizations: [{ id: 'acme' }],
  organization_memberships: expect.arrayContaining([
    { organization_id: 'acme', user_id: id, role: 'org:admin' },
  ]),
});

describe('a Casdoor user of another organization with the id of somebody', () => {
  test('is kept as dead with the reason, and changes nothing by whatever webhook', async () => {
    const { bob, mallory, before } = await collide();
    expect(await world.rows()).toEqual(before);
    expect(await world.ledger(bob.id)).toContainEqual({
      type: 'add-user',
      status: 'dead',
      error: expect.stringContaining('users belongs to casdoor acme, not to beta'),
    });
    casdoor().actions.updateUser(`beta/${mallory.name}`, { displayName: 'Bob, by Mallory' });
    casdoor().actions.signIn(`beta/${mallory.name}`);
    casdoor().actions.deleteUser(`beta/${mallory.name}`);
    await casdoor().webhooks.idle();
    expect(await world.rows()).toEqual(before);
    expect(await world.read(await world.tokenOf(bob))).toEqual(ownRowsOf(bob));
  });

  test('reads nothing with a good token of theirs', async () => {
    const { bob, mallory } = await collide();
    expect(await world.read(await world.tokenOf(mallory))).toBe('access-denied');
    expect(await world.read(await world.tokenOf(bob))).toEqual(ownRowsOf(bob));
  });

  test.each(['syncMe', 'updateMyProfile(first_name: "Owned")', 'deleteMyAccount', 'signOutEverywhere'])(
    'gets nothing done to them by %s',
    async (action) => {
      const { bob, mallory, before } = await collide();
      expect(await world.act(await world.tokenOf(mallory), action)).toBe('access-denied');
      expect(await world.rows()).toEqual(before);
      expect(casdoor().directory.findUser(`acme/${bob.name}`)).toMatchObject({
        id: bob.id,
        displayName: bob.displayName,
        firstName: '',
        isDeleted: false,
      });
      expect(await world.read(await world.tokenOf(bob))).toEqual(ownRowsOf(bob));
    },
  );

  test('is not met where the victim deletes their account: their own is gone, and the other stays', async () => {
    const { bob, mallory } = await collide();
    expect(await world.act(await world.tokenOf(bob), 'deleteMyAccount')).toEqual({
      deleteMyAccount: { id: bob.id },
    });
    expect(casdoor().directory.findUser(`acme/${bob.name}`)).toBeUndefined();
    expect(casdoor().directory.findUser(`beta/${mallory.name}`)).toMatchObject({ displayName: 'Mallory' });
    expect((await world.row(bob.id))?.deleted_at).not.toBeNull();
    // What was bob's does not become mallory's either.
    expect(await world.read(await world.tokenOf(mallory))).toBe('access-denied');
  });

  test('is named by backfill, drift and repair, which write all others and merge nobody', async () => {
    const { bob, before } = await collide();
    casdoor().directory.updateUser(`acme/${bob.name}`, { displayName: 'Told by nobody' });
    for (const task of ['drift', 'backfill', 'repair']) {
      const { code, stdout } = await world.latchkey('sync', task, '--provider', 'casdoor', '--quiet');
      expect(code).toBe(1);
      expect(stdout).toMatch(new RegExp(`refused user beta ${bob.id}: .*casdoor acme`));
    }
    const victims = ({ users }: typeof before) => users.filter(({ id }) => id === bob.id);
    expect(victims(await world.rows())).toEqual(
      victims(before).map((row) => ({ ...row, name: 'Told by nobody' })),
    );
  });

  test('gets nothing by a replay of what was refused', async () => {
    const { bob, before } = await collide();
    const { code, stdout } = await world.latchkey('replay', '--all');
    expect([code, stdout]).toEqual([1, expect.stringContaining('users belongs to casdoor acme')]);
    expect(await world.rows()).toEqual(before);
    expect(await world.read(await world.tokenOf(bob))).toEqual(ownRowsOf(bob));
  });

  test('does not pass the id on when they are gone, even to whom it might belong', async () => {
    people += 1;
    const mallory = await world.joins(`beta/mallory${people}`, { displayName: 'Mallory' });
    const bob = await world.joins(`acme/bob${people}`, { id: mallory.id, isAdmin: true, displayName: 'Bob' });
    expect(await world.row(bob.id)).toMatchObject({ tenant: 'beta', name: 'Mallory' });
    // As long as somebody is in the old place, no move is believed.
    expect(await world.act(await world.tokenOf(bob), 'syncMe')).toBe('access-denied');
    casdoor().directory.deleteUser(`beta/${mallory.name}`);
    const { stdout } = await world.latchkey('sync', 'repair', '--provider', 'casdoor', '--quiet');
    expect(stdout).toContain(`refused user acme ${bob.id}: `);
    expect(await world.row(bob.id)).toMatchObject({
      tenant: 'beta',
      name: null,
      deleted_at: expect.any(String),
    });
    expect(await world.read(await world.tokenOf(bob))).toBe('access-denied');
  });

  test('is somebody who has moved only where the old place is empty', async () => {
    people += 1;
    const ann = await world.joins(`acme/ann${people}`, { displayName: 'Ann' });
    const decoy = casdoor().directory.addUser(`acme/decoy${people}`, { id: ann.id });
    casdoor().actions.updateUser(`acme/ann${people}`, { owner: 'beta' });
    await casdoor().webhooks.idle();
    expect(await world.row(ann.id)).toMatchObject({ tenant: 'acme', previous_tenant: null });
    casdoor().directory.deleteUser(`acme/${decoy.name}`);
    casdoor().actions.updateUser(`beta/ann${people}`, { displayName: 'Ann of Beta' });
    await casdoor().webhooks.idle();
    expect(await world.row(ann.id)).toMatchObject({
      tenant: 'beta',
      previous_tenant: 'acme',
      name: 'Ann of Beta',
    });
    const moved = casdoor().directory.findUser(`beta/ann${people}`);
    expect(moved && (await world.read(await world.tokenOf(moved)))).toMatchObject({
      users: [{ id: ann.id }],
      organizations: [{ id: 'beta' }],
    });
    // A token of before names the organization that was left.
    expect(await world.read(await world.tokenOf(ann))).toBe('access-denied');
  });
});

test('two of one id who are there before anything is stored end as one of them, never as both', async () => {
  people += 1;
  casdoor().directory.addUser(`acme/alice${people}`, { id: `${people}`, displayName: 'Alice' });
  casdoor().directory.addUser(`beta/bruno${people}`, { id: `${people}`, displayName: 'Bruno' });
  const { code, stdout } = await world.latchkey('sync', 'backfill', '--provider', 'casdoor', '--quiet');
  expect(code).toBe(1);
  const row = await world.row(`${people}`);
  const [owner, other] = row?.tenant === 'acme' ? ['acme', 'beta'] : ['beta', 'acme'];
  expect(row).toMatchObject({ tenant: owner, name: owner === 'acme' ? 'Alice' : 'Bruno' });
  expect(stdout).toContain(`refused user ${other} ${people}: `);
  const { organization_memberships: members } = await world.rows();
  expect(members.filter(({ user_id }) => user_id === `${people}`)).toMatchObject([
    { organization_id: owner },
  ]);
  expect((await world.latchkey('sync', 'drift', '--provider', 'casdoor', '--quiet')).stdout).toContain(
    `refused user ${other} ${people}: `,
  );
});

describe('a Casdoor user with the id of a user of Clerk', () => {
  test('reads, renames and deletes nobody, whoever was there first', async () => {
    const ada = await world.stack.signUp('clerk', 'ada-two-owners@example.com');
    const before = await world.rows();
    const mallory = await world.joins('beta/mallory-of-clerk', { id: ada.id, displayName: 'Mallory' });
    const token = await world.tokenOf(mallory);
    expect(await world.read(token)).toBe('access-denied');
    for (const action of ['syncMe', 'updateMyProfile(name: "Owned")', 'deleteMyAccount']) {
      expect(await world.act(token, action)).toBe('access-denied');
    }
    casdoor().actions.deleteUser('beta/mallory-of-clerk');
    await casdoor().webhooks.idle();
    expect(await world.rows()).toEqual(before);
    expect(world.stack.clerk.directory.state().users.map(({ id }) => id)).toContain(ada.id);
    expect(await world.ledger(ada.id)).toContainEqual({
      type: 'add-user',
      status: 'dead',
      error: expect.stringContaining('users belongs to provider clerk, not to casdoor'),
    });
    expect(await world.read(await ada.token())).toMatchObject({ users: [{ id: ada.id, provider: 'clerk' }] });
  });
});
