import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type LocalCasdoor,
  startLocalCasdoor,
} from '../../../../../../scripts/local/casdoor/local-casdoor.ts';
import type { CasdoorRecord } from '../../../../../../scripts/local/casdoor/types.ts';
import { newRecord } from '../../../../../../scripts/local/casdoor/webhooks.ts';
import type { Reading } from '../../../../../../services/identity/core/deliveries.ts';
import { LatchkeyError } from '../../../../../../services/identity/core/errors.ts';
import type { IdentityRecord } from '../../../../../../services/identity/core/records.ts';
import { createCasdoorApi } from '../../../../../../services/identity/providers/casdoor/api.ts';
import {
  casdoorRecords,
  MOST_READ_AT_ONCE,
} from '../../../../../../services/identity/providers/casdoor/records.ts';
import type { Known } from '../../../../../../services/identity/providers/provider.ts';
import { configOf, delivery, fixture, NOTHING_STORED } from '../../../../../support/casdoor.ts';

const NOW = Date.parse('2026-11-21T00:00:00Z');
const nobody = '00000000-0000-4000-8000-000000000000';

let casdoor: LocalCasdoor;
beforeEach(async () => {
  casdoor = await startLocalCasdoor({ port: 0 });
});
afterEach(() => casdoor.close());

function reader({
  known = {},
  settings = {},
}: {
  known?: Partial<Known>;
  settings?: Record<string, string>;
} = {}) {
  const config = configOf(casdoor, settings);
  return casdoorRecords(config, createCasdoorApi(config), { ...NOTHING_STORED, ...known }, () => NOW);
}
const read = (record: unknown, options = {}): Promise<Reading> => reader(options)(delivery(record));
async function recordsOf(record: unknown, options = {}): Promise<readonly IdentityRecord[]> {
  const reading = await read(record, options);
  if (reading.kind !== 'records') throw new Error(`${reading.kind}: ${JSON.stringify(reading)}`);
  return reading.records;
}
/** The last record that a change leaves. */
function recordOf(change: () => unknown): CasdoorRecord {
  const record = casdoor.intercept(change).records.at(-1);
  if (record === undefined) throw new Error('The change left no record.');
  return record;
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
        id,
        clock: NOW,
        deleted: false,
        sourceCreatedAt: Date.parse('2026-01-01T00:00:00Z'),
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

  test('who belongs to what is known already brings nothing of it along', async () => {
    const record = recordOf(() => casdoor.actions.addUser('acme/grace'));
    const known = { organizationsOf: async () => ['acme'] };
    expect((await recordsOf(record, { known })).map(({ kind }) => kind)).toEqual(['user', 'membership']);
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
    const known = { organizationsOf: async () => ['acme', 'acme/staff', 'acme/crew'] };
    const record = recordOf(() => casdoor.actions.removeUserFromGroup('acme/grace', 'acme/staff'));
    expect(await recordsOf(record, { known })).toEqual([
      expect.objectContaining({ kind: 'user', id }),
      member('acme', id, 'org:member'),
      member('acme/crew', id, 'org:member'),
      { ...member('acme/staff', id, null), deleted: true },
    ]);
    const update = recordOf(() => casdoor.actions.updateUser('acme/grace', { groups: [] }));
    const ended = (await recordsOf(update, { known })).filter(({ deleted }) => deleted);
    expect(ended).toHaveLength(2);
  });
});

describe('a deletion', () => {
  test('is what a UUID that Casdoor no longer has is', async () => {
    const { id } = casdoor.directory.addUser('acme/grace');
    const record = recordOf(() => casdoor.actions.deleteUser('acme/grace'));
    const reading = await read(record);
    expect(reading).toMatchObject({ kind: 'records', type: 'delete-user', subject: id });
    expect(await recordsOf(record)).toEqual([tombstone(id)]);
  });

  test('is not taken from the record: who is still there stays', async () => {
    const { id } = casdoor.directory.addUser('acme/grace');
    const record = newRecord({ action: 'delete-user', object: JSON.stringify({ id }) });
    expect(await recordsOf(record)).toContainEqual(expect.objectContaining({ id, deleted: false }));
  });

  test('may be soft: Casdoor then still lists the user, and marks them', async () => {
    casdoor.directory.updateOrganization('acme', { enableSoftDeletion: true });
    const { id } = casdoor.directory.addUser('acme/grace', { email: 'grace@example.com' });
    expect(await recordsOf(recordOf(() => casdoor.actions.deleteUser('acme/grace')))).toEqual([
      tombstone(id),
    ]);
    expect(casdoor.directory.findUser(id)).toBeDefined();
  });

  test('of one of whom only the name is left says nothing: the next reconcile finds it', async () => {
    const gone = newRecord({ action: 'delete-user', object: '{"owner":"acme","name":"grace"}' });
    expect(await read(gone)).toEqual({ kind: 'ignored', type: 'delete-user', subject: null });
  });

  test('of an organization takes those along who come up later, though Casdoor answers with an error', async () => {
    casdoor.directory.addOrganization('gone');
    const { id } = casdoor.directory.addUser('gone/zed');
    const object = JSON.stringify({ owner: 'gone', name: 'zed', id });
    casdoor.directory.deleteOrganization('gone');
    expect(await recordsOf(newRecord({ action: 'update-user', object }))).toEqual([tombstone(id)]);
    expect(
      await read(newRecord({ action: 'add-user', object: '{"owner":"gone","name":"zed"}' })),
    ).toMatchObject({
      kind: 'ignored',
    });
  });

  test('of an organization or a group is what a name that is gone is', async () => {
    casdoor.directory.addGroup('acme/staff');
    casdoor.directory.addOrganization('gone');
    const group = recordOf(() => casdoor.actions.deleteGroup('acme/staff'));
    const organization = recordOf(() => casdoor.actions.deleteOrganization('gone'));
    expect(await recordsOf(group)).toEqual([
      expect.objectContaining({ kind: 'organization', id: 'acme/staff', deleted: true, clock: NOW }),
    ]);
    expect(await recordsOf(organization)).toEqual([
      expect.objectContaining({ kind: 'organization', id: 'gone', deleted: true, name: null }),
    ]);
  });

  test('that was refused deletes nothing', async () => {
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
    expect(await read(record)).toEqual({ kind: 'ignored', type: 'delete-group', subject: null });
  });
});

test('organizations and groups are read back', async () => {
  const added = recordOf(() =>
    casdoor.actions.addOrganization('beta', { displayName: 'Beta Inc', logo: 'https://x/y' }),
  );
  expect(await recordsOf(added)).toEqual([
    expect.objectContaining({
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
      id: 'acme/staff',
      name: 'The Staff',
      slug: 'staff',
      metadata: { organization: 'acme' },
    }),
  ]);
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
    const known = { usersWithRole: async () => [linus.id] };
    const users = (await recordsOf(record, { known })).filter((one) => one.kind === 'user');
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
    const known = { usersWithRole: async () => [id] };
    expect(await recordsOf(record, { known })).toContainEqual(expect.objectContaining({ id, roles: [] }));
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

  test.each([
    [0, false],
    [5, true],
  ])('of %i more than Casdoor waits for leaves the rest to a reconcile: %s', async (more, isPartial) => {
    const users = Array.from({ length: MOST_READ_AT_ONCE + more }, (_, n) => `acme/user-${n}`);
    for (const user of users) casdoor.directory.addUser(user);
    const record = recordOf(() => casdoor.actions.addRole('acme/crowd', { users }));
    const reading = await read(record);
    expect(reading).toMatchObject({ isPartial });
    const records = reading.kind === 'records' ? reading.records : [];
    expect(records.filter(({ kind }) => kind === 'user')).toHaveLength(MOST_READ_AT_ONCE);
  });
});

describe('where only some organizations are kept in step', () => {
  const settings = { CASDOOR_ORGANIZATIONS: 'acme, beta' };

  test('the others are left alone', async () => {
    casdoor.directory.addOrganization('foreign');
    const records = [
      recordOf(() => casdoor.actions.addUser('foreign/zed')),
      recordOf(() => casdoor.actions.signIn('foreign/zed')),
      recordOf(() => casdoor.actions.addGroup('foreign/staff')),
      recordOf(() => casdoor.actions.updateOrganization('foreign', { displayName: 'Foreign' })),
      recordOf(() => casdoor.actions.addRole('foreign/editor')),
    ];
    for (const record of records) {
      const reading = await read(record, { settings });
      expect(reading.kind === 'records' ? reading.records : []).toEqual([]);
    }
  });

  test('who moved away is gone, and who was never here is not', async () => {
    casdoor.directory.addOrganization('foreign');
    const { id } = casdoor.directory.addUser('foreign/grace');
    const object = JSON.stringify({ owner: 'foreign', name: 'grace', id });
    const moved = newRecord({ action: 'update-user', requestUri: '/api/update-user?id=acme/grace', object });
    const known = { organizationsOf: async () => ['acme'] };
    expect(await recordsOf(moved, { settings, known })).toEqual([tombstone(id)]);
    expect(await read(moved, { settings })).toMatchObject({ kind: 'ignored' });
  });
});

describe('the ledger', () => {
  test('keeps the action, the delivery’s name, the target’s id and the organization, and no more', async () => {
    const { result, records } = casdoor.intercept(() =>
      casdoor.actions.signUp('acme/ada', { email: 'ada@example.com', displayName: 'Ada Example' }),
    );
    expect(records.map(({ action }) => action)).toEqual(['signup', 'new-user']);
    for (const record of records) {
      expect(await read(record)).toMatchObject({
        subject: result.id,
        payload: { name: record.name, action: record.action, target: result.id, organization: 'acme' },
      });
    }
    expect(records[0]?.object).toContain('in-plain-text');
    const kept = await Promise.all(
      records.map(async (record) => {
        const reading = await read(record);
        return { ...reading, records: [] };
      }),
    );
    expect(JSON.stringify(kept)).not.toMatch(/plain-text|example|salt|password/i);
  });

  test('can be read again from what it keeps', async () => {
    casdoor.directory.addGroup('acme/staff');
    casdoor.directory.addRole('acme/editor', { groups: ['acme/staff'] });
    casdoor.directory.addUser('acme/grace', { groups: ['acme/staff'] });
    const changes = [
      recordOf(() => casdoor.actions.updateUser('acme/grace', { displayName: 'Grace' })),
      recordOf(() => casdoor.actions.updateOrganization('acme', { displayName: 'Acme' })),
      recordOf(() => casdoor.actions.updateRole('acme/editor', { displayName: 'Editor' })),
      recordOf(() => casdoor.actions.addGroup('acme/crew')),
    ];
    for (const record of changes) {
      const first = await read(record);
      if (first.kind !== 'records') throw new Error(first.kind);
      expect(await recordsOf(first.payload)).toEqual(first.records);
    }
  });

  test('keeps nothing of a body that is no record', async () => {
    const reading = await read('{"password":"in-plain-text"');
    expect(reading).toMatchObject({ kind: 'malformed', subject: null, payload: null });
    expect(JSON.stringify(reading)).not.toContain('in-plain-text');
  });
});

describe('when Casdoor’s API fails, the delivery must come again:', () => {
  const unreachable = expect.objectContaining({ code: 'provider-unreachable', status: 503 });

  test('with a wrong secret, which Casdoor ignores, so that it would answer with half the truth', async () => {
    const record = recordOf(() => casdoor.actions.addUser('acme/grace', { isAdmin: true }));
    await expect(read(record, { settings: { CASDOOR_CLIENT_SECRET: 'wrong' } })).rejects.toThrow(unreachable);
  });

  test('where it is not there', async () => {
    const record = recordOf(() => casdoor.actions.addUser('acme/grace'));
    const settings = { CASDOOR_ENDPOINT: 'http://127.0.0.1:9' };
    await expect(read(record, { settings })).rejects.toThrow(unreachable);
  });

  test('even if its organization is gone: only Casdoor’s own answer makes a user gone', async () => {
    const config = configOf(casdoor);
    const api = createCasdoorApi(config);
    const failure = new LatchkeyError('provider-unreachable', 'A timeout.');
    const failing = { ...api, findUser: () => Promise.reject(failure) };
    const object = JSON.stringify({ owner: 'gone', name: 'zed', id: nobody });
    const record = newRecord({ action: 'update-user', object });
    await expect(casdoorRecords(config, failing, NOTHING_STORED)(delivery(record))).rejects.toBe(failure);
  });

  test('and the error names no user', async () => {
    const record = recordOf(() => casdoor.actions.addUser('acme/grace'));
    const error = await read(record, { settings: { CASDOOR_CLIENT_SECRET: 'wrong' } }).catch(String);
    expect(error).not.toContain('grace');
  });
});

test.each([
  'webhook.add-group.json',
  'webhook.add-organization.json',
  'webhook.add-user.json',
  'webhook.delete-user.denied.json',
  'webhook.delete-user.json',
  'webhook.login.failed.json',
  'webhook.login.json',
  'webhook.login.tokenFields.json',
  'webhook.logout.json',
  'webhook.new-user-ldap.json',
  'webhook.new-user.json',
  'webhook.set-password.json',
  'webhook.signup.json',
  'webhook.signup.failed.json',
  'webhook.update-role.json',
  'webhook.update-user.json',
])('%s is read without an error, and nothing of its object is kept', async (name) => {
  const reading = await read(fixture(name));
  expect(['records', 'ignored']).toContain(reading.kind);
  expect(JSON.stringify(reading)).not.toMatch(/plain-text|argon2id|example\.com/);
});

function member(organizationId: string, userId: string | undefined, role: string | null) {
  return {
    kind: 'membership',
    provider: 'casdoor',
    organizationId,
    userId,
    clock: NOW,
    deleted: false,
    sourceCreatedAt: null,
    role,
  };
}

function tombstone(id: string) {
  return expect.objectContaining({
    kind: 'user',
    id,
    clock: NOW,
    deleted: true,
    email: null,
    username: null,
    name: null,
  });
}

test('an id that never was leaves a tombstone and no data', async () => {
  const record = newRecord({ action: 'delete-user', object: JSON.stringify({ id: nobody }) });
  expect(await recordsOf(record)).toEqual([tombstone(nobody)]);
});
