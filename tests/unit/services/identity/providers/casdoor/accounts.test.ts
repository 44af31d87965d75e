import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type LocalCasdoor,
  startLocalCasdoor,
} from '../../../../../../scripts/local/casdoor/local-casdoor.ts';
import type { CasdoorUser } from '../../../../../../scripts/local/casdoor/types.ts';
import { casdoorAccounts } from '../../../../../../services/identity/providers/casdoor/accounts.ts';
import { createCasdoorApi } from '../../../../../../services/identity/providers/casdoor/api.ts';
import { configOf, NOTHING_STORED } from '../../../../../support/casdoor.ts';

let casdoor: LocalCasdoor;
let user: CasdoorUser;
let count = 0;
beforeAll(async () => {
  casdoor = await startLocalCasdoor({ port: 0 });
});
afterAll(() => casdoor.close());
beforeEach(() => {
  count += 1;
  user = casdoor.directory.addUser(`acme/ada-${count}`, {
    email: `ada-${count}@example.com`,
    displayName: 'Ada',
  });
});

const accountsOf = (more: Record<string, string> = {}) => {
  const config = configOf(casdoor, more);
  return casdoorAccounts(config, createCasdoorApi(config), NOTHING_STORED);
};

test('reads a user as they are, as of the instant that the reading began', async () => {
  const before = Date.now();
  const record = await accountsOf().read(user.id);
  expect(record).toMatchObject({ kind: 'user', id: user.id, email: user.email, name: 'Ada' });
  expect(record?.clock).toBeGreaterThanOrEqual(before);
  expect(await accountsOf().read('nobody')).toBeUndefined();
});

describe('changes', () => {
  test('what is given, and nothing else', async () => {
    const record = await accountsOf().change(user.id, { firstName: 'Ada', lastName: 'King' });
    expect(record).toMatchObject({
      id: user.id,
      firstName: 'Ada',
      lastName: 'King',
      name: 'Ada',
      email: user.email,
    });
    expect(casdoor.directory.findUser(user.id)).toEqual({
      ...user,
      firstName: 'Ada',
      lastName: 'King',
      updatedTime: expect.any(String),
    });
  });

  test('the whole name', async () => {
    expect(await accountsOf().change(user.id, { name: 'Countess' })).toMatchObject({
      name: 'Countess',
      firstName: null,
    });
  });

  test('nobody who is not there', async () => {
    expect(await accountsOf().change('nobody', { firstName: 'X' })).toBeUndefined();
  });

  test('nobody of an organization that is not kept in step', async () => {
    const accounts = accountsOf({ CASDOOR_ORGANIZATIONS: 'other' });
    expect(await accounts.change(user.id, { firstName: 'X' })).toBeUndefined();
    await accounts.remove(user.id);
    expect(casdoor.directory.findUser(user.id)).toEqual(user);
  });
});

describe('deletes', () => {
  test('a user, and again without complaint', async () => {
    await accountsOf().remove(user.id);
    expect(casdoor.directory.findUser(user.id)).toBeUndefined();
    await accountsOf().remove(user.id);
  });

  test('where Casdoor keeps deleted users, so that they count as gone', async () => {
    casdoor.directory.updateOrganization('acme', { enableSoftDeletion: true });
    await accountsOf().remove(user.id);
    expect(casdoor.directory.findUser(user.id)).toMatchObject({ isDeleted: true });
    expect(await accountsOf().read(user.id)).toBeUndefined();
    casdoor.directory.updateOrganization('acme', { enableSoftDeletion: false });
  });

  test('not the administrator of the server, and says so', async () => {
    const admin = casdoor.directory.findUser('built-in/admin');
    await expect(accountsOf().remove(admin?.id ?? '')).rejects.toMatchObject({ code: 'request-invalid' });
    expect(casdoor.directory.findUser('built-in/admin')).toBeDefined();
  });
});

test('with a wrong secret, or out of reach, nothing is taken for an answer', async () => {
  for (const more of [{ CASDOOR_CLIENT_SECRET: 'wrong' }, { CASDOOR_ENDPOINT: 'http://127.0.0.1:9' }]) {
    const accounts = accountsOf(more);
    const calls = [
      accounts.read(user.id),
      accounts.change(user.id, { firstName: 'X' }),
      accounts.remove(user.id),
    ];
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'provider-unreachable' } });
    }
  }
  expect(casdoor.directory.findUser(user.id)).toEqual(user);
});
