import { fixture, POOL, SUB } from '@latchkey/tests/support/cognito';
import { expect, test } from 'vitest';
import { cognitoLookup } from '#providers/cognito/lookup.ts';
import { type Answer, type Call, reachCognito } from '../../support/cognito.ts';

const NOW = 1_767_300_000_000;

const ATTRIBUTES = [{ Name: 'sub', Value: SUB }];

/** A pool whose search lags behind, so that it finds nobody. */
function pool({ operation, input }: Call): Answer {
  switch (operation) {
    case 'ListUsers':
      return { Users: [] };
    case 'AdminGetUser':
      return input.Username === SUB
        ? { Username: SUB, UserAttributes: ATTRIBUTES }
        : { error: 'UserNotFoundException' };
    case 'AdminListGroupsForUser':
      return fixture('api.AdminListGroupsForUser.json');
    default:
      return input.GroupName === 'admins'
        ? { Group: { GroupName: 'admins' } }
        : { error: 'ResourceNotFoundException', message: 'Group not found.' };
  }
}

async function lookup(answer: (call: Call) => Answer = pool) {
  const { pools } = await reachCognito(answer);
  return cognitoLookup(pools, () => NOW);
}

test('a user, a group and a membership are read by themselves, even where the search lags behind', async () => {
  const read = await lookup();
  expect(await read({ kind: 'user', tenant: POOL, id: SUB })).toMatchObject({
    id: SUB,
    roles: ['admins'],
    clock: NOW,
  });
  expect(await read({ kind: 'organization', tenant: POOL, id: `${POOL}/admins` })).toMatchObject({
    name: 'admins',
    clock: NOW,
  });
  const membership = {
    kind: 'membership',
    tenant: POOL,
    organizationId: `${POOL}/admins`,
    userId: SUB,
  } as const;
  expect(await read(membership)).toMatchObject({ ...membership, deleted: false, clock: NOW });
});

test('whom the search tells is as of a minute ago, for it may lag behind', async () => {
  const read = await lookup((call) =>
    call.operation === 'ListUsers' ? { Users: [{ Username: SUB, Attributes: ATTRIBUTES }] } : pool(call),
  );
  expect(await read({ kind: 'user', tenant: POOL, id: SUB })).toMatchObject({ id: SUB, clock: NOW - 60_000 });
  // Memberships are read by the user's name, and those are of now.
  const membership = {
    kind: 'membership',
    tenant: POOL,
    organizationId: `${POOL}/admins`,
    userId: SUB,
  } as const;
  expect(await read(membership)).toMatchObject({ clock: NOW });
});

test('whom the search still shows and Cognito does not know by name any more is not there', async () => {
  const read = await lookup(({ operation }) =>
    operation === 'ListUsers'
      ? { Users: [{ Username: SUB, Attributes: ATTRIBUTES }] }
      : { error: 'UserNotFoundException' },
  );
  expect(await read({ kind: 'user', tenant: POOL, id: SUB })).toBeUndefined();
});

test.each([
  { kind: 'user', tenant: POOL, id: 'somebody-else' },
  { kind: 'user', tenant: 'eu-west-1_OTHER', id: SUB },
  { kind: 'organization', tenant: POOL, id: `${POOL}/owners` },
  { kind: 'organization', tenant: POOL, id: 'another-pool/admins' },
  { kind: 'membership', tenant: POOL, organizationId: `${POOL}/owners`, userId: SUB },
  { kind: 'membership', tenant: POOL, organizationId: `${POOL}/admins`, userId: 'somebody-else' },
] as const)('%j is not there', async (key) => {
  const read = await lookup();
  expect(await read(key)).toBeUndefined();
});

test('a refusal is no absence', async () => {
  const read = await lookup(() => ({ error: 'AccessDeniedException' }));
  await expect(read({ kind: 'user', tenant: POOL, id: SUB })).rejects.toMatchObject({
    code: 'provider-unreachable',
  });
});
