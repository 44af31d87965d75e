import { type CasdoorUser, type LocalCasdoor, startLocalCasdoor } from '@latchkey/local/stand-ins/casdoor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UNCERTAIN_TENANT } from '#core/records.ts';
import { createCasdoorApi } from '#providers/casdoor/api.ts';
import { casdoorDeparture, casdoorLookup } from '#providers/casdoor/lookup.ts';
import { configOf, PRIVATE_JWK } from '../../support/casdoor.ts';

let casdoor: LocalCasdoor;
let bob: CasdoorUser;
beforeEach(async () => {
  casdoor = await startLocalCasdoor({ port: 0, privateJwk: PRIVATE_JWK });
  const { directory } = casdoor;
  directory.addOrganization('beta');
  directory.addGroup('acme/staff');
  bob = directory.addUser('acme/bob', { groups: ['acme/staff', 'acme/none', 'beta/theirs'] });
  directory.addUser('beta/mallory', { id: bob.id });
  // Asked by the id alone, Casdoor answers with her.
  directory.state().users.reverse();
});
afterEach(() => casdoor.close());

const lookup = (settings: Record<string, string> = {}) => {
  const config = configOf(casdoor, settings);
  return casdoorLookup(config, createCasdoorApi(config));
};
const user = (tenant: string, id = bob.id) => ({ kind: 'user', tenant, id }) as const;
const member = (tenant: string, organizationId: string) =>
  ({ kind: 'membership', tenant, organizationId, userId: bob.id }) as const;

describe('looks up', () => {
  test('a user of one organization, whoever else has the id', async () => {
    expect(await lookup()(user('acme'))).toMatchObject({ tenant: 'acme', username: 'bob' });
    expect(await lookup()(user('beta'))).toMatchObject({ tenant: 'beta', username: 'mallory' });
    expect(await lookup()(user('acme', 'nobody'))).toBeUndefined();
  });

  test('with the roles of their own organization, though another’s name them', async () => {
    casdoor.directory.addRole('beta/evil', { users: ['acme/bob'] });
    casdoor.directory.addRole('acme/editor', { groups: ['acme/staff'] });
    expect(await lookup()(user('acme'))).toMatchObject({ roles: ['editor'] });
  });

  test('memberships in groups that are there and their own, and in no other', async () => {
    const found = lookup();
    expect(await found(member('acme', 'acme'))).toMatchObject({ tenant: 'acme', role: 'org:member' });
    expect(await found(member('acme', 'acme/staff'))).toMatchObject({ tenant: 'acme' });
    for (const key of [
      member('acme', 'acme/none'),
      member('beta', 'beta/theirs'),
      member('acme', 'acme/x/y'),
      member('beta', 'beta/none'),
    ]) {
      expect(await found(key), key.organizationId).toBeUndefined();
    }
  });

  test('organizations and groups, but none of a deleted organization', async () => {
    casdoor.directory.addGroup('beta/team');
    const found = lookup();
    const place = (id: string) => ({ kind: 'organization', tenant: id.split('/')[0] ?? '', id }) as const;
    expect(await found(place('beta/team'))).toMatchObject({ tenant: 'beta' });
    casdoor.directory.deleteOrganization('beta');
    for (const id of ['beta', 'beta/team', 'acme/none', 'acme/x/y']) {
      expect(await found(place(id)), id).toBeUndefined();
    }
    expect(await found(user('beta'))).toBeUndefined();
    expect(await found(place('acme/staff'))).toMatchObject({ id: 'acme/staff' });
  });

  test('nothing of an organization that is not kept', async () => {
    const found = lookup({ CASDOOR_ORGANIZATIONS: 'beta' });
    expect(await found(user('acme'))).toBeUndefined();
    expect(await found(member('acme', 'acme/staff'))).toBeUndefined();
    expect(await found({ kind: 'organization', tenant: 'acme', id: 'acme/staff' })).toBeUndefined();
  });
});

describe('a user has left an organization', () => {
  const hasLeft = () => casdoorDeparture(createCasdoorApi(configOf(casdoor)));

  test('that has nobody of the id, or is not there itself', async () => {
    const left = hasLeft();
    expect(await left({ tenant: 'acme', id: bob.id })).toBe(false);
    expect(await left({ tenant: 'acme', id: 'somebody-else' })).toBe(true);
    casdoor.directory.updateUser('acme/bob', { name: 'robert' });
    expect(await left({ tenant: 'acme', id: bob.id })).toBe(false);
    expect(await left({ tenant: 'never-was', id: bob.id })).toBe(true);
  });

  test('for as long as it is gone, and not a moment longer', async () => {
    const left = hasLeft();
    casdoor.directory.updateOrganization('acme', { name: 'acme2' });
    const many = Array.from({ length: 50 }, () => left({ tenant: 'acme', id: bob.id }));
    expect(new Set(await Promise.all(many))).toEqual(new Set([true]));
    casdoor.directory.updateOrganization('acme2', { name: 'acme' });
    expect(await left({ tenant: 'acme', id: bob.id })).toBe(false);
  });

  test('never one that is not known', async () => {
    for (const tenant of ['', UNCERTAIN_TENANT]) expect(await hasLeft()({ tenant, id: bob.id })).toBe(false);
  });

  test('by no answer but Casdoor’s own', async () => {
    const api = createCasdoorApi(configOf(casdoor, { CASDOOR_CLIENT_SECRET: 'wrong' }));
    await expect(casdoorDeparture(api)({ tenant: 'acme', id: 'nobody' })).rejects.toMatchObject({
      code: 'provider-unreachable',
    });
  });
});
