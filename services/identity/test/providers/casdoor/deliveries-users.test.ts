import { type LocalCasdoor, newRecord, startLocalCasdoor } from '@latchkey/local/stand-ins/casdoor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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

function member(organizationId: string, userId: string | undefined, role: string | null) {
  return {
    kind: 'membership',
    provider: 'casdoor',
    tenant: 'acme',
    organizationId,
    userId,
    clock: NOW,
    deleted: false,
    sourceCreatedAt: null,
    role,
  };
}

function tombstone(id: string, tenant = 'acme') {
  return expect.objectContaining({
    kind: 'user',
    provider: 'casdoor',
    tenant,
    id,
    clock: NOW,
    deleted: true,
    // Nobody can have one put where there is no row.
    onlyIfStored: true,
    email: null,
    username: null,
    name: null,
  });
}

describe('a user', () => {
  test('is read back whole, with roles by name, organization and groups', async () => {
    casdoor.directory.addGroup('acme/staff');
    casdoor.directory.addRole('acme/editor', { groups: ['acme/staff'] });
    casdoor.directory.addRole('acme/chief', { roles: ['acme/editor'] });
    casdoor.directory.addRole('acme/asleep', { users: ['acme/grace'], isEnabled: false });
    const record = recordOf(() =>
      casdoor.actions.addUser('acme/grace', {
        displayName: 'Grace Example',
        firstName: 'Grace',
        lastName: 'Example',
        email: 'grace@example.com',
        emailVerified: true,
        phone: '612345678',
        avatar: 'https://cdn.example.com/grace.png',
        createdTime: '2026-01-01T00:00:00Z',
        lastSigninTime: '2026-02-01T00:00:00+01:00',
        groups: ['acme/staff'],
        properties: { oauth_GitHub_accessToken: 'a-token-of-another-provider' },
      }),
    );
    const { id } = casdoor.directory.findUser('acme/grace') ?? {};
    expect(await recordsOf(record)).toEqual([
      {
        kind: 'user',
        provider: 'casdoor',
        tenant: 'acme',
        id,
        clock: NOW,
        deleted: false,
        sourceCreatedAt: Date.parse('2026-01-01T00:00:00Z'),
        disabledAt: null,
        disabledCheckedAt: NOW,
        lastSeen: Date.parse('2026-01-31T23:00:00Z'),
        email: 'grace@example.com',
        emailVerified: true,
        phone: '612345678',
        username: 'grace',
        name: 'Grace Example',
        firstName: 'Grace',
        lastName: 'Example',
        imageUrl: 'https://cdn.example.com/grace.png',
        roles: ['chief', 'editor'],
        metadata: {},
      },
      member('acme', id, 'org:member'),
      member('acme/staff', id, 'org:member'),
      expect.objectContaining({ kind: 'organization', id: 'acme', name: 'Acme', clock: NOW }),
      expect.objectContaining({ kind: 'organization', id: 'acme/staff', clock: NOW }),
    ]);
  });

  test('has those properties kept that the settings list, and no others', async () => {
    const properties = { plan: 'gold', oauth_GitHub_accessToken: 'a-token', constructor: 'a-trap' };
    const record = recordOf(() => casdoor.actions.addUser('acme/grace', { properties }));
    const settings = { LATCHKEY_CLAIMS: 'plan,tier=level' };
    expect((await recordsOf(record, { settings }))[0]).toMatchObject({ metadata: { plan: 'gold' } });
    expect((await recordsOf(record))[0]).toMatchObject({ metadata: {} });
    const inherited = { LATCHKEY_CLAIMS: 'toString' };
    expect((await recordsOf(record, { settings: inherited }))[0]).toMatchObject({ metadata: {} });
  });

  test('who belongs to what is known already brings nothing of it along', async () => {
    const record = recordOf(() => casdoor.actions.addUser('acme/grace'));
    const { id = '' } = casdoor.directory.findUser('acme/grace') ?? {};
    const stored = storedUser({ tenant: 'acme', id }, ['acme']);
    expect((await recordsOf(record, { stored })).map(({ kind }) => kind)).toEqual(['user', 'membership']);
  });

  test('is what Casdoor says now, not what the record said then', async () => {
    const stale = recordOf(() => casdoor.actions.addUser('acme/grace', { displayName: 'Then' }));
    casdoor.directory.updateUser('acme/grace', { displayName: 'Now' });
    expect((await recordsOf(stale))[0]).toMatchObject({ kind: 'user', name: 'Now' });
  });

  test('is the target, though the actor comes along in the record', async () => {
    const record = recordOf(() => casdoor.actions.addUser('acme/grace'));
    expect(record).toMatchObject({ organization: 'built-in', user: 'admin' });
    expect(JSON.stringify(await recordsOf(record))).not.toContain(
      casdoor.directory.findUser('built-in/admin')?.id,
    );
  });

  test('who administers the organization is its org:admin', async () => {
    const record = recordOf(() => casdoor.actions.addUser('acme/grace', { isAdmin: true }));
    const [{ id } = { id: '' }] = casdoor.directory.state().users.slice(-1);
    expect(await recordsOf(record)).toContainEqual(member('acme', id, 'org:admin'));
  });

  test('who signs in or up was seen then, but never in the future', async () => {
    const signedUp = recordOf(() =>
      casdoor.actions.signUp('acme/ada', { createdTime: '2026-01-01T00:00:00Z' }),
    );
    const seenAt = async (createdTime: string) => {
      const record = { ...signedUp, action: 'login', createdTime };
      return (await recordsOf(record)).find(({ kind }) => kind === 'user');
    };
    expect(await seenAt('2026-11-20T00:00:00Z')).toMatchObject({ lastSeen: NOW - 86_400_000 });
    expect(await seenAt('2099-01-01T00:00:00Z')).toMatchObject({ lastSeen: NOW });
    expect(await seenAt('yesterday')).toMatchObject({ lastSeen: Date.parse('2026-01-01T00:00:00Z') });
  });

  test('who uploads a picture is read again, and of nobody else’s files anything', async () => {
    casdoor.directory.addUser('acme/grace');
    const record = recordOf(() => casdoor.actions.uploadAvatar('acme/grace', 'https://cdn.example.com/1'));
    expect((await recordsOf(record))[0]).toMatchObject({
      username: 'grace',
      imageUrl: 'https://cdn.example.com/1',
    });
    const contract = { ...record, requestUri: record.requestUri.replace('tag=avatar', 'tag=termsOfUse') };
    expect(await read(contract)).toMatchObject({ kind: 'ignored' });
  });

  test('who was renamed is found, and whoever has the old name now as well', async () => {
    const { id } = casdoor.directory.addUser('acme/grace');
    const record = recordOf(() => casdoor.actions.updateUser('acme/grace', { name: 'hopper' }));
    expect(await recordsOf(record)).toContainEqual(expect.objectContaining({ id, username: 'hopper' }));
    const successor = casdoor.directory.addUser('acme/grace');
    const users = (await recordsOf(record)).filter(({ kind }) => kind === 'user');
    expect(users).toEqual([
      expect.objectContaining({ id, username: 'hopper' }),
      expect.objectContaining({ id: successor.id, username: 'grace' }),
    ]);
  });

  test('whom the record names by a wrong id is found by name', async () => {
    const { id } = casdoor.directory.addUser('acme/grace');
    const record = recordOf(() => casdoor.actions.updateUser('acme/grace', { displayName: 'Grace' }));
    const other = casdoor.directory.addUser('acme/other');
    const forged = { ...record, object: JSON.stringify({ owner: 'acme', name: 'grace', id: other.id }) };
    expect(await recordsOf(forged)).toContainEqual(
      expect.objectContaining({ kind: 'user', id, deleted: false }),
    );
    expect(await recordsOf(forged)).not.toContainEqual(expect.objectContaining({ deleted: true }));
  });

  test('who left a group has left it, whichever way', async () => {
    casdoor.directory.addGroup('acme/staff');
    casdoor.directory.addGroup('acme/crew');
    const { id } = casdoor.directory.addUser('acme/grace', { groups: ['acme/staff', 'acme/crew'] });
    const stored = storedUser({ tenant: 'acme', id }, ['acme', 'acme/staff', 'acme/crew']);
    const record = recordOf(() => casdoor.actions.removeUserFromGroup('acme/grace', 'acme/staff'));
    expect(await recordsOf(record, { stored })).toEqual([
      expect.objectContaining({ kind: 'user', id }),
      member('acme', id, 'org:member'),
      member('acme/crew', id, 'org:member'),
      { ...member('acme/staff', id, null), deleted: true },
    ]);
    const update = recordOf(() => casdoor.actions.updateUser('acme/grace', { groups: [] }));
    const ended = (await recordsOf(update, { stored })).filter(({ deleted }) => deleted);
    expect(ended).toHaveLength(2);
  });

  test('in groups that are not there, or are no groups, is in none of them', async () => {
    const groups = ['acme/nothing', 'acme/x/y', 'acme/', '/staff', 'acme'];
    const record = recordOf(() => casdoor.actions.addUser('acme/grace', { groups }));
    const { id = '' } = casdoor.directory.findUser('acme/grace') ?? {};
    const stored = storedUser({ tenant: 'acme', id }, ['acme']);
    expect(await recordsOf(record, { stored })).toEqual([
      expect.objectContaining({ kind: 'user', id }),
      member('acme', id, 'org:member'),
    ]);
  });
});

describe('a user who is kept out', () => {
  test.each([{ isForbidden: true }, { isDeleted: true }])('by %o is disabled, and back', async (how) => {
    casdoor.directory.addUser('acme/grace', { email: 'grace@example.com' });
    const out = recordOf(() => casdoor.actions.updateUser('acme/grace', how));
    const disabled = { disabledAt: NOW, disabledCheckedAt: NOW, deleted: false, email: 'grace@example.com' };
    expect((await recordsOf(out))[0]).toMatchObject(disabled);
    const back = { isForbidden: false, isDeleted: false };
    const let_in = recordOf(() => casdoor.actions.updateUser('acme/grace', back));
    expect((await recordsOf(let_in))[0]).toMatchObject({ disabledAt: null, disabledCheckedAt: NOW });
  });

  test('may be so by a soft deletion, which Casdoor can undo', async () => {
    casdoor.directory.updateOrganization('acme', { enableSoftDeletion: true });
    const { id } = casdoor.directory.addUser('acme/grace', { email: 'grace@example.com' });
    const record = recordOf(() => casdoor.actions.deleteUser('acme/grace'));
    expect((await recordsOf(record))[0]).toMatchObject({ id, deleted: false, disabledAt: NOW });
  });
});

describe('a deletion', () => {
  test('is what an id that Casdoor no longer has is', async () => {
    const { id } = casdoor.directory.addUser('acme/grace');
    const record = recordOf(() => casdoor.actions.deleteUser('acme/grace'));
    const reading = await read(record);
    expect(reading).toMatchObject({ kind: 'records', type: 'delete-user', subject: id, tenant: 'acme' });
    expect(recordsIn(reading)).toEqual([tombstone(id)]);
  });

  test('is not taken from the record: who is still there stays', async () => {
    const { id } = casdoor.directory.addUser('acme/grace');
    const record = newRecord({ action: 'delete-user', object: JSON.stringify({ owner: 'acme', id }) });
    const stored = storedUser({ tenant: 'acme', id });
    expect(await recordsOf(record, { stored })).toContainEqual(
      expect.objectContaining({ id, deleted: false }),
    );
  });

  test('of one of whom only the name is left says nothing: the next reconcile finds it', async () => {
    const gone = newRecord({ action: 'delete-user', object: '{"owner":"acme","name":"grace"}' });
    expect(await read(gone)).toMatchObject({ kind: 'ignored', type: 'delete-user', subject: null });
  });

  test('of an organization takes those along who come up later, though Casdoor answers with an error', async () => {
    casdoor.directory.addOrganization('gone');
    const { id } = casdoor.directory.addUser('gone/zed');
    const object = JSON.stringify({ owner: 'gone', name: 'zed', id });
    casdoor.directory.deleteOrganization('gone');
    expect(await recordsOf(newRecord({ action: 'update-user', object }))).toEqual([tombstone(id, 'gone')]);
    expect(
      await read(newRecord({ action: 'add-user', object: '{"owner":"gone","name":"zed"}' })),
    ).toMatchObject({ kind: 'ignored' });
  });

  test('of an id that never was leaves nothing where there is no row', async () => {
    const object = JSON.stringify({ owner: 'acme', name: 'nobody', id: 'user_FUTURE1' });
    expect(await recordsOf(newRecord({ action: 'delete-user', object }))).toEqual([
      tombstone('user_FUTURE1'),
    ]);
    const nameless = newRecord({ action: 'delete-user', object: JSON.stringify({ id: 'user_FUTURE1' }) });
    expect(await read(nameless)).toMatchObject({ kind: 'ignored' });
  });
});

describe('where only some organizations are kept in step', () => {
  const settings = { CASDOOR_ORGANIZATIONS: 'acme, beta' };

  test('the others are left alone, and the ledger says why', async () => {
    casdoor.directory.addOrganization('foreign');
    const records = [
      recordOf(() => casdoor.actions.addUser('foreign/zed')),
      recordOf(() => casdoor.actions.signIn('foreign/zed')),
      recordOf(() => casdoor.actions.addGroup('foreign/staff')),
      recordOf(() => casdoor.actions.updateOrganization('foreign', { displayName: 'Foreign' })),
      recordOf(() => casdoor.actions.addRole('foreign/editor')),
      newRecord({ action: 'sync-ldap-users', requestUri: '/api/sync-ldap-users?id=foreign/ldap' }),
      newRecord({ action: 'upload-users', organization: 'foreign' }),
    ];
    for (const record of records) {
      expect(await read(record, { settings }), record.action).toMatchObject({
        kind: 'ignored',
        reason: expect.stringContaining('CASDOOR_ORGANIZATIONS'),
      });
    }
  });

  test('who moved away is gone', async () => {
    casdoor.directory.addOrganization('foreign');
    const { id } = casdoor.directory.addUser('acme/grace');
    const moved = recordOf(() => casdoor.actions.updateUser('acme/grace', { owner: 'foreign' }));
    const stored = storedUser({ tenant: 'acme', id }, ['acme']);
    expect(await recordsOf(moved, { settings, stored })).toEqual([tombstone(id)]);
  });
});

describe('an odd user', () => {
  test('without an id is passed over, and the ledger says why', async () => {
    const record = recordOf(() => casdoor.actions.runSyncer('acme/sue', { id: '' }));
    expect(await read(record)).toMatchObject({
      kind: 'ignored',
      type: 'new-user-syncer',
      reason: expect.stringContaining('it has no id'),
    });
  });

  test('with an odd role, and odd fields, is read for all that', async () => {
    const record = recordOf(() => casdoor.actions.addUser('acme/grace', { displayName: 'Grace' }));
    const user = casdoor.directory.findUser('acme/grace');
    Object.assign(user ?? {}, { groups: null, phone: 7, properties: 'none' });
    casdoor.directory.addRole('acme/editor', { users: ['acme/grace'] });
    casdoor.directory
      .state()
      .roles.push(
        ...JSON.parse('[{"owner":"acme","name":"","users":["acme/grace"],"groups":[],"roles":[]}]'),
      );
    expect((await recordsOf(record))[0]).toMatchObject({ name: 'Grace', phone: null, roles: ['editor'] });
  });
});
