import { POOL } from '@latchkey/tests/support/cognito';
import { describe, expect, test } from 'vitest';
import type { StoredState } from '#core/stored-state.ts';
import { cognitoAccounts } from '#providers/cognito/accounts.ts';
import { cognitoDeliveries } from '#providers/cognito/deliveries.ts';
import { cognitoListing } from '#providers/cognito/directory.ts';
import { cognitoLookup } from '#providers/cognito/lookup.ts';
import type { CognitoConfig } from '#providers/cognito/settings.ts';
import { type Answer, type Call, reachCognito } from '../../support/cognito.ts';
import { answerFrom, type PoolMember } from '../../support/cognito-pools.ts';

const NOW = 1_767_300_000_000;
const AUTOMATIC = `${POOL}_Google`;

/** Everything that reads a pool of these users. */
async function readers(
  members: Record<string, PoolMember>,
  settings: Partial<CognitoConfig> = {},
  organizations: readonly string[] = [],
  answer: (call: Call) => Answer = answerFrom({ [POOL]: members }),
) {
  const { pools, calls } = await reachCognito(answer, settings);
  const stored: StoredState = {
    organizationsOf: async () => organizations.map((name) => ({ id: `${POOL}/${name}`, tenant: POOL })),
    usersWithRole: async () => [],
    hasTenant: async () => false,
    ownerOf: async () => undefined,
  };
  const read = cognitoDeliveries(pools, stored, () => NOW);
  return {
    calls,
    accounts: cognitoAccounts(pools, () => NOW),
    lookup: cognitoLookup(pools, () => NOW),
    async listed() {
      const records = [];
      for await (const page of cognitoListing(pools, () => NOW).pages()) records.push(...page.records);
      return records;
    },
    async told(type: string, data: object) {
      const body = JSON.stringify({
        type,
        timestamp: new Date(NOW).toISOString(),
        data: { userPoolId: POOL, ...data },
      });
      const reading = await read({ id: 'evt_1', provider: 'cognito', receivedAt: NOW, body });
      return reading.kind === 'records' ? reading.records : reading.kind;
    },
  };
}

const named = (id: string) => ({ provider: 'cognito', tenant: POOL, id }) as const;

describe('the automatic groups of federated users', () => {
  const MEMBERS = {
    ada: { name: 'Google_1', UserStatus: 'EXTERNAL_PROVIDER', groups: [AUTOMATIC, 'editors'] },
  };

  test('are left out of organizations, memberships and roles, everywhere', async () => {
    const { listed, told, lookup, accounts } = await readers(MEMBERS);
    const event = await told('AdminAddUserToGroup', { sub: 'ada', groupName: AUTOMATIC });
    for (const records of [await listed(), event]) {
      expect(JSON.stringify(records)).not.toContain(AUTOMATIC);
      expect(records).toHaveLength(3);
    }
    expect(await lookup({ kind: 'user', tenant: POOL, id: 'ada' })).toMatchObject({ roles: ['editors'] });
    expect(await accounts.read(named('ada'))).toMatchObject({ roles: ['editors'] });
  });

  test('whatever there is of them in the tables is taken for gone', async () => {
    const { told, lookup } = await readers(MEMBERS, {}, [AUTOMATIC]);
    const organizationId = `${POOL}/${AUTOMATIC}`;
    expect(await told('AdminUpdateUserAttributes', { sub: 'ada' })).toContainEqual(
      expect.objectContaining({ kind: 'membership', organizationId, deleted: true }),
    );
    expect(await lookup({ kind: 'organization', tenant: POOL, id: organizationId })).toBeUndefined();
    expect(await lookup({ kind: 'membership', tenant: POOL, organizationId, userId: 'ada' })).toBeUndefined();
    expect(await told('UpdateGroup', { groupName: AUTOMATIC })).toMatchObject([
      { kind: 'organization', deleted: true, onlyIfStored: true },
    ]);
  });

  test('are there if they are asked for', async () => {
    const { listed, told } = await readers(MEMBERS, { keepsFederatedGroups: true });
    for (const records of [await listed(), await told('AdminAddUserToGroup', { sub: 'ada' })]) {
      expect(records).toContainEqual(expect.objectContaining({ id: `${POOL}/${AUTOMATIC}` }));
      expect(records).toContainEqual(expect.objectContaining({ roles: ['editors', AUTOMATIC].toSorted() }));
    }
  });

  test('a group that only looks like one of another pool is a group', async () => {
    const { listed } = await readers({ ada: { groups: ['us-east-1_Other9_Google', 'eu-west'] } });
    expect(await listed()).toHaveLength(5);
  });
});

describe('who has not confirmed their sign-up', () => {
  const MEMBERS = {
    mallory: { UserStatus: 'UNCONFIRMED', groups: ['editors'], attributes: { email: 'ada@example.com' } },
    ada: { UserStatus: 'FORCE_CHANGE_PASSWORD' },
  };

  test('is left out of the listing, with their memberships', async () => {
    const { listed } = await readers(MEMBERS);
    expect(await listed()).toMatchObject([
      { kind: 'organization', id: `${POOL}/editors` },
      { kind: 'user', id: 'ada' },
    ]);
  });

  test.each(['AdminUpdateUserAttributes', 'AdminAddUserToGroup'])('is not written by %s', async (type) => {
    const { told } = await readers(MEMBERS);
    expect(await told(type, { sub: 'mallory', groupName: 'editors' })).toMatchObject([
      { kind: 'user', id: 'mallory', deleted: true, onlyIfStored: true, email: null },
    ]);
  });

  test('is not found by look-up, nor by syncMe; their account can be deleted', async () => {
    const { lookup, accounts, calls } = await readers(MEMBERS);
    expect(await lookup({ kind: 'user', tenant: POOL, id: 'mallory' })).toBeUndefined();
    expect(
      await lookup({
        kind: 'membership',
        tenant: POOL,
        organizationId: `${POOL}/editors`,
        userId: 'mallory',
      }),
    ).toBeUndefined();
    expect(await accounts.read(named('mallory'))).toBeUndefined();
    await accounts.remove(named('mallory'));
    expect(calls.at(-1)).toMatchObject({ operation: 'AdminDeleteUser', input: { Username: 'mallory' } });
  });

  test('is there if they are asked for', async () => {
    const { listed, told } = await readers(MEMBERS, { keepsUnconfirmedUsers: true });
    const mallory = expect.objectContaining({ kind: 'user', id: 'mallory', emailVerified: false });
    expect(await listed()).toContainEqual(mallory);
    expect(await told('AdminAddUserToGroup', { sub: 'mallory' })).toContainEqual(mallory);
  });

  test.each(['PostConfirmation_ConfirmSignUp', 'PostAuthentication_Authentication'])(
    '%s shows that they have, whatever a reading that lags behind says',
    async (type) => {
      const { told } = await readers(MEMBERS);
      expect(await told(type, { sub: 'mallory' })).toContainEqual(
        expect.objectContaining({ kind: 'user', id: 'mallory', deleted: false, email: 'ada@example.com' }),
      );
    },
  );

  test('is read by name where the search still calls them so', async () => {
    const before = answerFrom({ [POOL]: MEMBERS });
    const now = answerFrom({ [POOL]: { mallory: { groups: ['editors'] } } });
    const { told, lookup } = await readers({}, {}, [], (call) =>
      call.operation === 'ListUsers' ? before(call) : now(call),
    );
    expect(await told('AdminAddUserToGroup', { sub: 'mallory' })).toContainEqual(
      expect.objectContaining({ kind: 'user', id: 'mallory', deleted: false }),
    );
    expect(await lookup({ kind: 'user', tenant: POOL, id: 'mallory' })).toMatchObject({ clock: NOW });
  });
});

describe('whom Cognito keeps out', () => {
  test.each([
    ['AdminDisableUser', false, NOW],
    ['AdminEnableUser', true, null],
  ])('%s: what holds is read by name, as of now', async (type, Enabled, disabledAt) => {
    const { told, calls } = await readers({ ada: { Enabled } });
    expect(await told(type, { sub: 'ada' })).toMatchObject([
      { id: 'ada', disabledAt, disabledCheckedAt: NOW },
    ]);
    expect(calls.map(({ operation }) => operation)).not.toContain('ListUsers');
  });

  test('an event that comes late, or twice, says what holds now', async () => {
    const { told } = await readers({ ada: { Enabled: true } });
    for (const type of ['AdminDisableUser', 'AdminEnableUser', 'AdminDisableUser']) {
      expect(await told(type, { sub: 'ada' })).toMatchObject([{ disabledAt: null, disabledCheckedAt: NOW }]);
    }
  });

  test('is listed and looked up so, as of a minute ago where a list tells it', async () => {
    const { listed, lookup, accounts } = await readers({ ada: { Enabled: false } });
    const before = NOW - 60_000;
    const disabled = { disabledAt: before, disabledCheckedAt: before };
    expect(await listed()).toMatchObject([disabled]);
    expect(await lookup({ kind: 'user', tenant: POOL, id: 'ada' })).toMatchObject(disabled);
    expect(await accounts.read(named('ada'))).toMatchObject({ disabledAt: NOW, disabledCheckedAt: NOW });
  });

  test('what a search says while a group changes does not undo what an event has told', async () => {
    const { told } = await readers({ ada: { groups: ['editors'] } });
    expect(await told('AdminAddUserToGroup', { sub: 'ada' })).toContainEqual(
      expect.objectContaining({ id: 'ada', clock: NOW, disabledCheckedAt: NOW - 60_000 }),
    );
  });
});
