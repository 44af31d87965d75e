import { randomUUID } from 'node:crypto';
import type { CasdoorGroup, CasdoorOrganization, CasdoorRole, CasdoorState, CasdoorUser } from './types.ts';

/** A call that Casdoor refuses; its records say so, and webhooks tell of it all the same. */
export class RefusedError extends Error {
  override name = 'RefusedError';
}

export type UserInput = Partial<Omit<CasdoorUser, 'owner' | 'name' | 'id'>>;
export type RoleInput = Partial<Omit<CasdoorRole, 'owner' | 'name'>>;

/**
 * What is in a local Casdoor. Users, groups and roles are named `<organization>/<name>`; every change
 * gives back what it left behind.
 */
export type LocalDirectory = {
  state(): CasdoorState;
  addOrganization(name: string, input?: Partial<CasdoorOrganization>): CasdoorOrganization;
  updateOrganization(name: string, input: Partial<CasdoorOrganization>): CasdoorOrganization;
  deleteOrganization(name: string): CasdoorOrganization;
  addUser(name: string, input?: UserInput): CasdoorUser;
  /** A new `name` within the organization renames the user. */
  updateUser(name: string, input: UserInput & { name?: string }): CasdoorUser;
  deleteUser(name: string): CasdoorUser;
  addGroup(name: string, displayName?: string): CasdoorGroup;
  deleteGroup(name: string): CasdoorGroup;
  addRole(name: string, input?: RoleInput): CasdoorRole;
  updateRole(name: string, input: RoleInput): CasdoorRole;
  deleteRole(name: string): CasdoorRole;
  findUser(nameOrIdOrEmail: string): CasdoorUser | undefined;
  /** The roles of a user: their own, those of their groups, and all that contain one of these. */
  rolesOf(user: CasdoorUser): CasdoorRole[];
};

/** @param now milliseconds since the epoch */
export function createDirectory(
  initial: CasdoorState | undefined,
  now: () => number = Date.now,
): LocalDirectory {
  const state = initial ?? { organizations: [], groups: [], roles: [], users: [] };
  const time = (): string => new Date(now()).toISOString();
  const isNamed = (name: string) => (one: { owner: string; name: string }) =>
    `${one.owner}/${one.name}` === name;

  function requireOne<T extends { owner: string; name: string }>(all: T[], name: string, what: string): T {
    const found = all.find(isNamed(name));
    if (found === undefined) throw new RefusedError(`The ${what}: ${name} doesn't exist`);
    return found;
  }

  function add<T extends { owner: string; name: string }>(all: T[], item: T, what: string): T {
    if (all.some(isNamed(`${item.owner}/${item.name}`))) {
      throw new RefusedError(`The ${what}: ${item.owner}/${item.name} already exists`);
    }
    if (item.owner !== 'admin') requireOne(state.organizations, `admin/${item.owner}`, 'organization');
    all.push(item);
    return structuredClone(item);
  }

  function change<T extends { owner: string; name: string }>(
    all: T[],
    name: string,
    input: Partial<T>,
    what: string,
  ): T {
    return structuredClone(Object.assign(requireOne(all, name, what), input));
  }

  function remove<T extends { owner: string; name: string }>(all: T[], name: string, what: string): T {
    const item = requireOne(all, name, what);
    all.splice(all.indexOf(item), 1);
    return item;
  }

  return {
    state: () => state,
    addOrganization: (name, input = {}) =>
      add(state.organizations, { ...blankOrganization(name, time()), ...input }, 'organization'),
    updateOrganization: (name, input) => change(state.organizations, `admin/${name}`, input, 'organization'),
    // Its users stay behind, as they do in Casdoor.
    deleteOrganization: (name) => remove(state.organizations, `admin/${name}`, 'organization'),
    addUser: (name, input = {}) =>
      add(state.users, { ...blankUser(...split(name), time()), ...input }, 'user'),
    updateUser: (name, input) => change(state.users, name, { ...input, updatedTime: time() }, 'user'),
    deleteUser(name) {
      const { owner } = requireOne(state.users, name, 'user');
      const isSoft = state.organizations.find(isNamed(`admin/${owner}`))?.enableSoftDeletion ?? false;
      if (!isSoft) return remove(state.users, name, 'user');
      return change(state.users, name, { isDeleted: true, deletedTime: time() }, 'user');
    },
    addGroup(name, displayName) {
      const [owner, own] = split(name);
      return add(
        state.groups,
        { ...blankGroup(owner, own, time()), displayName: displayName ?? own },
        'group',
      );
    },
    deleteGroup(name) {
      if (state.users.some(({ groups }) => groups.includes(name))) throw new RefusedError('group has users');
      return remove(state.groups, name, 'group');
    },
    addRole: (name, input = {}) =>
      add(state.roles, { ...blankRole(...split(name), time()), ...input }, 'role'),
    updateRole: (name, input) => change<CasdoorRole>(state.roles, name, input, 'role'),
    deleteRole: (name) => remove(state.roles, name, 'role'),
    findUser: (text) =>
      state.users.find((user) => isNamed(text)(user) || user.id === text || user.email === text),
    rolesOf(user) {
      const direct = state.roles.filter(
        ({ users, groups }) =>
          users.includes(`${user.owner}/${user.name}`) || groups.some((group) => user.groups.includes(group)),
      );
      const held = new Set(direct);
      for (const role of held) {
        for (const whole of state.roles) {
          if (whole.roles.includes(`${role.owner}/${role.name}`)) held.add(whole);
        }
      }
      return [...held];
    },
  };
}

function split(name: string): [owner: string, name: string] {
  const [owner = '', own = ''] = name.split('/', 2);
  if (owner === '' || own === '') throw new RefusedError(`${name} must be <organization>/<name>`);
  return [owner, own];
}

function blankOrganization(name: string, createdTime: string): CasdoorOrganization {
  return {
    owner: 'admin',
    name,
    createdTime,
    displayName: name,
    logo: '',
    passwordType: 'argon2id',
    masterPassword: '***',
    enableSoftDeletion: false,
    isProfilePublic: true,
  };
}

function blankGroup(owner: string, name: string, createdTime: string): CasdoorGroup {
  return {
    owner,
    name,
    createdTime,
    updatedTime: createdTime,
    displayName: name,
    manager: '',
    type: 'Virtual',
    parentId: owner,
    isTopGroup: true,
    isEnabled: true,
  };
}

function blankRole(owner: string, name: string, createdTime: string): CasdoorRole {
  return {
    owner,
    name,
    createdTime,
    displayName: name,
    description: '',
    users: [],
    groups: [],
    roles: [],
    domains: [],
    isEnabled: true,
  };
}

function blankUser(owner: string, name: string, createdTime: string): CasdoorUser {
  return {
    owner,
    name,
    createdTime,
    updatedTime: createdTime,
    deletedTime: '',
    id: randomUUID(),
    type: 'normal-user',
    password: '***',
    passwordSalt: 'the-salt-of-the-password',
    passwordType: 'argon2id',
    displayName: name,
    firstName: '',
    lastName: '',
    avatar: '',
    email: '',
    emailVerified: false,
    phone: '',
    countryCode: '',
    tag: '',
    isAdmin: false,
    isForbidden: false,
    isDeleted: false,
    signupApplication: '',
    lastSigninTime: '',
    totpSecret: '',
    properties: {},
    groups: [],
  };
}
