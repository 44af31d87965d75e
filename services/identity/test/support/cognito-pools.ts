import type { Answer, Call } from './cognito.ts';

export interface PoolMember {
  /** The user name; the sub if not given. */
  readonly name?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly groups?: readonly string[];
  readonly Enabled?: boolean;
  readonly UserStatus?: string;
}

/** What pools hold: their users by sub, and the groups in which somebody is. */
export type Pools = Readonly<Record<string, Readonly<Record<string, PoolMember>>>>;

/** Answers Cognito's API for several pools, with no more than one user on a page. */
export function answerFrom(pools: Pools): (call: Call) => Answer {
  return ({ operation, input }) => {
    const pool = String(input.UserPoolId);
    const users = Object.entries(pools[pool] ?? {});
    const name = String(input.Username);
    const found = users.find(([sub, member]) => name === sub || name === member.name);
    const groups = [...new Set(users.flatMap(([, member]) => member.groups ?? []))];
    const group = (GroupName: string) => ({ GroupName, UserPoolId: pool });
    if (pools[pool] === undefined) {
      return { error: 'ResourceNotFoundException', message: `User pool ${pool} does not exist.` };
    }
    if (input.Username !== undefined && found === undefined) return { error: 'UserNotFoundException' };
    switch (operation) {
      case 'ListUsers': {
        const wanted = /^sub = "(.*)"$/.exec(String(input.Filter ?? ''))?.[1];
        const all = users.filter(([sub]) => wanted === undefined || sub === wanted);
        const at = Number(input.PaginationToken ?? 0);
        return {
          Users: all.slice(at, at + 1).map(userOf),
          ...(at + 1 < all.length && { PaginationToken: String(at + 1) }),
        };
      }
      case 'AdminGetUser': {
        const { Attributes, ...user } = userOf(found ?? ['', {}]);
        return { ...user, UserAttributes: Attributes };
      }
      case 'AdminListGroupsForUser':
        return { Groups: (found?.[1].groups ?? []).map(group) };
      case 'ListGroups':
        return { Groups: groups.map(group) };
      case 'GetGroup':
        return groups.includes(String(input.GroupName))
          ? { Group: group(String(input.GroupName)) }
          : { error: 'ResourceNotFoundException', message: 'Group not found.' };
      case 'ListUsersInGroup':
        return {
          Users: users.filter(([, member]) => member.groups?.includes(String(input.GroupName))).map(userOf),
        };
      case 'DescribeUserPool':
        return { UserPool: { EstimatedNumberOfUsers: users.length } };
      case 'AdminDeleteUser':
      case 'AdminUpdateUserAttributes':
      case 'AdminUserGlobalSignOut':
        return {};
      default:
        return { error: 'AccessDeniedException', message: operation };
    }
  };
}

function userOf([sub, { name = sub, attributes = {}, Enabled = true, UserStatus = 'CONFIRMED' }]: readonly [
  string,
  PoolMember,
]) {
  return {
    Username: name,
    Enabled,
    UserStatus,
    UserCreateDate: 1767225600.123,
    Attributes: Object.entries({ sub, ...attributes }).map(([Name, Value]) => ({ Name, Value })),
  };
}
