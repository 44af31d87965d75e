import { fixture, POOL, SUB } from '@latchkey/tests/support/cognito';
import { expect, test } from 'vitest';
import type { LedgerEntry } from '#core/deliveries.ts';
import {
  ada,
  adaInAdmins,
  admins,
  hintOf,
  NOW,
  pool,
  reader,
  searchedAda,
} from '../../support/cognito-deliveries.ts';

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
