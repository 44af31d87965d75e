import { POOL, SUB } from '@latchkey/tests/support/cognito';
import { expect, test } from 'vitest';
import {
  adaInAdmins,
  admins,
  hintOf,
  NOW,
  pool,
  reader,
  searchedAda,
} from '../../support/cognito-deliveries.ts';

const organizations = (...names: string[]) => names.map((name) => ({ id: `${POOL}/${name}`, tenant: POOL }));

test('removal from a group ends the membership that the call names', async () => {
  const { read } = await reader(pool({ groups: [] }));
  const hint = { ...hintOf('cloudtrail.AdminAddUserToGroup.json'), type: 'AdminRemoveUserFromGroup' };
  expect(await read(hint)).toMatchObject({
    records: [
      { ...searchedAda, roles: [] },
      { ...adaInAdmins, deleted: true, role: null },
    ],
  });
});

test('a membership that the tables hold and Cognito does not has ended', async () => {
  const { read } = await reader(pool(), {}, { organizationsOf: async () => organizations('admins', 'old') });
  const reading = await read(hintOf('postconfirmation.json'));
  expect(reading.kind === 'records' && reading.records.slice(2)).toEqual([
    adaInAdmins,
    { ...adaInAdmins, organizationId: `${POOL}/old`, deleted: true, role: null },
  ]);
});

test('whoever was in a group that is gone is read again, some of them at once', async () => {
  const asked: unknown[] = [];
  const { read } = await reader(
    pool({ groups: [] }),
    {},
    {
      usersWithRole: async (...question) => {
        asked.push(question);
        return [SUB];
      },
      organizationsOf: async () => organizations('admins'),
    },
  );
  const hint = { type: 'DeleteGroup', timestamp: '2026-01-01T00:00:10Z', data: { groupName: 'admins' } };
  expect(await read(hint)).toMatchObject({
    records: [
      { kind: 'organization', id: `${POOL}/admins`, deleted: true },
      { ...searchedAda, roles: [] },
      { ...adaInAdmins, deleted: true, role: null },
    ],
  });
  expect(asked).toEqual([[{ provider: 'cognito', tenant: POOL }, 'admins', 26]]);
});

test('a deleted group of more users than can be read while the sender waits leaves the rest to a reconcile', async () => {
  const crowd = (size: number) => ({
    usersWithRole: async () => Array.from({ length: size }, (_, index) => `sub-${index}`),
  });
  const hint = { type: 'DeleteGroup', timestamp: '2026-01-01T00:00:10Z', data: { groupName: 'admins' } };
  const all = await reader(pool({ groups: [], known: false }), {}, crowd(25));
  expect(await all.read(hint)).toMatchObject({ isPartial: false });
  const some = await reader(pool({ groups: [], known: false }), {}, crowd(26));
  const reading = await some.read(hint);
  expect(reading).toMatchObject({ isPartial: true });
  expect(reading.kind === 'records' && reading.records).toHaveLength(1 + 25);
});

test.each([
  ['UpdateGroup', ['admins'], admins],
  ['DeleteGroup', [], { kind: 'organization', id: `${POOL}/admins`, clock: NOW, deleted: true, name: null }],
])('%s is about the group alone', async (type, groups, record) => {
  const { read } = await reader(pool({ groups }));
  const hint = { type, timestamp: '2026-01-01T00:00:10Z', data: { userPoolId: POOL, groupName: 'admins' } };
  expect(await read(hint)).toMatchObject({ kind: 'records', subject: `${POOL}/admins`, records: [record] });
});

test('a missing pool is not mistaken for a missing group', async () => {
  const { read } = await reader(() => ({
    error: 'ResourceNotFoundException',
    message: 'User pool eu-west-1_EXAMPLE12 does not exist.',
  }));
  const hint = { type: 'DeleteGroup', timestamp: '2026-01-01T00:00:10Z', data: { groupName: 'admins' } };
  await expect(read(hint)).rejects.toMatchObject({ code: 'provider-unreachable' });
});
