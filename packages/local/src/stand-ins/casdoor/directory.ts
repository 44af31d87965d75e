import { blankGroup, blankOrganization, blankRole, blankUser, defaultAccountItems } from './blanks.ts';
import { type Owned, rolesAtCasdoor } from './roles.ts';
import type { CasdoorGroup, CasdoorOrganization, CasdoorRole, CasdoorState, CasdoorUser } from './types.ts';

/** A call that Casdoor refuses; its records say so, and webhooks tell of it all the same. */
export class RefusedError extends Error {
  override name = 'RefusedError';
}

/** An `id` is whatever an administrator chooses: nothing keeps two users from having the same one. */
export type UserInput = Partial<Omit<CasdoorUser, 'owner' | 'name'>>;
export type RoleInput = Partial<Omit<CasdoorRole, 'owner' | 'name'>>;

/**
 * What is in a local Casdoor. Users, groups and roles are named `<organization>/<name>`; every change
 * gives back what it left behind.
 */
export type LocalDirectory = {
  state(): CasdoorState;
  addOrganization(name: string, input?: Partial<CasdoorOrganization>): CasdoorOrganization;
  /** A new `name` renames it, and takes its users, groups and roles along. */
  updateOrganization(name: string, input: Partial<CasdoorOrganization>): CasdoorOrganization;
  deleteOrganization(name: string): CasdoorOrganization;
  addUser(name: string, input?: UserInput): CasdoorUser;
  /** A new `name` renames the user; a new `owner` moves them to another organization. */
  updateUser(name: string, input: UserInput & { name?: string; owner?: string }): CasdoorUser;
  deleteUser(name: string): CasdoorUser;
  addGroup(name: string, displayName?: string): CasdoorGroup;
  /** A new `name` renames it; its members keep the old one, and so are in no group any more. */
  updateGroup(name: string, input: Partial<CasdoorGroup>): CasdoorGroup;
  deleteGroup(name: string): CasdoorGroup;
  addRole(name: string, input?: RoleInput): CasdoorRole;
  updateRole(name: string, input: RoleInput): CasdoorRole;
  deleteRole(name: string): CasdoorRole;
  /** The first who is so named, of whatever organization. */
  findUser(nameOrIdOrEmail: string): CasdoorUser | undefined;
  /** What get-user and the tokens tell; see {@link rolesAtCasdoor}. */
  rolesOf(user: CasdoorUser): CasdoorRole[];
  /** How often all tokens and sessions of a user were ended, by forbidding or deleting them. */
  accessEnded(name: string): number;
};

/** @param now milliseconds since the epoch */
export function createDirectory(
  initial: CasdoorState | undefined,
  now: () => number = Date.now,
): LocalDirectory {
  const state = initial ?? { organizations: [], groups: [], roles: [], users: [] };
  // A state that an earlier version has kept.
  for (const organization of state.organizations) organization.accountItems ??= defaultAccountItems();
  const ended = new Map<string, number>();
  const time = (): string => new Date(now()).toISOString();
  const isNamed = (name: string) => (one: Owned) => `${one.owner}/${one.name}` === name;

  function requireOne<T extends Owned>(all: T[], name: string, what: string): T {
    const found = all.find(isNamed(name));
    if (found === undefined) throw new RefusedError(`The ${what}: ${name} doesn't exist`);
    return found;
  }

  function requireFree(all: Owned[], name: string, what: string): void {
    if (all.some(isNamed(name))) throw new RefusedError(`The ${what}: ${name} already exists`);
  }

  function requireOrganization(name: string): void {
    requireOne(state.organizations, `admin/${name}`, 'organization');
  }

  function add<T extends Owned>(all: T[], item: T, what: string): T {
    requireFree(all, `${item.owner}/${item.name}`, what);
    if (item.owner !== 'admin') requireOrganization(item.owner);
    all.push(item);
    return structuredClone(item);
  }

  function change<T extends Owned>(all: T[], name: string, input: Partial<T>, what: string): T {
    const item = requireOne(all, name, what);
    const newName = `${input.owner ?? item.owner}/${input.name ?? item.name}`;
    if (newName !== name) requireFree(all, newName, what);
    return structuredClone(Object.assign(item, input));
  }

  function remove<T extends Owned>(all: T[], name: string, what: string): T {
    const item = requireOne(all, name, what);
    all.splice(all.indexOf(item), 1);
    return item;
  }

  /** Casdoor looks for the name alone: users of that name in other organizations lose their roles by it. */
  function renameInRoles(name: string, newName: string): void {
    for (const role of state.roles) {
      role.users = role.users.map((user) => {
        const [owner = '', own = ''] = user.split('/');
        return own === name ? `${owner}/${newName}` : user;
      });
    }
  }

  function changeUser(name: string, input: UserInput & { name?: string; owner?: string }): CasdoorUser {
    const { isForbidden, isDeleted, ...before } = requireOne(state.users, name, 'user');
    if (input.owner !== undefined) requireOrganization(input.owner);
    const user = change(state.users, name, { ...input, updatedTime: time() }, 'user');
    if (user.name !== before.name) renameInRoles(before.name, user.name);
    const isKeptOut = user.isForbidden || user.isDeleted;
    if (isKeptOut && !(isForbidden || isDeleted)) ended.set(name, (ended.get(name) ?? 0) + 1);
    return user;
  }

  return {
    state: () => state,
    addOrganization: (name, input = {}) =>
      add(state.organizations, { ...blankOrganization(name, time()), ...input }, 'organization'),
    updateOrganization(name, input) {
      const organization = change(state.organizations, `admin/${name}`, input, 'organization');
      // What names the old one stays as it is: users' groups, and the users and groups of roles.
      for (const one of [...state.users, ...state.groups, ...state.roles]) {
        if (one.owner === name) one.owner = organization.name;
      }
      return organization;
    },
    // Its users stay behind, as they do in Casdoor.
    deleteOrganization: (name) => remove(state.organizations, `admin/${name}`, 'organization'),
    addUser(name, { id = '', ...input } = {}) {
      const user = { ...blankUser(...split(name), time()), ...input };
      return add(state.users, id === '' ? user : { ...user, id }, 'user');
    },
    updateUser: changeUser,
    deleteUser(name) {
      const { owner } = requireOne(state.users, name, 'user');
      const isSoft = state.organizations.find(isNamed(`admin/${owner}`))?.enableSoftDeletion ?? false;
      if (!isSoft) return remove(state.users, name, 'user');
      return changeUser(name, { isDeleted: true, deletedTime: time() });
    },
    addGroup(name, displayName) {
      const [owner, own] = split(name);
      const group = { ...blankGroup(owner, own, time()), displayName: displayName ?? own };
      return add(state.groups, group, 'group');
    },
    updateGroup: (name, input) => change(state.groups, name, input, 'group'),
    deleteGroup(name) {
      if (state.users.some(({ groups }) => groups.includes(name))) throw new RefusedError('group has users');
      return remove(state.groups, name, 'group');
    },
    addRole: (name, input = {}) =>
      add(state.roles, { ...blankRole(...split(name), time()), ...input }, 'role'),
    updateRole(name, input) {
      const role = change<CasdoorRole>(state.roles, name, input, 'role');
      // The database gives those first that were written longest ago.
      state.roles.push(remove(state.roles, name, 'role'));
      return role;
    },
    deleteRole: (name) => remove(state.roles, name, 'role'),
    findUser: (text) =>
      state.users.find((user) => isNamed(text)(user) || user.id === text || user.email === text),
    rolesOf: (user) => rolesAtCasdoor(state.roles, user),
    accessEnded: (name) => ended.get(name) ?? 0,
  };
}

function split(name: string): [owner: string, name: string] {
  const [owner = '', own = ''] = name.split('/', 2);
  if (owner === '' || own === '') throw new RefusedError(`${name} must be <organization>/<name>`);
  return [owner, own];
}
