import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type LocalCasdoor,
  startLocalCasdoor,
} from '../../../../../../scripts/local/casdoor/local-casdoor.ts';
import type { IdentityRecord } from '../../../../../../services/identity/core/records.ts';
import {
  type CasdoorApi,
  createCasdoorApi,
} from '../../../../../../services/identity/providers/casdoor/api.ts';
import { casdoorDeliveries } from '../../../../../../services/identity/providers/casdoor/deliveries.ts';
import { casdoorDirectory } from '../../../../../../services/identity/providers/casdoor/directory.ts';
import type { DirectoryPage } from '../../../../../../services/identity/providers/provider.ts';
import { configOf, delivery, NOTHING_STORED } from '../../../../../support/casdoor.ts';

const NOW = 1_800_000_000_000;

let casdoor: LocalCasdoor;
beforeEach(async () => {
  casdoor = await startLocalCasdoor({ port: 0 });
});
afterEach(() => casdoor.close());

async function pages(
  options: { cursor?: string; settings?: Record<string, string>; api?: Partial<CasdoorApi> } = {},
): Promise<DirectoryPage[]> {
  const config = configOf(casdoor, options.settings);
  const api = { ...createCasdoorApi(config), ...options.api };
  const all: DirectoryPage[] = [];
  const { cursor } = options;
  const directory = casdoorDirectory(config, api, () => NOW);
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

test('who is deleted softly is left out', async () => {
  casdoor.directory.updateOrganization('acme', { enableSoftDeletion: true });
  fill(2);
  casdoor.directory.deleteUser('acme/user-0000');
  expect(usersIn(await pages())).toEqual(new Set(['admin', 'user-0001']));
});

test('an error that comes with status 200 is an error', async () => {
  await expect(pages({ settings: { CASDOOR_CLIENT_SECRET: 'wrong' } })).rejects.toThrow(
    expect.objectContaining({ code: 'provider-unreachable' }),
  );
});
