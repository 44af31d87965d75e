import { apiCallHint, signInHint } from '@latchkey/cognito-triggers/hint';
import { fixture, POOL, SUB } from '@latchkey/tests/support/cognito';
import type { StoredState } from '#core/stored-state.ts';
import { cognitoDeliveries } from '#providers/cognito/deliveries.ts';
import { type Answer, type Call, type CONFIG, reachCognito } from './cognito.ts';

export const NOW = 1_767_300_000_000;

export const USER = { UserCreateDate: 1767225600.123, Enabled: true, UserStatus: 'CONFIRMED', Username: SUB };

export const ATTRIBUTES = [
  { Name: 'sub', Value: SUB },
  { Name: 'email', Value: 'ada@example.com' },
  { Name: 'email_verified', Value: 'true' },
];

/** A pool as it is now: the recorded user in the recorded group, less what is taken away. */
export function pool(
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
export const nothingStored: StoredState = {
  organizationsOf: async () => [],
  usersWithRole: async () => [],
  hasTenant: async () => false,
  ownerOf: async () => undefined,
};

export async function reader(
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

export const hintOf = (name: string) => {
  const event = fixture(name);
  const forwarded = 'detail' in event ? apiCallHint(event) : signInHint(event, 'r', new Date(NOW - 1_000));
  if (forwarded === undefined) throw new Error(`${name} is not forwarded`);
  return forwarded.hint;
};

export const ada = {
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

export const admins = {
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

export const adaInAdmins = {
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

/** Of a user whom the search told: whether they are disabled may be of a minute ago. */
export const searchedAda = { ...ada, disabledCheckedAt: NOW - 60_000 };
