import {
  type CasdoorUser,
  type LocalCasdoor,
  newRecord,
  startLocalCasdoor,
} from '@latchkey/local/stand-ins/casdoor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  PRIVATE_JWK,
  type ReadOptions,
  readDelivery,
  recordOf as recordAt,
  recordsIn,
  storedUser,
} from '../../support/casdoor.ts';

// Two organizations of one server. The administrator of beta can write what they like there: ids, groups
// and roles that speak of acme's people. None of it may reach acme's rows.

const NOW = Date.parse('2026-11-21T00:00:00Z');

let casdoor: LocalCasdoor;
let bob: CasdoorUser;
beforeEach(async () => {
  casdoor = await startLocalCasdoor({ port: 0, privateJwk: PRIVATE_JWK });
  casdoor.directory.addOrganization('beta');
  bob = casdoor.directory.addUser('acme/bob', { email: 'bob@acme.example.com' });
});
afterEach(() => casdoor.close());

const read = (body: unknown, options?: ReadOptions) => readDelivery(casdoor, NOW, body, options);
const recordsOf = async (body: unknown, options?: ReadOptions) => recordsIn(await read(body, options));
const recordOf = (change: () => unknown) => recordAt(casdoor, change);
const bobStored = (organizations = ['acme']) => storedUser({ tenant: 'acme', id: bob.id }, organizations);
const places = (records: Awaited<ReturnType<typeof recordsOf>>) =>
  new Set(records.map(({ tenant }) => tenant));

describe('an id that is somebody else’s in another organization', () => {
  test('is read as the newcomer’s own, of the newcomer’s organization, and moves nobody', async () => {
    const record = recordOf(() => casdoor.actions.addUser('beta/mallory', { id: bob.id }));
    const stored = bobStored();
    const records = await recordsOf(record, { stored });
    expect(records[0]).toMatchObject({ id: bob.id, tenant: 'beta', username: 'mallory' });
    expect(records[0]).not.toHaveProperty('previousTenant');
    // Her record cannot end his memberships either.
    expect(places(records)).toEqual(new Set(['beta']));
    expect(records.filter(({ deleted }) => deleted)).toEqual([]);
  });

  test('moves nobody even when both were made at the same instant, while the old place is not empty', async () => {
    const { createdTime, id } = bob;
    const record = recordOf(() => casdoor.actions.addUser('beta/mallory', { id, createdTime }));
    const stored = storedUser({ tenant: 'acme', id }, ['acme'], { sourceCreatedAt: Date.parse(createdTime) });
    expect((await recordsOf(record, { stored }))[0]).not.toHaveProperty('previousTenant');
    casdoor.directory.deleteUser('acme/bob');
    expect((await recordsOf(record, { stored }))[0]).toMatchObject({ previousTenant: 'acme' });
  });

  test('deletes nobody when its bearer there goes', async () => {
    casdoor.directory.addUser('beta/mallory', { id: bob.id });
    const record = recordOf(() => casdoor.actions.deleteUser('beta/mallory'));
    const stored = bobStored();
    expect(await recordsOf(record, { stored })).toEqual([
      expect.objectContaining({ deleted: true, onlyIfStored: true, tenant: 'beta', id: bob.id }),
    ]);
  });

  test('named without an organization is looked for where its row is, and nowhere else', async () => {
    casdoor.directory.addUser('beta/mallory', { id: bob.id });
    // The first of all organizations, which is whom Casdoor answers with if it is not told which.
    casdoor.directory.state().users.reverse();
    const record = newRecord({ action: 'update-user', requestUri: `/api/update-user?userId=${bob.id}` });
    expect((await recordsOf(record, { stored: bobStored() }))[0]).toMatchObject({
      tenant: 'acme',
      username: 'bob',
    });
    expect(await read(record)).toMatchObject({ kind: 'ignored' });
  });

  test('is no reason to take a user for gone, whose organization is the only one kept in step', async () => {
    casdoor.directory.addUser('beta/mallory', { id: bob.id });
    casdoor.directory.state().users.reverse();
    const record = recordOf(() => casdoor.actions.addRole('acme/editor', { users: ['acme/bob'] }));
    const stored = { ...bobStored(), usersWithRole: async () => [bob.id] };
    const options = { stored, settings: { CASDOOR_ORGANIZATIONS: 'acme' } };
    expect(await recordsOf(record, options)).toContainEqual(
      expect.objectContaining({ id: bob.id, tenant: 'acme', deleted: false, roles: ['editor'] }),
    );
    expect((await recordsOf(record, options)).filter(({ deleted }) => deleted)).toEqual([]);
  });
});

describe('two users of one organization with the same id', () => {
  test('are refused and not merged, and the ledger keeps by what to read them again', async () => {
    const record = recordOf(() => casdoor.actions.addUser('acme/twin', { id: bob.id }));
    casdoor.directory.state().users.reverse();
    for (const body of [record, { ...record, object: JSON.stringify({ ...bob, name: 'bob' }) }]) {
      const stored = storedUser({ tenant: 'acme', id: bob.id }, ['acme'], { username: 'bob' });
      const reading = await read(body, { stored });
      expect(reading).toMatchObject({
        kind: 'malformed',
        subject: bob.id,
        tenant: 'acme',
        reason: expect.stringContaining('Two users of acme'),
      });
      expect(JSON.stringify(reading)).not.toContain('twin');
      if (reading.kind === 'ignored') throw new Error(reading.kind);
      expect(await read(reading.payload, { stored })).toMatchObject({ kind: 'malformed' });
    }
  });

  test('are refused too where neither has a row yet', async () => {
    casdoor.directory.addUser('acme/twin', { id: bob.id });
    const object = JSON.stringify({ owner: 'acme', name: 'twin', id: bob.id });
    expect(await read(newRecord({ action: 'update-user', object }))).toMatchObject({
      kind: 'malformed',
      subject: bob.id,
    });
  });

  test('are not one who was renamed', async () => {
    const record = recordOf(() => casdoor.actions.updateUser('acme/bob', { name: 'robert' }));
    const stored = storedUser({ tenant: 'acme', id: bob.id }, ['acme'], { username: 'bob' });
    expect((await recordsOf(record, { stored }))[0]).toMatchObject({ username: 'robert' });
  });

  test('do not keep the others of a role from being read', async () => {
    casdoor.directory.addUser('acme/twin', { id: bob.id });
    const ada = casdoor.directory.addUser('acme/ada');
    const users = ['acme/bob', 'acme/twin', 'acme/ada'];
    const record = recordOf(() => casdoor.actions.addRole('acme/editor', { users }));
    const stored = storedUser({ tenant: 'acme', id: bob.id }, ['acme'], { username: 'bob' });
    const read = (await recordsOf(record, { stored })).filter(({ kind }) => kind === 'user');
    expect(read).toContainEqual(expect.objectContaining({ id: ada.id, roles: ['editor'] }));
  });
});

describe('another organization’s', () => {
  test('groups do not make anybody a member of them', async () => {
    casdoor.directory.addGroup('acme/engineers');
    const groups = ['acme/engineers', 'acme', 'beta/own'];
    casdoor.directory.addGroup('beta/own');
    const record = recordOf(() => casdoor.actions.addUser('beta/mallory', { groups }));
    const memberships = (await recordsOf(record)).flatMap((one) =>
      one.kind === 'membership' ? [one.organizationId] : [],
    );
    expect(memberships).toEqual(['beta', 'beta/own']);
  });

  test('roles give nobody a role, and take none away', async () => {
    casdoor.directory.addRole('beta/evil', { users: ['acme/bob'] });
    casdoor.directory.addRole('acme/editor', { users: ['acme/bob'] });
    // Casdoor itself tells the roles of one organization alone: of the one it comes upon first.
    expect(casdoor.directory.rolesOf(bob).map(({ owner }) => owner)).toEqual(['beta']);
    const record = recordOf(() => casdoor.actions.updateUser('acme/bob', { displayName: 'Bob' }));
    expect((await recordsOf(record))[0]).toMatchObject({ roles: ['editor'] });
  });

  test('role that names a user of acme changes nobody, and its members there are not read', async () => {
    const record = recordOf(() => casdoor.actions.addRole('beta/evil', { users: ['acme/bob'] }));
    expect(await recordsOf(record)).toEqual([]);
  });
});
