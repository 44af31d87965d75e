import { type LocalCasdoor, newRecord, startLocalCasdoor } from '@latchkey/local/stand-ins/casdoor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MOST_READ_AT_ONCE } from '#providers/casdoor/read-things.ts';
import {
  PRIVATE_JWK,
  type ReadOptions,
  readDelivery,
  recordOf as recordAt,
  recordsIn,
  storedUser,
} from '../../support/casdoor.ts';

const NOW = Date.parse('2026-11-21T00:00:00Z');

let casdoor: LocalCasdoor;
beforeEach(async () => {
  casdoor = await startLocalCasdoor({ port: 0, privateJwk: PRIVATE_JWK });
});
afterEach(() => casdoor.close());

const read = (body: unknown, options?: ReadOptions) => readDelivery(casdoor, NOW, body, options);
const recordsOf = async (body: unknown, options?: ReadOptions) => recordsIn(await read(body, options));
const recordOf = (change: () => unknown) => recordAt(casdoor, change);

describe('organizations and groups', () => {
  test('are read back', async () => {
    const added = recordOf(() =>
      casdoor.actions.addOrganization('beta', { displayName: 'Beta Inc', logo: 'https://x/y' }),
    );
    expect(await recordsOf(added)).toEqual([
      expect.objectContaining({
        tenant: 'beta',
        id: 'beta',
        name: 'Beta Inc',
        slug: 'beta',
        imageUrl: 'https://x/y',
        metadata: {},
      }),
    ]);
    const group = recordOf(() => casdoor.actions.addGroup('acme/staff', 'The Staff'));
    expect(await recordsOf(group)).toEqual([
      expect.objectContaining({
        kind: 'organization',
        tenant: 'acme',
        id: 'acme/staff',
        name: 'The Staff',
        slug: 'staff',
        metadata: { organization: 'acme' },
      }),
    ]);
  });

  test('that are gone are deleted where they are stored, and a reconcile brings what else has changed', async () => {
    casdoor.directory.addGroup('acme/staff');
    casdoor.directory.addOrganization('gone');
    const group = recordOf(() => casdoor.actions.deleteGroup('acme/staff'));
    const organization = recordOf(() => casdoor.actions.deleteOrganization('gone'));
    for (const [record, id, tenant] of [
      [group, 'acme/staff', 'acme'],
      [organization, 'gone', 'gone'],
    ] as const) {
      const reading = await read(record);
      expect(reading).toMatchObject({ isPartial: true, tenant });
      expect(recordsIn(reading)).toEqual([
        expect.objectContaining({ kind: 'organization', id, tenant, deleted: true, onlyIfStored: true }),
      ]);
    }
  });

  test('that were renamed are read by both names, and a reconcile brings their people', async () => {
    casdoor.directory.addOrganization('delta');
    casdoor.directory.addUser('delta/ann');
    casdoor.directory.addGroup('acme/crew');
    const organization = recordOf(() => casdoor.actions.updateOrganization('delta', { name: 'delta2' }));
    const group = recordOf(() => casdoor.actions.updateGroup('acme/crew', { name: 'crew2' }));
    for (const [record, [old, current]] of [
      [organization, ['delta', 'delta2']],
      [group, ['acme/crew', 'acme/crew2']],
    ] as const) {
      const reading = await read(record);
      expect(reading).toMatchObject({ kind: 'records', isPartial: true });
      expect(recordsIn(reading)).toEqual([
        expect.objectContaining({ id: old, deleted: true }),
        expect.objectContaining({ id: current, deleted: false }),
      ]);
    }
  });

  test('of a deleted organization, which Casdoor keeps, are gone', async () => {
    casdoor.directory.addOrganization('gone');
    const record = recordOf(() => casdoor.actions.addGroup('gone/team'));
    casdoor.directory.deleteOrganization('gone');
    expect(await recordsOf(record)).toEqual([expect.objectContaining({ id: 'gone/team', deleted: true })]);
  });

  test('of whom the deletion was refused stay', async () => {
    casdoor.directory.addGroup('acme/staff');
    casdoor.directory.addUser('acme/grace', { groups: ['acme/staff'] });
    const record = recordOf(() => {
      try {
        casdoor.actions.deleteGroup('acme/staff');
      } catch {
        // It has users.
      }
    });
    expect(record).toMatchObject({ statusCode: 200, response: '{status:"error", msg:"group has users"}' });
    expect(await read(record)).toMatchObject({
      kind: 'ignored',
      type: 'delete-group',
      subject: null,
      reason: expect.stringContaining('failed'),
    });
  });
});

describe('what changes many at once', () => {
  test.each([
    ['upload-users', () => casdoor.actions.uploadUsers(['acme/ada', 'acme/grace'])],
    ['upload-groups', undefined],
    ['upload-roles', undefined],
    ['run-syncer', undefined],
  ])('%s is left to a reconcile', async (action, change) => {
    const record = change === undefined ? newRecord({ action }) : recordOf(change);
    const reading = await read(record, { settings: { CASDOOR_ORGANIZATIONS: 'acme' } });
    // By an administrator of all organizations, and so perhaps of these.
    expect(reading).toMatchObject({
      kind: 'records',
      type: action,
      subject: 'built-in',
      records: [],
      isPartial: true,
    });
    // The table itself is not kept.
    expect(JSON.stringify(reading)).not.toContain('PK');
  });

  test('sync-ldap-users too, of the organization whose server it is', async () => {
    const { records } = casdoor.intercept(() => casdoor.actions.syncLdapUsers('acme', ['acme/lena']));
    const [sync, user] = records;
    expect(await read(sync)).toMatchObject({ subject: 'acme', tenant: 'acme', isPartial: true });
    expect((await recordsOf(user))[0]).toMatchObject({ username: 'lena' });
  });
});

describe('a role', () => {
  test('that changes has its members read again, those of its groups, and whoever had it', async () => {
    casdoor.directory.addGroup('acme/staff');
    const ada = casdoor.directory.addUser('acme/ada');
    const grace = casdoor.directory.addUser('acme/grace', { groups: ['acme/staff'] });
    const linus = casdoor.directory.addUser('acme/linus');
    casdoor.directory.addRole('acme/editor', { users: ['acme/linus'] });
    const record = recordOf(() =>
      casdoor.actions.updateRole('acme/editor', { users: ['acme/ada'], groups: ['acme/staff'] }),
    );
    const stored = {
      ...storedUser({ tenant: 'acme', id: linus.id }, ['acme']),
      usersWithRole: async () => [linus.id],
    };
    const users = (await recordsOf(record, { stored })).filter((one) => one.kind === 'user');
    expect(Object.fromEntries(users.map(({ id, roles }) => [id, roles]))).toEqual({
      [ada.id]: ['editor'],
      [grace.id]: ['editor'],
      [linus.id]: [],
    });
  });

  test('that is deleted is taken from whoever had it', async () => {
    const { id } = casdoor.directory.addUser('acme/ada');
    casdoor.directory.addRole('acme/editor', { users: ['acme/ada'] });
    const record = recordOf(() => casdoor.actions.deleteRole('acme/editor'));
    const stored = { ...storedUser({ tenant: 'acme', id }), usersWithRole: async () => [id] };
    expect(await recordsOf(record, { stored })).toContainEqual(expect.objectContaining({ id, roles: [] }));
  });

  test('says of nobody that they are gone: whoever had it and is not there may have moved', async () => {
    const { id } = casdoor.directory.addUser('acme/ada');
    casdoor.directory.addRole('acme/editor', { users: ['acme/ada'] });
    casdoor.directory.deleteUser('acme/ada');
    const record = recordOf(() => casdoor.actions.deleteRole('acme/editor'));
    const stored = { ...storedUser({ tenant: 'acme', id }), usersWithRole: async () => [id] };
    const reading = await read(record, { stored });
    expect(reading).toMatchObject({ records: [], isPartial: true });
  });

  test('has those read who have it through a role that it contains', async () => {
    casdoor.directory.addGroup('acme/staff');
    const { id } = casdoor.directory.addUser('acme/grace', { groups: ['acme/staff'] });
    casdoor.directory.addRole('acme/editor', { groups: ['acme/staff'] });
    const record = recordOf(() => casdoor.actions.addRole('acme/chief', { roles: ['acme/editor'] }));
    expect(await recordsOf(record)).toContainEqual(
      expect.objectContaining({ id, roles: ['chief', 'editor'] }),
    );
  });

  test('that contains itself has an end', async () => {
    const { id } = casdoor.directory.addUser('acme/ada');
    casdoor.directory.addRole('acme/one', { users: ['acme/ada'], roles: ['acme/two'] });
    casdoor.directory.addRole('acme/two', { roles: ['acme/one'] });
    const record = recordOf(() => casdoor.actions.updateRole('acme/two', { displayName: 'Two' }));
    expect(await recordsOf(record)).toContainEqual(expect.objectContaining({ id }));
  });

  test('with a member who cannot be read has the others read', async () => {
    casdoor.directory.addUser('acme/ada');
    casdoor.actions.runSyncer('acme/sue', { id: '' });
    const record = recordOf(() =>
      casdoor.actions.addRole('acme/editor', { users: ['acme/sue', 'acme/ada', 'acme/x/y'] }),
    );
    expect(await recordsOf(record)).toContainEqual(
      expect.objectContaining({ username: 'ada', roles: ['editor'] }),
    );
  });

  test.each([
    [0, false],
    [5, true],
  ])('of %i more than Casdoor waits for leaves the rest to a reconcile: %s', async (more, isPartial) => {
    const users = Array.from({ length: MOST_READ_AT_ONCE + more }, (_, n) => `acme/user-${n}`);
    for (const user of users) casdoor.directory.addUser(user);
    const record = recordOf(() => casdoor.actions.addRole('acme/crowd', { users }));
    const reading = await read(record);
    expect(reading).toMatchObject({ isPartial });
    expect(recordsIn(reading).filter(({ kind }) => kind === 'user')).toHaveLength(MOST_READ_AT_ONCE);
  });
});
