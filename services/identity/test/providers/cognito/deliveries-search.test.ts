import { POOL, SUB } from '@latchkey/tests/support/cognito';
import { expect, test } from 'vitest';
import type { StoredState } from '#core/stored-state.ts';
import { cognitoDeliveries } from '#providers/cognito/deliveries.ts';
import { type Call, reachCognito } from '../../support/cognito.ts';
import {
  ATTRIBUTES,
  ada,
  adaInAdmins,
  admins,
  hintOf,
  NOW,
  nothingStored,
  pool,
  reader,
  searchedAda,
  USER,
} from '../../support/cognito-deliveries.ts';

/** A live row of the pool, as of this instant. */
const rowOf = (clock: number): Pick<StoredState, 'ownerOf'> => ({
  ownerOf: async () => ({ provider: 'cognito', tenant: POOL, clock, sourceCreatedAt: null, deleted: false }),
});

const operations = (calls: readonly Call[]) => calls.map(({ operation }) => operation);

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
