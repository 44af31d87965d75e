import { freePort } from '@latchkey/local/processes/ports';
import {
  type CasdoorAccountItem,
  type CasdoorUser,
  defaultAccountItems,
  type LocalCasdoor,
  startLocalCasdoor,
} from '@latchkey/local/stand-ins/casdoor';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Person } from '#core/records.ts';
import { casdoorAccounts } from '#providers/casdoor/accounts.ts';
import { type CasdoorApi, createCasdoorApi } from '#providers/casdoor/api.ts';
import { configOf, PRIVATE_JWK } from '../../support/casdoor.ts';

let casdoor: LocalCasdoor;
let user: CasdoorUser;
let count = 0;
beforeAll(async () => {
  casdoor = await startLocalCasdoor({ port: 0, privateJwk: PRIVATE_JWK });
});
afterAll(() => casdoor.close());
beforeEach(() => {
  count += 1;
  user = casdoor.directory.addUser(`acme/ada-${count}`, {
    email: `ada-${count}@example.com`,
    displayName: 'Ada',
  });
});

const person = (id = user.id, tenant = 'acme'): Person => ({ provider: 'casdoor', tenant, id });
const accountsOf = (more: Record<string, string> = {}) => {
  const config = configOf(casdoor, more);
  return casdoorAccounts(config, createCasdoorApi(config));
};

test('reads a user as they are, as of the instant that the reading began', async () => {
  const before = Date.now();
  const record = await accountsOf().read(person());
  expect(record).toMatchObject({ kind: 'user', id: user.id, email: user.email, name: 'Ada' });
  expect(record?.clock).toBeGreaterThanOrEqual(before);
  expect(await accountsOf().read(person('nobody'))).toBeUndefined();
});

describe('changes', () => {
  test('what is given, and nothing else', async () => {
    const record = await accountsOf().change(person(), { firstName: 'Ada', lastName: 'King' });
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
    expect(await accountsOf().change(person(), { name: 'Countess' })).toMatchObject({
      name: 'Countess',
      firstName: null,
    });
  });

  test('nobody who is not there', async () => {
    expect(await accountsOf().change(person('nobody'), { firstName: 'X' })).toBeUndefined();
  });

  test('nobody of an organization that is not kept in step', async () => {
    const accounts = accountsOf({ CASDOOR_ORGANIZATIONS: 'other' });
    expect(await accounts.change(person(), { firstName: 'X' })).toBeUndefined();
    await accounts.remove(person());
    expect(casdoor.directory.findUser(user.id)).toEqual(user);
  });
});

describe('deletes', () => {
  test('a user, and again without an error', async () => {
    await accountsOf().remove(person());
    expect(casdoor.directory.findUser(user.id)).toBeUndefined();
    await accountsOf().remove(person());
  });

  test('where Casdoor keeps deleted users, so that they are kept out', async () => {
    casdoor.directory.updateOrganization('acme', { enableSoftDeletion: true });
    await accountsOf().remove(person());
    expect(casdoor.directory.findUser(user.id)).toMatchObject({ isDeleted: true });
    expect(await accountsOf().read(person())).toMatchObject({ disabledAt: expect.any(Number) });
    casdoor.directory.updateOrganization('acme', { enableSoftDeletion: false });
  });

  test('not the administrator of the server, and says so', async () => {
    const admin = casdoor.directory.findUser('built-in/admin');
    await expect(accountsOf().remove(person(admin?.id, 'built-in'))).rejects.toMatchObject({
      code: 'request-invalid',
    });
    expect(casdoor.directory.findUser('built-in/admin')).toBeDefined();
  });
});

describe('whoever else has the same id', () => {
  test('in another organization is not read, changed or deleted', async () => {
    casdoor.directory.addOrganization(`beta-${count}`);
    const mallory = casdoor.directory.addUser(`beta-${count}/mallory`, { id: user.id });
    // Casdoor, asked by the id alone, answers with her.
    casdoor.directory.state().users.reverse();
    expect(await accountsOf().read(person())).toMatchObject({ tenant: 'acme', username: user.name });
    expect(await accountsOf().change(person(), { name: 'Bob' })).toMatchObject({ tenant: 'acme' });
    const hers = casdoor.directory.findUser(`beta-${count}/mallory`);
    expect(hers).toEqual(mallory);
    await accountsOf().remove(person(user.id, `beta-${count}`));
    expect(casdoor.directory.findUser(`acme/${user.name}`)).toMatchObject({ displayName: 'Bob' });
    await accountsOf().remove(person());
    expect(casdoor.directory.findUser(user.id)).toBeUndefined();
  });

  test('is nobody’s where the organization is not known, unless there is but one', async () => {
    expect(await accountsOf().read(person(user.id, ''))).toBeUndefined();
    expect(
      await accountsOf({ CASDOOR_ORGANIZATIONS: 'acme,beta' }).read(person(user.id, '')),
    ).toBeUndefined();
    expect(await accountsOf({ CASDOOR_ORGANIZATIONS: 'acme' }).read(person(user.id, ''))).toMatchObject({
      tenant: 'acme',
    });
  });

  test('in the same organization cannot be told from them, so neither is touched', async () => {
    const twin = casdoor.directory.addUser(`acme/twin-${count}`, { id: user.id });
    const shared = { code: 'request-invalid', message: expect.stringContaining('another user of acme') };
    await expect(accountsOf().read(person())).rejects.toMatchObject(shared);
    await expect(accountsOf().change(person(), { name: 'X' })).rejects.toMatchObject(shared);
    await expect(accountsOf().remove(person())).rejects.toMatchObject(shared);
    await expect(accountsOf().endSessions(person())).rejects.toMatchObject(shared);
    expect(casdoor.directory.findUser(`acme/${user.name}`)).toEqual(user);
    expect(casdoor.directory.findUser(`acme/${twin.name}`)).toEqual(twin);
  });

  test('in part is somebody else', async () => {
    casdoor.directory.addUser(`acme/other-${count}`, { id: `${user.id}-2` });
    expect(await accountsOf().read(person())).toMatchObject({ username: user.name });
  });
});

describe('what the organization does not let its users change, nobody changes', () => {
  const FIELDS = [
    ['Display name', { name: 'Countess' }, 'name'],
    ['First name', { firstName: 'Ada' }, 'first_name'],
    ['Last name', { lastName: 'King' }, 'last_name'],
  ] as const;
  const RULES: [string, Partial<CasdoorAccountItem> | undefined][] = [
    ['is for administrators', { modifyRule: 'Admin' }],
    ['is immutable', { modifyRule: 'Immutable' }],
    ['has no rule', { modifyRule: '' }],
    ['is hidden', { visible: false }],
    ['is shown to administrators alone', { viewRule: 'Admin' }],
    ['is not there', undefined],
  ];
  const cases = FIELDS.flatMap((field) => RULES.map((rule) => [...field, ...rule] as const));

  test.each(cases)('%s: %o as %s, where it %s', async (item, change, argument, _what, rule) => {
    const items = defaultAccountItems().flatMap((one) => {
      if (one.name !== item) return [one];
      return rule === undefined ? [] : [{ ...one, ...rule }];
    });
    casdoor.directory.updateOrganization('acme', { accountItems: items });
    try {
      await expect(accountsOf().change(person(), change)).rejects.toMatchObject({
        code: 'request-invalid',
        message: expect.stringMatching(new RegExp(`^${argument} cannot be changed.*acme.*${item} must be`)),
      });
      expect(casdoor.directory.findUser(user.id)).toEqual(user);
    } finally {
      casdoor.directory.updateOrganization('acme', { accountItems: defaultAccountItems() });
    }
  });

  test('what Casdoor itself objects to is told so, and nothing of the rest is done', async () => {
    const items = defaultAccountItems().map((one) => ({ ...one, regex: '^[A-Z]+$' }));
    casdoor.directory.updateOrganization('acme', { accountItems: items });
    const change = { firstName: 'Ada', name: 'countess' };
    await expect(accountsOf().change(person(), change)).rejects.toMatchObject({
      code: 'request-invalid',
      message: expect.stringContaining('another form'),
    });
    expect(casdoor.directory.findUser(user.id)).toEqual(user);
    casdoor.directory.updateOrganization('acme', { accountItems: defaultAccountItems() });
  });
});

describe('ends the sessions', () => {
  const fullName = () => `acme/${user.name}`;

  test('of a user, who can sign in again afterwards', async () => {
    await accountsOf().endSessions(person());
    expect(casdoor.directory.accessEnded(fullName())).toBe(1);
    expect(casdoor.directory.findUser(user.id)).toMatchObject({ isForbidden: false });
  });

  test('of nobody who is kept out already, so that they are not let in by it', async () => {
    casdoor.directory.updateUser(fullName(), { isForbidden: true });
    await accountsOf().endSessions(person());
    expect(casdoor.directory.findUser(user.id)).toMatchObject({ isForbidden: true });
    await accountsOf().endSessions(person('nobody'));
  });

  test('not where Casdoor does not allow it, and says so', async () => {
    const items = defaultAccountItems().map((one) =>
      one.name === 'Is forbidden' ? { ...one, modifyRule: 'Immutable' } : one,
    );
    casdoor.directory.updateOrganization('acme', { accountItems: items });
    await expect(accountsOf().endSessions(person())).rejects.toMatchObject({ code: 'request-invalid' });
    expect(casdoor.directory.accessEnded(fullName())).toBe(0);
    casdoor.directory.updateOrganization('acme', { accountItems: defaultAccountItems() });
  });

  test('and lets them in again though the first attempt fails', async () => {
    const config = configOf(casdoor);
    const api = createCasdoorApi(config);
    let calls = 0;
    const flaky: CasdoorApi = {
      ...api,
      updateUser(who, fields) {
        calls += 1;
        return calls === 2 ? Promise.reject(new Error('A timeout.')) : api.updateUser(who, fields);
      },
    };
    await casdoorAccounts(config, flaky).endSessions(person());
    expect(calls).toBe(3);
    expect(casdoor.directory.findUser(user.id)).toMatchObject({ isForbidden: false });
  });
});

test('with a wrong secret, or out of reach, nothing is taken for an answer', async () => {
  for (const more of [
    { CASDOOR_CLIENT_SECRET: 'wrong' },
    { CASDOOR_ENDPOINT: `http://127.0.0.1:${await freePort()}` },
  ]) {
    const accounts = accountsOf(more);
    const calls = [
      accounts.read(person()),
      accounts.change(person(), { firstName: 'X' }),
      accounts.remove(person()),
    ];
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'provider-unreachable' } });
    }
  }
  expect(casdoor.directory.findUser(user.id)).toEqual(user);
});
