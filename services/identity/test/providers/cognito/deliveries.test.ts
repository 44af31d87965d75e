import { apiCallHint, signInHint } from '@latchkey/cognito-triggers/hint';
import { fixture, POOL, SUB } from '@latchkey/tests/support/cognito';
import { expect, test } from 'vitest';
import type { LedgerEntry } from '#core/deliveries.ts';
import type { StoredState } from '#core/stored-state.ts';
import { cognitoDeliveries } from '#providers/cognito/deliveries.ts';
import { type Answer, type Call, type CONFIG, reachCognito } from '../../support/cognito.ts';

const NOW = 1_767_300_000_000;

const USER = { UserCreateDate: 1767225600.123, Enabled: true, UserStatus: 'CONFIRMED', Username: SUB };
const ATTRIBUTES = [
  { Name: 'sub', Value: SUB },
  { Name: 'email', Value: 'ada@example.com' },
  { Name: 'email_verified', Value: 'true' },
];

/** A pool as it is now: the recorded user in the recorded group, less what is taken away. */
function pool(
  state: { searchable?: boolean; known?: boolean; groups?: string[]; attributes?: object[] } = {},
) {
  const { searchable = true, known = true, groups = ['admins'], attributes = ATTRIBUTES } = state;
  return ({ operation }: Call): Answer => {
    switch (operation) {
      case 'ListUsers':
        return { Users: known && searchable ? [{ ...USER, Attributes: attributes }] : [] };
      case 'AdminGetUser':
        return known ? { ...USER, UserAttributes: attributes } : { error: 'UserNotFoundException' };
      case 'AdminListGroupsForUser':
        return { Groups: groups.map((GroupName) => ({ GroupName, CreationDate: 1767225600.123 })) };
      case 'GetGroup':
        return groups[0] === undefined
          ? { error: 'ResourceNotFoundException', message: 'Group not found.' }
          : { Group: { GroupName: groups[0], CreationDate: 1767225600.123 } };
      default:
        return { error: 'AccessDeniedException', message: operation };
    }
  };
}

/** What the tables hold: nothing, unless a test says otherwise. */
const nothingStored: StoredState = {
  organizationsOf: async () => [],
  usersWithRole: async () => [],
  hasTenant: async () => false,
  ownerOf: async () => undefined,
};
/** A live row of the pool, as of this instant. */
const rowOf = (clock: number): Pick<StoredState, 'ownerOf'> => ({
  ownerOf: async () => ({ provider: 'cognito', tenant: POOL, clock, sourceCreatedAt: null, deleted: false }),
});
const organizations = (...names: string[]) => names.map((name) => ({ id: `${POOL}/${name}`, tenant: POOL }));

async function reader(
  answer: (call: Call) => Answer | 'never',
  settings: Partial<typeof CONFIG> = {},
  stored: Partial<StoredState> = {},
) {
  const { pools, calls } = await reachCognito(answer, settings);
  const read = cognitoDeliveries(pools, { ...nothingStored, ...stored }, () => NOW);
  return {
    calls,
    read: (hint: unknown) =>
      read({
        id: 'evt_1',
        provider: 'cognito',
        receivedAt: NOW,
        body: typeof hint === 'string' ? hint : JSON.stringify(hint),
      }),
  };
}

const hintOf = (name: string) => {
  const event = fixture(name);
  const forwarded = 'detail' in event ? apiCallHint(event) : signInHint(event, 'r', new Date(NOW - 1_000));
  if (forwarded === undefined) throw new Error(`${name} is not forwarded`);
  return forwarded.hint;
};

const ada = {
  kind: 'user',
  provider: 'cognito',
  tenant: POOL,
  id: SUB,
  clock: NOW,
  deleted: false,
  sourceCreatedAt: 1767225600123,
  lastSeen: 1767225600123,
  disabledAt: null,
  disabledCheckedAt: NOW,
  email: 'ada@example.com',
  emailVerified: true,
  phone: null,
  username: null,
  name: null,
  firstName: null,
  lastName: null,
  imageUrl: null,
  roles: ['admins'],
  metadata: {},
};
const admins = {
  kind: 'organization',
  provider: 'cognito',
  tenant: POOL,
  id: `${POOL}/admins`,
  clock: NOW,
  deleted: false,
  sourceCreatedAt: 1767225600123,
  name: 'admins',
  slug: null,
  imageUrl: null,
  metadata: {},
};
const adaInAdmins = {
  kind: 'membership',
  provider: 'cognito',
  tenant: POOL,
  organizationId: `${POOL}/admins`,
  userId: SUB,
  clock: NOW,
  deleted: false,
  sourceCreatedAt: null,
  role: 'org:member',
};

test('a sign-up is read back from Cognito: the user, their groups, and that they are in them', async () => {
  const { read, calls } = await reader(pool());
  expect(await read(hintOf('postconfirmation.json'))).toEqual({
    kind: 'records',
    type: 'PostConfirmation_ConfirmSignUp',
    subject: SUB,
    tenant: POOL,
    payload: {
      type: 'PostConfirmation_ConfirmSignUp',
      timestamp: new Date(NOW - 1_000).toISOString(),
      data: { userPoolId: POOL, sub: SUB },
    },
    records: [ada, admins, adaInAdmins],
  });
  expect(calls.map(({ operation }) => operation)).toEqual(['AdminGetUser', 'AdminListGroupsForUser']);
});

test('the recorded answers are understood', async () => {
  const { read } = await reader(({ operation }) => fixture(`api.${operation}.json`));
  expect(await read(hintOf('cloudtrail.AdminAddUserToGroup.json'))).toMatchObject({
    records: [searchedAda, admins, adaInAdmins],
  });
});

test('a sign-in says when its user was seen', async () => {
  const { read } = await reader(pool());
  const reading = await read(hintOf('postauthentication.json'));
  expect(reading).toMatchObject({ records: [{ id: SUB, lastSeen: NOW - 1_000 }, {}, {}] });
});

test('a sign-in that claims to be in the future moves nobody there', async () => {
  const { read } = await reader(pool());
  const hint = { ...hintOf('postauthentication.json'), timestamp: '2999-01-01T00:00:00Z' };
  expect(await read(hint)).toMatchObject({ records: [{ lastSeen: NOW }, {}, {}] });
});

const operations = (calls: readonly Call[]) => calls.map(({ operation }) => operation);

/** Of a user whom the search told: whether they are disabled may be of a minute ago. */
const searchedAda = { ...ada, disabledCheckedAt: NOW - 60_000 };

test('after a change of groups the profile is as it was, so it is searched for, which no bill counts', async () => {
  const { read, calls } = await reader(pool());
  expect(await read(hintOf('cloudtrail.AdminAddUserToGroup.json'))).toMatchObject({
    kind: 'records',
    subject: SUB,
    records: [searchedAda, admins, adaInAdmins],
  });
  expect(calls[0]).toMatchObject({
    operation: 'ListUsers',
    input: { UserPoolId: POOL, Filter: `sub = "${SUB}"` },
  });
  expect(operations(calls)).toEqual(['ListUsers', 'AdminListGroupsForUser']);
});

test('a changed profile is not left to the search, which lags behind', async () => {
  const { read, calls } = await reader(pool());
  expect(await read(hintOf('cloudtrail.AdminUpdateUserAttributes.json'))).toMatchObject({
    records: [ada, {}, {}],
  });
  expect(operations(calls)).toEqual(['AdminGetUser', 'AdminListGroupsForUser']);
});

test.each(['cloudtrail.AdminDeleteUser.json', 'cloudtrail.DeleteUser.json'])(
  '%s: who is not found is deleted, at the instant the read began',
  async (name) => {
    const { read } = await reader(pool({ known: false }));
    const reading = await read(hintOf(name));
    expect(reading).toMatchObject({ kind: 'records', subject: SUB });
    expect(reading.kind === 'records' && reading.records).toEqual([
      {
        ...ada,
        clock: NOW,
        deleted: true,
        onlyIfStored: true,
        disabledCheckedAt: 0,
        email: null,
        emailVerified: false,
        roles: [],
        sourceCreatedAt: null,
        lastSeen: 0,
      },
    ]);
  },
);

test.each(['AdminDeleteUser', 'AdminRemoveUserFromGroup'])(
  '%s: whom only the search still knows is deleted',
  async (type) => {
    const answer = pool();
    const { read } = await reader((call) =>
      call.operation === 'ListUsers' ? answer(call) : { error: 'UserNotFoundException' },
    );
    expect(await read({ ...hintOf('cloudtrail.AdminDeleteUser.json'), type })).toMatchObject({
      records: [{ id: SUB, deleted: true }],
    });
  },
);

test('whom the search does not know yet is not taken for deleted', async () => {
  const { read, calls } = await reader(pool({ searchable: false }));
  expect(await read(hintOf('cloudtrail.AdminAddUserToGroup.json'))).toMatchObject({ records: [ada, {}, {}] });
  expect(operations(calls)).toEqual(['ListUsers', 'AdminGetUser', 'AdminListGroupsForUser']);
});

test('a user of another identity provider, who is not found by sub, is found by name', async () => {
  const federated = { ...USER, Username: 'google_1234567890' };
  const answer = pool();
  const { read, calls } = await reader((call) => {
    if (call.operation === 'ListUsers') return { Users: [{ ...federated, Attributes: ATTRIBUTES }] };
    if (call.operation !== 'AdminGetUser') return answer(call);
    return call.input.Username === federated.Username
      ? { ...federated, UserAttributes: ATTRIBUTES }
      : { error: 'UserNotFoundException' };
  });
  expect(await read(hintOf('cloudtrail.AdminUpdateUserAttributes.json'))).toMatchObject({
    records: [{ ...ada, username: 'google_1234567890' }, {}, {}],
  });
  expect(operations(calls)).toEqual(['AdminGetUser', 'ListUsers', 'AdminGetUser', 'AdminListGroupsForUser']);
});

test('a user name that somebody else has by now does not stand for the one who had it', async () => {
  const { read } = await reader(({ operation }) =>
    operation === 'AdminGetUser'
      ? { ...USER, UserAttributes: [{ Name: 'sub', Value: 'another-sub' }] }
      : { Users: [] },
  );
  expect(await read(hintOf('postconfirmation.json'))).toMatchObject({
    records: [{ id: SUB, deleted: true }],
  });
});

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

test('the profile comes from the standard attributes; metadata only from those that are named', async () => {
  const attributes = [
    { Name: 'sub', Value: SUB },
    { Name: 'email', Value: 'ada@example.com' },
    { Name: 'phone_number', Value: '+15550100' },
    { Name: 'preferred_username', Value: 'ada' },
    { Name: 'given_name', Value: 'Ada' },
    { Name: 'family_name', Value: 'Example\0' },
    { Name: 'picture', Value: 'https://example.com/a.png' },
    { Name: 'custom:plan', Value: 'pro' },
    { Name: 'custom:secret', Value: 'x' },
  ];
  const { read } = await reader(pool({ attributes }), { metadataAttributes: ['custom:plan', 'custom:none'] });
  expect(await read(hintOf('postconfirmation.json'))).toMatchObject({
    records: [
      {
        emailVerified: false,
        phone: '+15550100',
        username: 'ada',
        name: 'Ada Example\uFFFD',
        firstName: 'Ada',
        imageUrl: 'https://example.com/a.png',
        metadata: { 'custom:plan': 'pro' },
      },
      {},
      {},
    ],
  });
});

test('what happened in another pool is ignored, and nothing is asked', async () => {
  const { read, calls } = await reader(pool());
  const hint = hintOf('postconfirmation.json');
  const elsewhere = { ...hint, data: { ...hint.data, userPoolId: 'eu-west-1_OTHER' } };
  expect(await read(elsewhere)).toEqual({ kind: 'ignored', type: hint.type, subject: null });
  expect(calls).toEqual([]);
});

test('what the ledger kept can be read again', async () => {
  const { read } = await reader(pool());
  const first = await read(hintOf('postconfirmation.json'));
  if (first.kind !== 'records') throw new Error(first.kind);
  const kept: LedgerEntry['payload'] = first.payload;
  expect(JSON.stringify(kept)).not.toContain('userName');
  expect(await read(kept)).toMatchObject({ kind: 'records', records: first.records });
});

test.each<[string, unknown]>([
  ['no JSON', '{'],
  ['a bare text', '"x"'],
  ['no type', { timestamp: '2026-01-01T00:00:10Z', data: {} }],
  ['no time', { type: 'x', data: {} }],
  ['a time that is none', { type: 'x', timestamp: 'yesterday', data: {} }],
  [
    'a sub that would end the quotes of the filter',
    { type: 'x', timestamp: '2026-01-01T00:00:10Z', data: { sub: 'a" or "b' } },
  ],
  ['a group of no text', { type: 'x', timestamp: '2026-01-01T00:00:10Z', data: { groupName: 7 } }],
])('%s: malformed, and nothing is asked or kept of it', async (_, hint) => {
  const { read, calls } = await reader(pool());
  expect(await read(hint)).toMatchObject({ kind: 'malformed', payload: null });
  expect(calls).toEqual([]);
});

test.each([
  ['AccessDeniedException', 'deploy/cognito/service-policy.json'],
  ['UnrecognizedClientException', 'deploy/cognito/service-policy.json'],
  ['ResourceNotFoundException', 'COGNITO_USER_POOL_ID'],
  ['InternalErrorException', 'COGNITO_ENDPOINT'],
])('%s is no deletion: the sender is to come again, and the fix is named', async (error, fix) => {
  const { read } = await reader(() => ({ error, message: 'User pool eu-west-1_EXAMPLE12 does not exist.' }));
  await expect(read(hintOf('cloudtrail.AdminDeleteUser.json'))).rejects.toEqual(
    expect.objectContaining({ code: 'provider-unreachable', message: expect.stringContaining(fix) }),
  );
});

test('after a change of groups the profile is searched for, unless it was written too lately for the search', async () => {
  const hint = hintOf('cloudtrail.AdminAddUserToGroup.json');
  const old = await reader(pool(), {}, rowOf(NOW - 60_000));
  await old.read(hint);
  expect(old.calls.map(({ operation }) => operation)).not.toContain('AdminGetUser');

  // The search shows the name of before; the record would be the newest all the same.
  const stale = [...ATTRIBUTES, { Name: 'given_name', Value: 'Before' }];
  const now = pool();
  const fresh = await reader(
    (call) => (call.operation === 'ListUsers' ? { Users: [{ ...USER, Attributes: stale }] } : now(call)),
    {},
    rowOf(NOW - 59_000),
  );
  expect(await fresh.read(hint)).toMatchObject({ records: [{ id: SUB, firstName: null }, {}, {}] });
  expect(fresh.calls.map(({ operation }) => operation)).toContain('AdminGetUser');
});

test('a missing pool is not mistaken for a missing group', async () => {
  const { read } = await reader(() => ({
    error: 'ResourceNotFoundException',
    message: 'User pool eu-west-1_EXAMPLE12 does not exist.',
  }));
  const hint = { type: 'DeleteGroup', timestamp: '2026-01-01T00:00:10Z', data: { groupName: 'admins' } };
  await expect(read(hint)).rejects.toMatchObject({ code: 'provider-unreachable' });
});

test('what Cognito throttles is asked again', async () => {
  let throttled = 1;
  const answer = pool();
  const { read } = await reader((call) => {
    throttled -= 1;
    return throttled >= 0 ? { error: 'TooManyRequestsException' } : answer(call);
  });
  expect(await read(hintOf('cloudtrail.AdminDisableUser.json'))).toMatchObject({ records: [ada, {}, {}] });
});

test('an answer that does not come is asked for again', async () => {
  let isSilent = true;
  const answer = pool();
  const { read } = await reader((call) => {
    if (!isSilent) return answer(call);
    isSilent = false;
    return 'never';
  });
  expect(await read(hintOf('cloudtrail.AdminDisableUser.json'))).toMatchObject({ records: [ada, {}, {}] });
});

test('a clock that is set back does not make a user who was absent be read again and again', async () => {
  let isThere = false;
  let clock = NOW;
  const [gone, there] = [pool({ known: false }), pool()];
  const { pools, calls } = await reachCognito((call) => (isThere ? there(call) : gone(call)));
  const read = cognitoDeliveries(pools, nothingStored, () => clock);
  const deliver = () =>
    read({
      id: 'evt_1',
      provider: 'cognito',
      receivedAt: NOW,
      body: JSON.stringify(hintOf('postconfirmation.json')),
    });
  expect(await deliver()).toMatchObject({ records: [{ deleted: true }] });
  [isThere, clock, calls.length] = [true, NOW - 10_000, 0];
  expect(await deliver()).toMatchObject({ records: [{ deleted: false, clock }, {}, {}] });
  expect(operations(calls)).toEqual(['AdminGetUser', 'AdminListGroupsForUser']);
});
