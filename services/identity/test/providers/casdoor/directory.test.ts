import { type LocalCasdoor, startLocalCasdoor } from '@latchkey/local/stand-ins/casdoor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { IdentityRecord } from '#core/records.ts';
import type { StoredState } from '#core/stored-state.ts';
import { type CasdoorApi, createCasdoorApi } from '#providers/casdoor/api.ts';
import { casdoorDeliveries } from '#providers/casdoor/deliveries.ts';
import { casdoorListing } from '#providers/casdoor/directory.ts';
import type { DirectoryPage } from '#providers/provider.ts';
import { configOf, delivery, NOTHING_STORED, PRIVATE_JWK } from '../../support/casdoor.ts';

const NOW = 1_800_000_000_000;

let casdoor: LocalCasdoor;
beforeEach(async () => {
  casdoor = await startLocalCasdoor({ port: 0, privateJwk: PRIVATE_JWK });
});
afterEach(() => casdoor.close());

async function pages(
  options: {
    cursor?: string;
    settings?: Record<string, string>;
    api?: Partial<CasdoorApi>;
    stored?: Partial<StoredState>;
  } = {},
): Promise<DirectoryPage[]> {
  const config = configOf(casdoor, options.settings);
  const api = { ...createCasdoorApi(config), ...options.api };
  const all: DirectoryPage[] = [];
  const { cursor } = options;
  const directory = casdoorListing(config, api, { ...NOTHING_STORED, ...options.stored }, () => NOW);
  for await (const page of directory.pages(cursor === undefined ? {} : { cursor })) all.push(page);
  return all;
}
const keyOf = (record: IdentityRecord): string =>
  record.kind === 'membership' ? `${record.organizationId}:${record.userId}` : `${record.kind} ${record.id}`;
const merged = (all: DirectoryPage[]) =>
  new Map(all.flatMap(({ records }) => records).map((record) => [keyOf(record), record]));
const usersIn = (all: DirectoryPage[]) =>
  new Set(
    all.flatMap(({ records }) => records).flatMap((one) => (one.kind === 'user' ? [one.username] : [])),
  );

function fill(count: number, organization = 'acme'): string[] {
  const names = Array.from({ length: count }, (_, n) => `user-${String(n).padStart(4, '0')}`);
  for (const name of names) casdoor.directory.addUser(`${organization}/${name}`);
  return names;
}

test('everything comes, and is what a delivery of each would read back', async () => {
  const { directory, actions } = casdoor;
  directory.addOrganization('beta');
  directory.addGroup('acme/staff');
  directory.addGroup('beta/staff');
  directory.addUser('beta/zoe', { email: 'zoe@example.com' });
  directory.addUser('acme/grace', { groups: ['acme/staff'], isAdmin: true });
  directory.addUser('acme/ada');
  directory.addRole('acme/editor', { groups: ['acme/staff'], users: ['acme/ada'] });
  directory.addRole('acme/chief', { roles: ['acme/editor'] });
  directory.addRole('acme/asleep', { users: ['acme/ada'], isEnabled: false });

  const listed = merged(await pages());
  const config = configOf(casdoor);
  const read = casdoorDeliveries(config, createCasdoorApi(config), NOTHING_STORED, () => NOW);
  const { records } = casdoor.intercept(() => {
    for (const { name } of directory.state().organizations) actions.updateOrganization(name, {});
    for (const { owner, name } of directory.state().users) {
      actions.updateUser(`${owner}/${name}`, { displayName: name });
    }
  });
  const readings = await Promise.all(records.map((record) => read(delivery(record))));
  const expected = readings.flatMap((reading) => (reading.kind === 'records' ? reading.records : []));
  expect(expected.length).toBeGreaterThan(8);
  for (const record of expected) expect(merged(await pages()).get(keyOf(record))).toEqual(record);
  expect([...listed.keys()].filter((key) => key.startsWith('organization')).sort()).toEqual([
    'organization acme',
    'organization acme/staff',
    'organization beta',
    'organization beta/staff',
    'organization built-in',
  ]);
  // Nobody is in beta's group, so no delivery told of it.
  const told = new Set([...expected.map(keyOf), 'organization beta/staff']);
  expect(new Set(listed.keys())).toEqual(told);
});

test('organizations come before users, and each call for users is one of a page', async () => {
  const names = fill(1203);
  let calls = 0;
  const { users } = createCasdoorApi(configOf(casdoor));
  const all = await pages({
    settings: { CASDOOR_ORGANIZATIONS: 'acme' },
    api: {
      users(organization, options) {
        calls += 1;
        return users(organization, options);
      },
    },
  });
  expect(all[0]?.records.every(({ kind }) => kind === 'organization')).toBe(true);
  expect(usersIn(all)).toEqual(new Set(names));
  expect(calls).toBe(3);
});

test('exactly full pages end, though Casdoor repeats the last one for ever', async () => {
  fill(1000);
  const all = await pages({ settings: { CASDOOR_ORGANIZATIONS: 'acme' } });
  const users = all.flatMap(({ records }) => records).filter(({ kind }) => kind === 'user');
  expect(users).toHaveLength(1000);
});

test('nobody is passed over when others are deleted between two pages', async () => {
  const names = fill(1500);
  const inOrder = casdoor.directory
    .state()
    .users.filter(({ owner }) => owner === 'acme')
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const early = new Set(inOrder.slice(0, 20).map(({ name }) => name));
  const { users } = createCasdoorApi(configOf(casdoor));
  let isFirst = true;
  const all = await pages({
    settings: { CASDOOR_ORGANIZATIONS: 'acme' },
    api: {
      async users(organization, options) {
        const page = await users(organization, options);
        if (isFirst) for (const name of early) casdoor.directory.deleteUser(`acme/${name}`);
        isFirst = false;
        return page;
      },
    },
  });
  const missed = names.filter((name) => !early.has(name) && !usersIn(all).has(name));
  expect(missed).toEqual([]);
});

describe('a run that was broken off', () => {
  test('goes on at any of its cursors and misses nobody', async () => {
    const names = fill(1100);
    casdoor.directory.addOrganization('beta');
    fill(3, 'beta');
    const whole = await pages();
    for (const [index, { cursor }] of whole.entries()) {
      const rest = await pages({ cursor });
      const seen = usersIn([...whole.slice(0, index + 1), ...rest]);
      expect(seen).toEqual(new Set([...names, 'admin']));
      const again = usersIn(rest);
      if (index === whole.length - 1) expect(again.size).toBeLessThan(names.length);
    }
  });

  test('misses nobody either when users were deleted meanwhile', async () => {
    const names = fill(1100);
    const settings = { CASDOOR_ORGANIZATIONS: 'acme' };
    const whole = await pages({ settings });
    const firstPage = whole.findIndex(({ records }) => records.some(({ kind }) => kind === 'user'));
    const begun = whole.slice(0, firstPage + 1);
    const gone = [...usersIn(begun)].slice(0, 30);
    for (const name of gone) casdoor.directory.deleteUser(`acme/${name}`);
    const rest = await pages({ settings, cursor: begun.at(-1)?.cursor ?? '' });
    const seen = usersIn([...begun, ...rest]);
    expect(names.filter((name) => !seen.has(name))).toEqual([]);
  });

  test.each(['', 'x', '{}', '{"organization":"acme","page":0,"total":0}'])(
    'refuses the cursor %j',
    async (cursor) => {
      await expect(pages({ cursor })).rejects.toThrow(expect.objectContaining({ code: 'request-invalid' }));
    },
  );
});

test('who is forbidden or deleted softly is listed as disabled', async () => {
  casdoor.directory.updateOrganization('acme', { enableSoftDeletion: true });
  fill(3);
  casdoor.directory.deleteUser('acme/user-0000');
  casdoor.directory.updateUser('acme/user-0001', { isForbidden: true });
  const users = [...merged(await pages()).values()].flatMap((one) => (one.kind === 'user' ? [one] : []));
  expect(Object.fromEntries(users.map(({ username, disabledAt }) => [username, disabledAt]))).toEqual({
    admin: null,
    'user-0000': NOW,
    'user-0001': NOW,
    'user-0002': null,
  });
});

describe('an odd item never stops the listing, and is named:', () => {
  const unreadableIn = (all: DirectoryPage[]) => all.flatMap(({ unreadable = [] }) => unreadable);

  test('a user without an id', async () => {
    const names = fill(3);
    casdoor.actions.runSyncer('acme/sue', { id: '' });
    const all = await pages();
    expect(usersIn(all)).toEqual(new Set(['admin', ...names]));
    expect(unreadableIn(all)).toEqual([
      { name: 'user acme/sue', reason: expect.stringContaining('it has no id') },
    ]);
  });

  test('an organization, a group, a role', async () => {
    const { organizations, groups, roles } = casdoor.directory.state();
    casdoor.directory.addGroup('acme/staff');
    casdoor.directory.addRole('acme/editor');
    const odd = <T extends object>(one: T | undefined): T => Object.assign({}, one, { name: '' });
    organizations.push(odd(organizations[0]));
    groups.push(odd(groups[0]));
    roles.push(odd(roles[0]));
    const all = await pages();
    expect(unreadableIn(all).map(({ name }) => name)).toEqual([
      'organization without a name',
      'group without a name',
      'role without a name',
    ]);
    expect(merged(all).has('organization acme/staff')).toBe(true);
    expect(usersIn(all)).toEqual(new Set(['admin']));
  });

  test('users of one organization with the same id, of whom none is taken for the other', async () => {
    casdoor.directory.addOrganization('beta');
    const { id } = casdoor.directory.addUser('acme/bob');
    casdoor.directory.addUser('acme/twin', { id });
    casdoor.directory.addUser('beta/bob', { id });
    const all = await pages();
    expect(
      unreadableIn(all)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['user acme/bob', 'user acme/twin']);
    const listed = all
      .flatMap(({ records }) => records)
      .filter((one) => one.kind === 'user' && one.id === id);
    // In another organization it is somebody else, and no matter of the listing's.
    expect(listed).toMatchObject([{ tenant: 'beta', username: 'bob' }]);
  });

  test('also on the border of two pages, where the second of them is passed over', async () => {
    fill(499);
    const ids = casdoor.directory.state().users.filter(({ owner }) => owner === 'acme');
    const last = `${ids
      .map(({ id }) => id)
      .sort()
      .at(-1)}-z`;
    casdoor.directory.addUser('acme/bob', { id: last });
    casdoor.directory.addUser('acme/twin', { id: last });
    const all = await pages({ settings: { CASDOOR_ORGANIZATIONS: 'acme' } });
    expect(unreadableIn(all)).toHaveLength(1);
    const listed = all.flatMap(({ records }) => records);
    expect(listed.filter((one) => one.kind === 'user' && one.id === last)).toHaveLength(1);
  });
});

describe('of two organizations that use the same ids', () => {
  test('each user is of their own, with their own roles and groups', async () => {
    const { directory } = casdoor;
    directory.addOrganization('beta');
    directory.addGroup('acme/engineers');
    const bob = directory.addUser('acme/bob', { groups: ['acme/engineers'] });
    const groups = ['acme/engineers', 'acme', 'beta/nothing'];
    directory.addUser('beta/mallory', { id: bob.id, groups });
    directory.addRole('beta/evil', { users: ['acme/bob', 'beta/mallory'] });
    directory.addRole('acme/editor', { users: ['acme/bob', 'beta/mallory'] });
    const records = (await pages()).flatMap((page) => page.records);
    const users = records.filter((one) => one.kind === 'user').filter(({ id }) => id === bob.id);
    expect(users.map(({ tenant, username, roles }) => [tenant, username, roles])).toEqual([
      ['acme', 'bob', ['editor']],
      ['beta', 'mallory', ['evil']],
    ]);
    const members = records
      .filter((one) => one.kind === 'membership')
      .filter(({ userId }) => userId === bob.id);
    expect(members.map(({ tenant, organizationId }) => [tenant, organizationId])).toEqual([
      ['acme', 'acme'],
      ['acme', 'acme/engineers'],
      ['beta', 'beta'],
    ]);
  });
});

describe('an organization of CASDOOR_ORGANIZATIONS that Casdoor does not have', () => {
  test('is a mistake, and the message names it and those that there are', async () => {
    casdoor.directory.addOrganization('beta');
    await expect(pages({ settings: { CASDOOR_ORGANIZATIONS: 'Acme,beta' } })).rejects.toMatchObject({
      code: 'configuration-invalid',
      exitCode: 2,
      message: expect.stringMatching(/names Acme,.*it has acme, beta, built-in\./),
    });
  });

  test('is gone if it was here: nothing is listed of it, and the page says so', async () => {
    fill(1);
    const hasTenant = async ({ tenant }: { tenant: string }) => tenant === 'delta';
    const all = await pages({ settings: { CASDOOR_ORGANIZATIONS: 'acme,delta' }, stored: { hasTenant } });
    expect(usersIn(all)).toEqual(new Set(['user-0000']));
    const notices = all.flatMap(({ notice }) => notice ?? []);
    expect(notices).toEqual([expect.stringMatching(/no organization delta .*deleted or renamed/)]);
    expect(all.flatMap(({ unreadable = [] }) => unreadable)).toEqual([]);
  });

  test('may be one of those that cannot be read, so that nothing is deleted for it', async () => {
    const { organizations } = casdoor.directory.state();
    Object.assign(organizations.find(({ name }) => name === 'acme') ?? {}, { name: 7 });
    const all = await pages({ settings: { CASDOOR_ORGANIZATIONS: 'acme' } });
    expect(all.flatMap(({ unreadable = [] }) => unreadable)).toHaveLength(1);
  });
});

test('an error that comes with status 200 is an error', async () => {
  await expect(pages({ settings: { CASDOOR_CLIENT_SECRET: 'wrong' } })).rejects.toThrow(
    expect.objectContaining({ code: 'provider-unreachable' }),
  );
});
