import { describe, expect, test } from 'vitest';
import {
  deletedUser,
  type MembershipRecord,
  stubOrganization,
  stubUser,
  type UserRecord,
} from '../../../../../services/identity/core/records.ts';
import { fold } from '../../../../../services/identity/sync/fold.ts';

const user = (clock: number, changes: Partial<UserRecord> = {}): UserRecord => ({
  ...stubUser({ provider: 'clerk', tenant: '', id: 'user_1' }),
  clock,
  ...changes,
});
const membership = (organizationId: string, userId: string): MembershipRecord => ({
  kind: 'membership',
  provider: 'clerk',
  tenant: '',
  organizationId,
  userId,
  clock: 5,
  deleted: false,
  sourceCreatedAt: null,
  role: 'org:member',
});

describe('of two records of one user', () => {
  test.each<[string, UserRecord, UserRecord, Partial<UserRecord>]>([
    ['the newer is kept', user(1, { name: 'old' }), user(2, { name: 'new' }), { clock: 2, name: 'new' }],
    [
      'at the same instant the deletion is kept',
      user(2, { name: 'A' }),
      deletedUser({ provider: 'clerk', tenant: '', id: 'user_1' }, 2),
      { deleted: true },
    ],
    [
      'an older deletion loses',
      deletedUser({ provider: 'clerk', tenant: '', id: 'user_1' }, 1),
      user(2, { name: 'B' }),
      { deleted: false, name: 'B' },
    ],
    [
      'the greater sighting is kept, whichever record brings it',
      user(1, { name: 'old', lastSeen: 9 }),
      user(2, { name: 'new', lastSeen: 3 }),
      { name: 'new', lastSeen: 9 },
    ],
  ])('%s, whatever their order', (_what, one, other, expected) => {
    expect(fold([one, other]).users).toEqual([expect.objectContaining(expected)]);
    expect(fold([other, one]).users).toEqual([expect.objectContaining(expected)]);
  });

  test('at the same instant the first is kept, as the database does', () => {
    expect(fold([user(1, { name: 'first' }), user(1, { name: 'second' })]).users).toMatchObject([
      { name: 'first' },
    ]);
  });

  test('two providers are a refusal', () => {
    expect(() => fold([user(1), { ...user(2), provider: 'casdoor' }])).toThrow(
      expect.objectContaining({ code: 'record-refused' }),
    );
  });
});

test('a membership brings its parents as stubs, which give way to real ones', () => {
  const folded = fold([
    membership('org_1', 'user_1'),
    user(7, { name: 'Ada' }),
    membership('org_2', 'user_1'),
  ]);
  expect(folded.memberships).toHaveLength(2);
  expect(folded.organizations).toEqual([
    stubOrganization({ provider: 'clerk', tenant: '', id: 'org_1' }),
    stubOrganization({ provider: 'clerk', tenant: '', id: 'org_2' }),
  ]);
  expect(folded.users).toMatchObject([{ id: 'user_1', clock: 7, name: 'Ada' }]);
});

test('rows come in the order of their keys', () => {
  const ids = ['user_3', 'user_1', 'user_2'];
  const { users, memberships } = fold(ids.map((id) => membership('org_1', id)));
  expect(users.map(({ id }) => id)).toEqual(['user_1', 'user_2', 'user_3']);
  expect(memberships.map(({ userId }) => userId)).toEqual(['user_1', 'user_2', 'user_3']);
});
