import { POOL, SUB } from '@latchkey/tests/support/cognito';
import { afterEach, expect, test } from 'vitest';
import { cognitoAccounts } from '#providers/cognito/accounts.ts';
import { connectPools } from '#providers/cognito/pools.ts';
import { type Answer, configAt, serveCognito } from '../../support/cognito.ts';

let server: Awaited<ReturnType<typeof serveCognito>> | undefined;
afterEach(() => server?.close());

const USER: Answer = {
  Username: 'ada',
  UserAttributes: [
    { Name: 'sub', Value: SUB },
    { Name: 'given_name', Value: 'Ada' },
  ],
};

const ADA = { provider: 'cognito', tenant: POOL, id: SUB } as const;

/** A pool that holds one user, or answers as it is told. */
async function accountsOf(answers: Record<string, Answer> = {}) {
  server = await serveCognito(({ operation }) => {
    const usual: Record<string, Answer> = {
      AdminGetUser: USER,
      AdminListGroupsForUser: { Groups: [{ GroupName: 'editor' }] },
      AdminUpdateUserAttributes: {},
      AdminDeleteUser: {},
      ListUsers: { Users: [] },
    };
    return answers[operation] ?? usual[operation] ?? { error: 'UnknownOperationException' };
  });
  return cognitoAccounts(connectPools(configAt(server.url)));
}
const calls = (operation: string) =>
  server?.calls.filter((call) => call.operation === operation).map(({ input }) => input);

test('reads a user whose profile may have changed just now, without the search that lags behind', async () => {
  const accounts = await accountsOf();
  expect(await accounts.read(ADA)).toMatchObject({ id: SUB, firstName: 'Ada', roles: ['editor'] });
  expect(calls('ListUsers')).toEqual([]);
});

test('changes the attributes that are given, by the user’s name in the pool', async () => {
  const accounts = await accountsOf();
  await accounts.change(ADA, { firstName: 'Ada', lastName: 'King', name: undefined });
  expect(calls('AdminUpdateUserAttributes')).toEqual([
    {
      UserPoolId: POOL,
      Username: 'ada',
      UserAttributes: [
        { Name: 'given_name', Value: 'Ada' },
        { Name: 'family_name', Value: 'King' },
      ],
    },
  ]);
});

test('deletes a user, and again without an error', async () => {
  const accounts = await accountsOf();
  await accounts.remove(ADA);
  expect(calls('AdminDeleteUser')).toEqual([{ UserPoolId: POOL, Username: 'ada' }]);
  await server?.close();
  const gone = await accountsOf({ AdminGetUser: { error: 'UserNotFoundException' } });
  await gone.remove(ADA);
  expect(calls('AdminDeleteUser')).toEqual([]);
  expect(await gone.change(ADA, { firstName: 'Ada' })).toBeUndefined();
});

test('a user who is deleted meanwhile is gone as well', async () => {
  const accounts = await accountsOf({ AdminDeleteUser: { error: 'UserNotFoundException' } });
  await accounts.remove(ADA);
});

test.each([
  ['InvalidParameterException', 'request-invalid'],
  ['TooManyRequestsException', 'provider-unreachable'],
  ['AccessDeniedException', 'provider-unreachable'],
])('%s is %s', async (error, code) => {
  const accounts = await accountsOf({ AdminUpdateUserAttributes: { error, message: 'Ada is not a name' } });
  const change = accounts.change(ADA, { firstName: 'Ada' });
  await expect(change).rejects.toMatchObject({ code, message: expect.not.stringContaining('Ada') });
});
