import { POOL } from '@latchkey/tests/support/cognito';
import { expect, test } from 'vitest';
import type { StoredState } from '#core/stored-state.ts';
import { cognitoAccounts } from '#providers/cognito/accounts.ts';
import { cognitoDeliveries } from '#providers/cognito/deliveries.ts';
import { cognitoListing } from '#providers/cognito/directory.ts';
import { cognitoLookup } from '#providers/cognito/lookup.ts';
import type { DirectoryPage } from '#providers/provider.ts';
import { reachCognito } from '../../support/cognito.ts';
import { answerFrom, type Pools } from '../../support/cognito-pools.ts';

const OTHER = 'us-east-1_Other9';

/** `both` is a sub that Cognito would never give twice. */
const POOLS: Pools = {
  [POOL]: { ada: { groups: ['editors'] }, both: { attributes: { name: 'One' } } },
  [OTHER]: { ben: { groups: ['editors'] }, both: { attributes: { name: 'Other' } } },
};

async function reach(pools: Pools = POOLS) {
  const reached = await reachCognito(answerFrom(pools), { userPoolIds: [POOL, OTHER] });
  const changes = () =>
    reached.calls.flatMap(({ operation, input }) =>
      ['AdminDeleteUser', 'AdminUpdateUserAttributes', 'AdminUserGlobalSignOut'].includes(operation)
        ? [`${operation} ${String(input.Username)} of ${String(input.UserPoolId)}`]
        : [],
    );
  return { ...reached, changes };
}

/** @param tenants of the users' rows */
function storedState(tenants: Record<string, string> = {}): StoredState {
  return {
    organizationsOf: async () => [],
    usersWithRole: async () => [],
    hasTenant: async () => false,
    async ownerOf(id) {
      const tenant = tenants[id];
      return tenant === undefined
        ? undefined
        : { provider: 'cognito', tenant, clock: 0, sourceCreatedAt: null, deleted: false };
    },
  };
}

async function readerOf(tenants: Record<string, string> = {}, pools?: Pools) {
  const { pools: reached, calls } = await reach(pools);
  const read = cognitoDeliveries(reached, storedState(tenants));
  return {
    asked: () => [...new Set(calls.map(({ input }) => input.UserPoolId))],
    read: (type: string, data: object) =>
      read({
        id: 'evt_1',
        provider: 'cognito',
        receivedAt: 1,
        body: JSON.stringify({ type, timestamp: '2026-01-01T00:00:10Z', data }),
      }),
  };
}

test('what a delivery says is of the pool that it names, and the others are not asked', async () => {
  const { read, asked } = await readerOf();
  expect(await read('AdminUpdateUserAttributes', { userPoolId: OTHER, sub: 'ben' })).toMatchObject({
    kind: 'records',
    tenant: OTHER,
    records: [
      { kind: 'user', tenant: OTHER, id: 'ben' },
      { kind: 'organization', tenant: OTHER, id: `${OTHER}/editors` },
      { kind: 'membership', tenant: OTHER, userId: 'ben', organizationId: `${OTHER}/editors` },
    ],
  });
  expect(asked()).toEqual([OTHER]);
});

test('a delivery of a pool that is not kept is ignored', async () => {
  const { read, asked } = await readerOf();
  const reading = await read('AdminDeleteUser', { userPoolId: 'eu-west-1_Foreign', sub: 'ben' });
  expect(reading).toMatchObject({ kind: 'ignored' });
  expect(asked()).toEqual([]);
});

test('one that names no pool is of the pool that has the user', async () => {
  const { read } = await readerOf();
  const reading = await read('UpdateUserAttributes', { sub: 'ben' });
  expect(reading).toMatchObject({ kind: 'records', tenant: OTHER });
  expect(reading.kind === 'records' && reading.records.every(({ tenant }) => tenant === OTHER)).toBe(true);
});

test.each([
  [POOL, 'One'],
  [OTHER, 'Other'],
])('one that names no pool is about the row that is there, of %s', async (tenant, name) => {
  const { read, asked } = await readerOf({ both: tenant });
  expect(await read('UpdateUserAttributes', { sub: 'both' })).toMatchObject({
    tenant,
    records: [{ kind: 'user', tenant, name }],
  });
  expect(asked()).toEqual([tenant]);
});

test('who is gone from the pool of their row is deleted there alone, though another pool has the sub', async () => {
  const { read } = await readerOf({ both: OTHER }, { ...POOLS, [OTHER]: {} });
  expect(await read('DeleteUser', { sub: 'both' })).toMatchObject({
    tenant: OTHER,
    records: [{ kind: 'user', tenant: OTHER, id: 'both', deleted: true, onlyIfStored: true }],
  });
});

test('whom no pool has is deleted only where there is a row', async () => {
  const { read, asked } = await readerOf();
  const reading = await read('DeleteUser', { sub: 'nobody' });
  expect(reading.kind === 'records' && reading.records).toMatchObject([
    { kind: 'user', id: 'nobody', deleted: true, onlyIfStored: true },
  ]);
  expect(asked()).toEqual([POOL, OTHER]);
});

async function all(pages: AsyncIterable<DirectoryPage>) {
  const seen: DirectoryPage[] = [];
  for await (const page of pages) seen.push(page);
  return seen;
}
const keysOf = (pages: readonly DirectoryPage[]) =>
  pages.flatMap(({ records }) =>
    records.map((one) => `${one.tenant} ${one.kind} ${one.kind === 'membership' ? one.userId : one.id}`),
  );

test('the listing holds every pool, each with its own tenant, and says so', async () => {
  const { pools } = await reach();
  const directory = cognitoListing(pools);
  expect(directory.tenants).toEqual([POOL, OTHER]);
  expect(await directory.total?.()).toBe(4);
  expect(keysOf(await all(directory.pages()))).toEqual([
    `${POOL} organization ${POOL}/editors`,
    `${POOL} user ada`,
    `${POOL} user both`,
    `${POOL} membership ada`,
    `${OTHER} organization ${OTHER}/editors`,
    `${OTHER} user ben`,
    `${OTHER} user both`,
    `${OTHER} membership ben`,
  ]);
});

test('wherever a run is cut off, it goes on with all that it has not listed, and nothing is listed twice but what is read anew', async () => {
  const { pools } = await reach();
  const { pages } = cognitoListing(pools);
  const whole = await all(pages());
  for (const [index, { cursor }] of whole.entries()) {
    const before = whole.slice(0, index + 1);
    const rest = await all(pages({ cursor }));
    expect(new Set([...keysOf(before), ...keysOf(rest)]), cursor).toEqual(new Set(keysOf(whole)));
    const again = keysOf(rest.filter(({ isReadAnew }) => isReadAnew !== true));
    expect(
      again.filter((key) => keysOf(before).includes(key)),
      cursor,
    ).toEqual([]);
  }
});

test('a cursor of a listing of other pools is refused: the listing would not be whole', async () => {
  const { pools } = await reach();
  const cursor = (await all(cognitoListing(pools).pages())).at(-1)?.cursor ?? '';
  for (const others of [pools.slice(0, 1), pools.slice(1), [...pools].reverse()]) {
    await expect(all(cognitoListing(others).pages({ cursor }))).rejects.toMatchObject({
      code: 'request-invalid',
    });
  }
});

test('one thing is looked up in the pool that it is of', async () => {
  const { pools } = await reach();
  const lookup = cognitoLookup(pools);
  expect(await lookup({ kind: 'user', tenant: OTHER, id: 'ben' })).toMatchObject({ tenant: OTHER });
  expect(await lookup({ kind: 'user', tenant: POOL, id: 'ben' })).toBeUndefined();
  expect(await lookup({ kind: 'user', tenant: '', id: 'ben' })).toMatchObject({ tenant: OTHER });
  expect(await lookup({ kind: 'user', tenant: '?', id: 'ben' })).toBeUndefined();
  const group = { kind: 'organization', id: `${OTHER}/editors` } as const;
  expect(await lookup({ ...group, tenant: OTHER })).toMatchObject({ tenant: OTHER });
  expect(await lookup({ ...group, tenant: POOL })).toBeUndefined();
});

test('an account is read, changed, signed out and deleted in the pool of its person alone', async () => {
  const { pools, changes } = await reach();
  const accounts = cognitoAccounts(pools);
  const person = { provider: 'cognito', tenant: OTHER, id: 'both' } as const;
  expect(await accounts.read(person)).toMatchObject({ tenant: OTHER, name: 'Other' });
  await accounts.change(person, { name: 'New' });
  await accounts.endSessions?.(person);
  await accounts.remove(person);
  expect(changes()).toEqual([
    `AdminUpdateUserAttributes both of ${OTHER}`,
    `AdminUserGlobalSignOut both of ${OTHER}`,
    `AdminDeleteUser both of ${OTHER}`,
  ]);
});

test('whose pool is not known is looked for in each, and left alone where two have them', async () => {
  const { pools, changes } = await reach();
  const accounts = cognitoAccounts(pools);
  const ben = { provider: 'cognito', tenant: '', id: 'ben' } as const;
  expect(await accounts.read(ben)).toMatchObject({ tenant: OTHER, id: 'ben' });
  const both = { ...ben, id: 'both' };
  expect(await accounts.read(both)).toBeUndefined();
  expect(await accounts.change(both, { name: 'New' })).toBeUndefined();
  await accounts.remove(both);
  await accounts.remove({ ...ben, tenant: POOL });
  expect(changes()).toEqual([]);
});
