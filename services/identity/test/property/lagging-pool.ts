import type { Answer, Call } from '../support/cognito.ts';

export interface PoolMember {
  name: string;
  groups: Set<string>;
  enabled: boolean;
  isConfirmed: boolean;
}
export interface PoolState {
  users: Map<string, PoolMember>;
  groups: Set<string>;
}

/** A user pool whose lists of users show what was a while ago, with a clock that tests set. */
export interface LaggingPool {
  /** Answers Cognito's API. */
  answer(call: Call): Answer;
  change(body: (state: PoolState) => unknown): void;
  current(): PoolState;
  /** In milliseconds. */
  now(): number;
  pass(seconds: number): void;
  /** How far the lists are behind from now on. */
  lag(seconds: number): void;
  /** Empties it. */
  reset(now: number): void;
}

const NO_USER = { error: 'UserNotFoundException' };

export function createLaggingPool(): LaggingPool {
  let now = 0;
  let lagMs = 0;
  let states: { since: number; state: PoolState }[] = [];
  const reset = (at: number): void => {
    now = at;
    lagMs = 0;
    states = [{ since: Number.NEGATIVE_INFINITY, state: { users: new Map(), groups: new Set() } }];
  };
  reset(0);
  const asOf = (instant: number): PoolState =>
    states.findLast(({ since }) => since <= instant)?.state ?? { users: new Map(), groups: new Set() };

  return {
    answer({ operation, input }) {
      const { users, groups } = asOf(now);
      const seen = asOf(now - lagMs).users;
      const name = String(input.Username ?? input.GroupName);
      switch (operation) {
        case 'ListUsers': {
          const wanted = /^sub = "(.*)"$/.exec(String(input.Filter ?? ''))?.[1];
          const found = [...seen].filter(([sub]) => wanted === undefined || sub === wanted);
          return {
            Users: found.map(([sub, user]) => ({ ...account(sub, user), Attributes: attributes(sub, user) })),
          };
        }
        case 'AdminGetUser': {
          const user = users.get(name);
          return user === undefined
            ? NO_USER
            : { ...account(name, user), UserAttributes: attributes(name, user) };
        }
        case 'AdminListGroupsForUser': {
          const user = users.get(name);
          return user === undefined ? NO_USER : { Groups: [...user.groups].map(group) };
        }
        case 'ListGroups':
          return { Groups: [...groups].map(group) };
        case 'GetGroup':
          return groups.has(name)
            ? { Group: group(name) }
            : { error: 'ResourceNotFoundException', message: 'Group not found.' };
        case 'ListUsersInGroup': {
          const members = [...seen].filter(([, user]) => user.groups.has(name));
          return {
            Users: members.map(([sub, user]) => ({
              ...account(sub, user),
              Attributes: attributes(sub, user),
            })),
          };
        }
        default:
          return { error: 'AccessDeniedException', message: operation };
      }
    },
    change(body) {
      const state = structuredClone(asOf(now));
      body(state);
      states.push({ since: now, state });
    },
    current: () => asOf(now),
    now: () => now,
    pass(seconds) {
      now += seconds * 1000;
    },
    lag(seconds) {
      lagMs = seconds * 1000;
    },
    reset,
  };
}

function account(sub: string, { enabled, isConfirmed }: PoolMember) {
  return { Username: sub, Enabled: enabled, UserStatus: isConfirmed ? 'CONFIRMED' : 'UNCONFIRMED' };
}

function attributes(sub: string, { name }: { name: string }): object[] {
  return [
    { Name: 'sub', Value: sub },
    { Name: 'name', Value: name },
  ];
}

function group(name: string): object {
  return { GroupName: name };
}
