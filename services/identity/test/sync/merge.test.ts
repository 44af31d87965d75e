import { describe, expect, test } from 'vitest';
import {
  deletedUser,
  type MembershipRecord,
  stubOrganization,
  stubUser,
  type UserRecord,
} from '#core/records.ts';
import { mergeRecords } from '#sync/merge.ts';

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

describe('of two tenants', () => {
  const at = (tenant: string, clock: number, changes: Partial<UserRecord> = {}) =>
    user(clock, { provider: 'casdoor', tenant, name: tenant, ...changes });

  test.each([
    ['that claim one id', at('acme', 1), at('beta', 2)],
    [
      'of which one claims to have moved from a third',
      at('acme', 1),
      at('beta', 2, { previousTenant: 'gamma' }),
    ],
    ['of which the older claims to have moved', at('acme', 3), at('beta', 2, { previousTenant: 'acme' })],
    ['of which one deletes', at('acme', 1), { ...at('beta', 2), deleted: true }],
  ])('%s, both are refused', (_, first, second) => {
    for (const pair of [
      [first, second],
      [second, first],
    ]) {
      expect(() => mergeRecords(pair)).toThrow(/comes from casdoor \w+ and from casdoor \w+/);
    }
  });

  test('the one who says whence they came is the same person', () => {
    const moved = at('beta', 2, { previousTenant: 'acme' });
    expect(mergeRecords([at('acme', 1), moved]).users).toEqual([moved]);
  });

  test('one that is not known is filled in by the other, whichever is newer', () => {
    expect(mergeRecords([at('', 1), at('acme', 2)]).users).toMatchObject([{ tenant: 'acme', clock: 2 }]);
    expect(mergeRecords([at('acme', 1), at('', 2)]).users).toMatchObject([{ tenant: 'acme', clock: 2 }]);
  });

  test('a membership makes stubs of its own tenant, and one that has ended of none', () => {
    const live: MembershipRecord = { ...membership('acme', 'user_1'), provider: 'casdoor', tenant: 'acme' };
    expect(() => mergeRecords([at('beta', 2), live])).toThrow(
      'comes from casdoor beta and from casdoor acme',
    );
    const { users } = mergeRecords([at('beta', 2), { ...live, deleted: true, role: null }]);
    expect(users).toMatchObject([{ tenant: 'beta' }]);
  });
});

describe('a deletion only over a row', () => {
  const gone = (clock: number) =>
    deletedUser({ provider: 'clerk', tenant: '', id: 'user_1' }, clock, { onlyIfStored: true });

  test('stays so by itself, and is one without conditions where another record makes the row', () => {
    expect(mergeRecords([gone(2)]).users).toMatchObject([{ deleted: true, onlyIfStored: true }]);
    expect(mergeRecords([user(1), gone(2)]).users).toMatchObject([{ deleted: true, onlyIfStored: false }]);
    expect(mergeRecords([gone(2), user(1)]).users).toMatchObject([{ deleted: true, onlyIfStored: false }]);
  });
});

test('of two words on whether a user is disabled the later counts, whatever the clocks', () => {
  const out = user(1, { disabledAt: 9, disabledCheckedAt: 9 });
  const admitted = user(2, { disabledAt: null, disabledCheckedAt: 5 });
  for (const pair of [
    [out, admitted],
    [admitted, out],
  ]) {
    expect(mergeRecords(pair).users).toMatchObject([{ clock: 2, disabledAt: 9, disabledCheckedAt: 9 }]);
  }
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
    expect(mergeRecords([one, other]).users).toEqual([expect.objectContaining(expected)]);
    expect(mergeRecords([other, one]).users).toEqual([expect.objectContaining(expected)]);
  });

  test('at the same instant the first is kept, as the database does', () => {
    expect(mergeRecords([user(1, { name: 'first' }), user(1, { name: 'second' })]).users).toMatchObject([
      { name: 'first' },
    ]);
  });

  test('two providers are a refusal', () => {
    expect(() => mergeRecords([user(1), { ...user(2), provider: 'casdoor' }])).toThrow(
      expect.objectContaining({ code: 'record-refused' }),
    );
  });
});

test('a membership brings its parents as stubs, which give way to real ones', () => {
  const folded = mergeRecords([
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
  const { users, memberships } = mergeRecords(ids.map((id) => membership('org_1', id)));
  expect(users.map(({ id }) => id)).toEqual(['user_1', 'user_2', 'user_3']);
  expect(memberships.map(({ userId }) => userId)).toEqual(['user_1', 'user_2', 'user_3']);
});
