import { POOL } from '@latchkey/tests/support/cognito';
import { expect, test } from 'vitest';
import { cognitoDeliveries } from '#providers/cognito/deliveries.ts';
import { cognitoListing } from '#providers/cognito/directory.ts';
import { cognitoLookup } from '#providers/cognito/lookup.ts';
import { type Answer, type Call, reachCognito } from '../../support/cognito.ts';
import { answerFrom } from '../../support/cognito-pools.ts';

const good = (sub: string) => ({ Username: sub, Attributes: [{ Name: 'sub', Value: sub }] });

async function listing(answer: (call: Call) => Answer) {
  const { pools } = await reachCognito(answer);
  const records = [];
  const unreadable = [];
  for await (const page of cognitoListing(pools).pages()) {
    records.push(...page.records);
    unreadable.push(...(page.unreadable ?? []));
  }
  return { records, unreadable };
}

test.each<[string, unknown, { name: string; reason: string } | undefined]>([
  ['nothing', null, { name: 'user without a user name', reason: 'Cognito tells no Username of it' }],
  ['a text', 'ada', { name: 'user without a user name', reason: 'Cognito tells no Username of it' }],
  ['one without attributes', { Username: 'ada' }, { name: 'user ada', reason: 'it has no sub' }],
  [
    'one without a sub',
    { Username: 'ada', Attributes: [{ Name: 'email', Value: 'a@b.c' }] },
    { name: 'user ada', reason: 'it has no sub' },
  ],
  [
    'one whose attributes are none',
    { Username: 'ada', Attributes: 'x' },
    { name: 'user ada', reason: 'it has no sub' },
  ],
  [
    'one whose name is an address',
    { Username: 'ada@example.com', UserCreateDate: 1767225600 },
    { name: 'user created 2026-01-01T00:00:00.000Z', reason: 'it has no sub' },
  ],
  [
    'one with a sub that would end the quotes of a filter',
    { Username: 'ada', Attributes: [{ Name: 'sub', Value: 'a" or "b' }] },
    { name: 'user ada', reason: 'its sub is not one that Cognito gives' },
  ],
  [
    'odd attributes beside a good one',
    { ...good('odd'), Attributes: [null, 7, { Name: 5 }, ...good('odd').Attributes] },
    undefined,
  ],
  [
    'an odd date, status and mark',
    { ...good('odd'), UserCreateDate: -1e30, UserStatus: 5, Enabled: 'no' },
    undefined,
  ],
])('%s among the users does not stop the others, and is named', async (_, odd, problem) => {
  const { records, unreadable } = await listing(({ operation }) =>
    operation === 'ListUsers' ? { Users: [good('ada'), odd, good('ben')] } : { Groups: [], Users: [] },
  );
  const ids = records.map((record) => record.kind === 'user' && record.id);
  expect(ids).toEqual(problem === undefined ? ['ada', 'odd', 'ben'] : ['ada', 'ben']);
  expect(unreadable).toEqual(problem === undefined ? [] : [problem]);
  expect(JSON.stringify(unreadable)).not.toContain('example.com');
});

test('odd groups and odd members are passed over and named', async () => {
  const { records, unreadable } = await listing(({ operation }) => {
    switch (operation) {
      case 'ListGroups':
        return {
          Groups: [{}, { GroupName: 'foreign', UserPoolId: 'eu-west-1_Foreign' }, { GroupName: 'editors' }],
        };
      case 'ListUsersInGroup':
        return { Users: [{ Username: 'odd' }, good('ada')] };
      default:
        return { Users: [good('ada')] };
    }
  });
  expect(records.map(({ kind }) => kind)).toEqual(['organization', 'user', 'membership']);
  expect(unreadable.map(({ name }) => name)).toEqual([
    'group without a name',
    'group foreign',
    'membership of user odd in editors',
  ]);
});

test('a user name that is somebody else’s by now does not give the groups of that one', async () => {
  // The search still shows the one who had the name; by name Cognito knows only the new one.
  const old = { Username: 'ada', Attributes: [{ Name: 'sub', Value: 'old-sub' }] };
  const now = answerFrom({ [POOL]: { 'new-sub': { name: 'ada', groups: ['admins'] } } });
  const { pools } = await reachCognito((call) =>
    call.operation === 'ListUsers' ? { Users: [old] } : now(call),
  );
  expect(await cognitoLookup(pools)({ kind: 'user', tenant: POOL, id: 'old-sub' })).toBeUndefined();
  const stored = {
    organizationsOf: async () => [],
    usersWithRole: async () => [],
    hasTenant: async () => false,
    ownerOf: async () => undefined,
  };
  const body = JSON.stringify({
    type: 'AdminAddUserToGroup',
    timestamp: '2026-01-01T00:00:10Z',
    data: { userPoolId: POOL, sub: 'old-sub', groupName: 'admins' },
  });
  const reading = await cognitoDeliveries(
    pools,
    stored,
  )({ id: 'e', provider: 'cognito', receivedAt: 1, body });
  expect(reading).toMatchObject({
    records: [{ kind: 'user', id: 'old-sub', deleted: true, onlyIfStored: true }],
  });
  expect(JSON.stringify(reading)).not.toContain('new-sub');
});

test('an answer about another sub or another group than asked for is none', async () => {
  const { pools } = await reachCognito(({ operation }) => {
    switch (operation) {
      case 'AdminGetUser':
        return { Username: 'ada', UserAttributes: [{ Name: 'sub', Value: 'other' }] };
      case 'GetGroup':
        return { Group: { GroupName: 'admins' } };
      default:
        return { Users: [good('other')], Groups: [] };
    }
  });
  const lookup = cognitoLookup(pools);
  expect(await lookup({ kind: 'user', tenant: POOL, id: 'ada' })).toBeUndefined();
  expect(await lookup({ kind: 'organization', tenant: POOL, id: `${POOL}/editors` })).toBeUndefined();
});

test('an id that is no sub is asked for nowhere', async () => {
  const { pools, calls } = await reachCognito(() => ({ Users: [] }));
  expect(await cognitoLookup(pools)({ kind: 'user', tenant: POOL, id: 'x" or sub = "y' })).toBeUndefined();
  expect(calls).toEqual([]);
});
