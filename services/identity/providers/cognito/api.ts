import type {
  AttributeType,
  CognitoIdentityProviderClient,
  GroupType,
} from '@aws-sdk/client-cognito-identity-provider';
import type { CognitoConfig } from '../../core/config.ts';
import { explain, explained, fromKnownStart, notTaken, orNothing } from './api-errors.ts';
import { isOnThisMachine, regionOf } from './pool.ts';

/** A user as Cognito's API tells it, whichever operation told it. */
export interface PoolUser {
  readonly username: string;
  /** `sub` is one of them. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly createdAt: Date | undefined;
  /** Whether they may sign in; undefined where the operation does not tell. */
  readonly enabled: boolean | undefined;
}

/** A user who was looked for. */
export interface FoundUser extends PoolUser {
  /** Whether the search told it, which may show what was a while ago ({@link SEARCH_LAG_MS}). */
  readonly mayLag: boolean;
}

export interface PoolGroup {
  readonly name: string;
  readonly createdAt: Date | undefined;
}

/**
 * What Latchkey does with a user pool, and all that deploy/cognito/service-policy.json allows it.
 * Every method throws LatchkeyError `provider-unreachable`.
 */
export interface CognitoApi {
  /**
   * @param wanted.userName as a trigger told it
   * @param wanted.exact whether the profile may have changed just now, so that the search, which lags
   * behind, must not be trusted
   * @returns undefined where the pool holds no such user
   */
  findUser(wanted: {
    readonly sub: string;
    readonly userName?: string | undefined;
    readonly exact: boolean;
  }): Promise<FoundUser | undefined>;
  /** @returns undefined where the user has been deleted meanwhile */
  groupsOf(user: PoolUser): Promise<PoolGroup[] | undefined>;
  /** @returns undefined where the pool holds no such group */
  findGroup(name: string): Promise<PoolGroup | undefined>;
  /** @throws LatchkeyError `request-invalid` too, for values that the pool does not take */
  updateUser(user: PoolUser, attributes: Readonly<Record<string, string>>): Promise<void>;
  deleteUser(user: PoolUser): Promise<void>;
  groups(signal?: AbortSignal): AsyncIterable<readonly PoolGroup[]>;
  usersIn(group: string, signal?: AbortSignal): AsyncIterable<readonly PoolUser[]>;
  /** About how many there are. */
  countUsers(signal?: AbortSignal): Promise<number>;
  /**
   * Page by page; `next` is where the page after it starts, undefined behind the last one.
   * @throws LatchkeyError `request-invalid` too, for a start that Cognito has forgotten
   */
  users(options: { start?: string | undefined; signal?: AbortSignal | undefined }): AsyncIterable<{
    readonly users: readonly PoolUser[];
    readonly next: string | undefined;
  }>;
}

/** Cognito's own limit for all lists of a pool. */
const PAGE = 60;
const CONNECT_MS = 2_000;
/** A webhook's sender is waiting, and comes again; a reconcile has time and nobody who repeats it. */
const PATIENCE = {
  webhook: { attempts: 3, answerMs: 2_000 },
  reconcile: { attempts: 12, answerMs: 15_000 },
} as const;
type Purpose = keyof typeof PATIENCE;

/** The SDK takes a while to load and only what reads from Cognito needs it. */
const loadSdk = () => import('@aws-sdk/client-cognito-identity-provider');

export function createCognitoApi({
  userPoolId: UserPoolId,
  endpoint,
}: Pick<CognitoConfig, 'userPoolId' | 'endpoint'>): CognitoApi {
  const clients: Partial<Record<Purpose, CognitoIdentityProviderClient>> = {};

  async function connect(purpose: Purpose) {
    const sdk = await loadSdk();
    const { attempts, answerMs } = PATIENCE[purpose];
    clients[purpose] ??= new sdk.CognitoIdentityProviderClient({
      region: regionOf(UserPoolId),
      ...(endpoint !== undefined && { endpoint }),
      // A stand-in on this machine must not make the SDK look for an account.
      ...(isOnThisMachine(endpoint) && { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }),
      // The adaptive mode slows down to what Cognito allows; both honour Retry-After.
      retryMode: purpose === 'reconcile' ? 'adaptive' : 'standard',
      maxAttempts: attempts,
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: answerMs,
        // Without it the SDK logs a warning, and goes on waiting.
        throwOnRequestTimeout: true,
      },
    });
    return { sdk, client: clients[purpose] };
  }

  async function getUser(Username: string): Promise<PoolUser | undefined> {
    const { sdk, client } = await connect('webhook');
    return orNothing('UserNotFoundException', async () => {
      const answer = await client.send(new sdk.AdminGetUserCommand({ UserPoolId, Username }));
      return poolUser({ ...answer, Attributes: answer.UserAttributes });
    });
  }

  async function findByName(name: string, sub: string): Promise<FoundUser | undefined> {
    const user = await getUser(name);
    return user?.attributes.sub === sub ? { ...user, mayLag: false } : undefined;
  }

  async function searchUser(sub: string): Promise<PoolUser | undefined> {
    const { sdk, client } = await connect('webhook');
    const command = new sdk.ListUsersCommand({ UserPoolId, Filter: `sub = "${sub}"`, Limit: 1 });
    const { Users = [] } = await client.send(command).catch(explain);
    return Users.map(poolUser).find((user) => user?.attributes.sub === sub);
  }

  return {
    async findUser({ sub, userName, exact }) {
      // AdminGetUser makes its user one more "monthly active user" on the bill, unless they sign in or
      // change anyway. The search does not, but may show what was a while ago.
      if (!exact) {
        const found = await searchUser(sub);
        if (found !== undefined) return { ...found, mayLag: true };
      }
      for (const name of new Set([userName ?? sub, sub])) {
        const user = await findByName(name, sub);
        if (user !== undefined) return user;
      }
      // Users of other identity providers go by their names alone.
      const name = (await searchUser(sub))?.username;
      return name === undefined || name === sub ? undefined : findByName(name, sub);
    },

    async groupsOf({ username: Username }) {
      const { sdk, client } = await connect('webhook');
      const pages = sdk.paginateAdminListGroupsForUser({ client, pageSize: PAGE }, { UserPoolId, Username });
      return orNothing('UserNotFoundException', async () => {
        const all: PoolGroup[] = [];
        for await (const { Groups = [] } of pages) all.push(...Groups.flatMap(poolGroup));
        return all;
      });
    },

    async findGroup(GroupName) {
      const { sdk, client } = await connect('webhook');
      return orNothing('ResourceNotFoundException', async () => {
        const { Group } = await client.send(new sdk.GetGroupCommand({ UserPoolId, GroupName }));
        return Group && poolGroup(Group)[0];
      });
    },

    async updateUser({ username: Username }, attributes) {
      const { sdk, client } = await connect('webhook');
      const UserAttributes = Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }));
      const command = new sdk.AdminUpdateUserAttributesCommand({ UserPoolId, Username, UserAttributes });
      await orNothing('UserNotFoundException', () => client.send(command).catch(notTaken));
    },

    async deleteUser({ username: Username }) {
      const { sdk, client } = await connect('webhook');
      const command = new sdk.AdminDeleteUserCommand({ UserPoolId, Username });
      await orNothing('UserNotFoundException', () => client.send(command));
    },

    async *groups(abortSignal) {
      const { sdk, client } = await connect('reconcile');
      const pages = sdk.paginateListGroups({ client, pageSize: PAGE }, { UserPoolId }, { abortSignal });
      for await (const { Groups = [] } of explained(pages)) yield Groups.flatMap(poolGroup);
    },

    async *usersIn(GroupName, abortSignal) {
      const { sdk, client } = await connect('reconcile');
      const input = { UserPoolId, GroupName };
      const pages = sdk.paginateListUsersInGroup({ client, pageSize: PAGE }, input, { abortSignal });
      for await (const { Users = [] } of explained(pages, 'ResourceNotFoundException')) {
        yield Users.flatMap((user) => poolUser(user) ?? []);
      }
    },

    async countUsers(abortSignal) {
      const { sdk, client } = await connect('reconcile');
      const command = new sdk.DescribeUserPoolCommand({ UserPoolId });
      const { UserPool } = await client.send(command, { ...(abortSignal && { abortSignal }) }).catch(explain);
      return UserPool?.EstimatedNumberOfUsers ?? 0;
    },

    async *users({ start, signal: abortSignal }) {
      const { sdk, client } = await connect('reconcile');
      const settings = { client, pageSize: PAGE, ...(start !== undefined && { startingToken: start }) };
      const pages = sdk.paginateListUsers(settings, { UserPoolId }, { abortSignal });
      const known = start === undefined ? pages : fromKnownStart(pages);
      for await (const { Users = [], PaginationToken } of explained(known)) {
        yield { users: Users.flatMap((user) => poolUser(user) ?? []), next: PaginationToken };
      }
    },
  };
}

function poolUser(user: {
  readonly Username?: string | undefined;
  readonly Attributes?: readonly AttributeType[] | undefined;
  readonly UserCreateDate?: Date | undefined;
  readonly Enabled?: boolean | undefined;
}): PoolUser | undefined {
  if (user.Username === undefined) return undefined;
  const attributes = (user.Attributes ?? []).flatMap(({ Name, Value }) =>
    Name === undefined || Value === undefined ? [] : [[Name, Value] as const],
  );
  return {
    username: user.Username,
    attributes: Object.fromEntries(attributes),
    createdAt: user.UserCreateDate,
    enabled: user.Enabled,
  };
}

function poolGroup({ GroupName, CreationDate }: GroupType): PoolGroup[] {
  return GroupName === undefined ? [] : [{ name: GroupName, createdAt: CreationDate }];
}
