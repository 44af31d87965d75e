import type {
  CognitoIdentityProviderClient,
  CognitoIdentityProviderClientConfig,
} from '@aws-sdk/client-cognito-identity-provider';
import { withRetry } from '#providers/with-retry.ts';
import {
  explain,
  forgotten,
  isForgottenStart,
  type NotThere,
  notTaken,
  passing,
  saysNotThere,
} from './api-errors.ts';
import { regionalAddress, regionOf } from './pool.ts';
import {
  isSub,
  isUnreadable,
  type PoolGroup,
  type PoolUser,
  type ReadItems,
  readGroup,
  readItems,
  readUser,
} from './read-answer.ts';
import type { CognitoConfig } from './settings.ts';

/** A user who was looked for. */
export interface FoundUser extends PoolUser {
  /** Whether the search told it, which may show what was a while ago ({@link SEARCH_LAG_MS}). */
  readonly mayLag: boolean;
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
   * @returns undefined where the pool holds no such user; never somebody else
   */
  findUser(wanted: {
    readonly sub: string;
    readonly userName?: string | undefined;
    readonly exact: boolean;
  }): Promise<FoundUser | undefined>;
  /** @returns undefined where the user has been deleted meanwhile */
  groupsOf(user: PoolUser): Promise<readonly PoolGroup[] | undefined>;
  /** @returns undefined where the pool holds no such group */
  findGroup(name: string): Promise<PoolGroup | undefined>;
  /** @throws LatchkeyError `request-invalid` too, for values that the pool does not take */
  updateUser(user: PoolUser, attributes: Readonly<Record<string, string>>): Promise<void>;
  deleteUser(user: PoolUser): Promise<void>;
  /** Takes back the refresh tokens of a user; tokens that they have stay good until they expire. */
  signOutUser(user: PoolUser): Promise<void>;
  groups(signal?: AbortSignal): AsyncIterable<ReadItems<PoolGroup>>;
  usersIn(group: string, signal?: AbortSignal): AsyncIterable<ReadItems<PoolUser>>;
  /** About how many there are. */
  countUsers(signal?: AbortSignal): Promise<number>;
  /**
   * Page by page; `next` is where the page after it starts, undefined behind the last one.
   * @throws LatchkeyError `request-invalid` too, for a start that Cognito has forgotten
   */
  users(options: {
    start?: string | undefined;
    signal?: AbortSignal | undefined;
  }): AsyncIterable<ReadItems<PoolUser> & { readonly next: string | undefined }>;
}

/** Cognito's own limit for all lists of a pool. */
const PAGE = 60;
const CONNECT_MS = 2_000;
/**
 * How long a call is tried
 * - `prompt`: somebody is waiting: a webhook's sender, who comes again, or a person
 * - `patient`: a reconcile has time and nobody who repeats it; each wait is told to whoever watches
 */
export type Patience = 'prompt' | 'patient';
const PATIENCE = {
  prompt: { maxAttempts: 3, answerMs: 2_000 },
  patient: { maxAttempts: 1, answerMs: 15_000 },
} as const;

export type PoolAccess = { readonly userPoolId: string } & Pick<CognitoConfig, 'apiEndpoint' | 'credentials'>;

/** The SDK takes a while to load and only what reads from Cognito needs it. */
const loadSdk = () => import('@aws-sdk/client-cognito-identity-provider');

export function createCognitoApi(
  { userPoolId: UserPoolId, apiEndpoint, credentials }: PoolAccess,
  patience: Patience = 'prompt',
): CognitoApi {
  const address = apiEndpoint ?? regionalAddress(UserPoolId);
  let connected: CognitoIdentityProviderClient | undefined;

  async function connect() {
    const sdk = await loadSdk();
    const { maxAttempts, answerMs } = PATIENCE[patience];
    const config: CognitoIdentityProviderClientConfig = {
      region: regionOf(UserPoolId),
      ...(apiEndpoint !== undefined && { endpoint: apiEndpoint }),
      ...(credentials !== undefined && { credentials }),
      maxAttempts,
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: answerMs,
        // Without it the SDK logs a warning, and goes on waiting.
        throwOnRequestTimeout: true,
      },
    };
    connected ??= new sdk.CognitoIdentityProviderClient(config);
    return { sdk, client: connected };
  }

  /** Asks once more, later, what fails for a while only, if there is time for it. */
  const ask = <T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> =>
    patience === 'patient' ? withRetry(call, passing, signal) : call();
  const explained = (error: unknown, signal?: AbortSignal): never => {
    // The SDK's own error does not say why it was called off.
    signal?.throwIfAborted();
    return explain(error, address);
  };

  /** @returns undefined where Cognito says that there is no such thing */
  async function askFor<T>(
    notThere: NotThere,
    call: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    try {
      return await ask(call, signal);
    } catch (error) {
      return saysNotThere(error, notThere) ? undefined : explained(error, signal);
    }
  }

  async function findByName(Username: string, sub: string): Promise<FoundUser | undefined> {
    const { sdk, client } = await connect();
    const answer = await askFor('UserNotFoundException', () =>
      client.send(new sdk.AdminGetUserCommand({ UserPoolId, Username })),
    );
    const user = answer && readUser({ ...answer, Attributes: answer.UserAttributes });
    if (user === undefined || isUnreadable(user)) return undefined;
    return user.sub === sub ? { ...user, mayLag: false } : undefined;
  }

  async function searchUser(sub: string): Promise<PoolUser | undefined> {
    const { sdk, client } = await connect();
    const command = new sdk.ListUsersCommand({ UserPoolId, Filter: `sub = "${sub}"`, Limit: 1 });
    const { Users } = await ask(() => client.send(command)).catch((error: unknown) => explained(error));
    return readItems(Users, readUser).items.find((user) => user.sub === sub);
  }

  return {
    async findUser({ sub, userName, exact }) {
      // Nobody has another one, and it becomes part of a filter.
      if (!isSub(sub)) return undefined;
      // AdminGetUser makes its user one more "monthly active user" on the bill, unless they sign in or
      // change anyway. The search does not, but may show what was a while ago.
      let searched: PoolUser | undefined;
      if (!exact) {
        searched = await searchUser(sub);
        // Any other name may be somebody else's by now, and what is asked by it theirs.
        if (searched?.username === sub) return { ...searched, mayLag: true };
      }
      for (const name of new Set([userName ?? searched?.username ?? sub, sub])) {
        const user = await findByName(name, sub);
        if (user !== undefined) return user;
      }
      if (!exact) return undefined;
      // Users of other identity providers go by their names alone.
      const name = (await searchUser(sub))?.username;
      return name === undefined || name === sub ? undefined : findByName(name, sub);
    },

    async groupsOf({ username: Username }) {
      const { sdk, client } = await connect();
      return askFor('UserNotFoundException', async () => {
        const all: PoolGroup[] = [];
        let NextToken: string | undefined;
        do {
          const input = { UserPoolId, Username, Limit: PAGE, NextToken };
          const answer = await client.send(new sdk.AdminListGroupsForUserCommand(input));
          all.push(...readItems(answer.Groups, (group) => readGroup(group, UserPoolId)).items);
          NextToken = answer.NextToken;
        } while (NextToken !== undefined);
        return all;
      });
    },

    async findGroup(GroupName) {
      const { sdk, client } = await connect();
      const answer = await askFor('ResourceNotFoundException', () =>
        client.send(new sdk.GetGroupCommand({ UserPoolId, GroupName })),
      );
      const group = answer && readGroup(answer.Group, UserPoolId);
      return group === undefined || isUnreadable(group) || group.name !== GroupName ? undefined : group;
    },

    async updateUser({ username: Username }, attributes) {
      const { sdk, client } = await connect();
      const UserAttributes = Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }));
      const command = new sdk.AdminUpdateUserAttributesCommand({ UserPoolId, Username, UserAttributes });
      await askFor('UserNotFoundException', () => client.send(command).catch(notTaken));
    },

    async deleteUser({ username: Username }) {
      const { sdk, client } = await connect();
      const command = new sdk.AdminDeleteUserCommand({ UserPoolId, Username });
      await askFor('UserNotFoundException', () => client.send(command));
    },

    async signOutUser({ username: Username }) {
      const { sdk, client } = await connect();
      const command = new sdk.AdminUserGlobalSignOutCommand({ UserPoolId, Username });
      await askFor('UserNotFoundException', () => client.send(command));
    },

    async *groups(signal) {
      const { sdk, client } = await connect();
      let NextToken: string | undefined;
      do {
        const command = new sdk.ListGroupsCommand({ UserPoolId, Limit: PAGE, NextToken });
        const send = () => client.send(command, aborted(signal));
        const answer = await ask(send, signal).catch((error: unknown) => explained(error, signal));
        yield readItems(answer.Groups, (group) => readGroup(group, UserPoolId));
        NextToken = answer.NextToken;
      } while (NextToken !== undefined);
    },

    async *usersIn(GroupName, signal) {
      const { sdk, client } = await connect();
      let NextToken: string | undefined;
      do {
        const command = new sdk.ListUsersInGroupCommand({ UserPoolId, GroupName, Limit: PAGE, NextToken });
        const send = () => client.send(command, aborted(signal));
        const answer = await askFor('ResourceNotFoundException', send, signal);
        if (answer === undefined) return;
        yield readItems(answer.Users, readUser);
        NextToken = answer.NextToken;
      } while (NextToken !== undefined);
    },

    async countUsers(signal) {
      const { sdk, client } = await connect();
      const command = new sdk.DescribeUserPoolCommand({ UserPoolId });
      const send = () => client.send(command, aborted(signal));
      const { UserPool } = await ask(send, signal).catch((error: unknown) => explained(error, signal));
      return UserPool?.EstimatedNumberOfUsers ?? 0;
    },

    async *users({ start, signal }) {
      const { sdk, client } = await connect();
      let PaginationToken = start;
      do {
        const isKnown = start === undefined || PaginationToken !== start;
        const command = new sdk.ListUsersCommand({ UserPoolId, Limit: PAGE, PaginationToken });
        const send = () => client.send(command, aborted(signal));
        const answer = await ask(send, signal).catch((error: unknown) =>
          !isKnown && isForgottenStart(error) ? forgotten(error) : explained(error, signal),
        );
        PaginationToken = answer.PaginationToken;
        yield { ...readItems(answer.Users, readUser), next: PaginationToken };
      } while (PaginationToken !== undefined);
    },
  };
}

function aborted(signal: AbortSignal | undefined) {
  return signal === undefined ? {} : { abortSignal: signal };
}
