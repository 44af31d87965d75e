import { type LocalDirectory, RefusedError, type RoleInput, type UserInput } from './directory.ts';
import type { CasdoorGroup, CasdoorOrganization, CasdoorRecord, CasdoorRole, CasdoorUser } from './types.ts';
import { newRecord } from './webhooks.ts';

/**
 * What people do on Casdoor's pages, each with the records it leaves. Changes by the API, LDAP or SCIM
 * leave none: make those on the directory itself.
 */
export type Actions = {
  /** The form in which people join by themselves. */
  signUp(name: string, input?: UserInput): CasdoorUser;
  /** @returns undefined where it fails, which leaves a record too */
  signIn(name: string): CasdoorUser | undefined;
  addUser(name: string, input?: UserInput): CasdoorUser;
  updateUser(name: string, input: UserInput & { name?: string; owner?: string }): CasdoorUser;
  deleteUser(name: string): CasdoorUser;
  /** A picture on the account page; nothing else tells of it. */
  uploadAvatar(name: string, avatar: string): CasdoorUser;
  /** A table of users, all at once. */
  uploadUsers(names: string[]): void;
  /** Users that the organization's LDAP server has and Casdoor does not. */
  syncLdapUsers(organization: string, names: string[]): void;
  /** Users of another database, each told by itself; one whose table has no ids has an empty one. */
  runSyncer(name: string, input?: UserInput): CasdoorUser;
  removeUserFromGroup(name: string, group: string): CasdoorUser;
  addOrganization(name: string, input?: Partial<CasdoorOrganization>): CasdoorOrganization;
  updateOrganization(name: string, input: Partial<CasdoorOrganization>): CasdoorOrganization;
  deleteOrganization(name: string): CasdoorOrganization;
  addGroup(name: string, displayName?: string): CasdoorGroup;
  updateGroup(name: string, input: Partial<CasdoorGroup>): CasdoorGroup;
  deleteGroup(name: string): CasdoorGroup;
  addRole(name: string, input?: RoleInput): CasdoorRole;
  updateRole(name: string, input: RoleInput): CasdoorRole;
  deleteRole(name: string): CasdoorRole;
};

/** @param announce called with each record, in the order in which Casdoor writes them */
export function createActions(directory: LocalDirectory, announce: (record: CasdoorRecord) => void): Actions {
  /** An administrator's call: who acts says nothing of whom it is about. */
  function recorded<T>(
    action: string,
    call: () => T,
    fields: (done: T | undefined) => Partial<CasdoorRecord>,
  ): T {
    try {
      const done = call();
      announce(newRecord({ action, ...fields(done) }));
      return done;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      // The status stays 200: only this text tells.
      const response = `{status:"error", msg:"${error.message}"}`;
      announce(newRecord({ action, response, ...fields(undefined) }));
      throw error;
    }
  }
  const object = (value: unknown) => ({ object: JSON.stringify(value) });
  const self = (user: CasdoorUser) => ({ organization: user.owner, user: user.name });
  const update = (action: string, name: string) => ({ requestUri: `/api/${action}?id=${name}` });

  return {
    signUp(name, input) {
      const user = directory.addUser(name, input);
      const form = { organization: user.owner, username: user.name, password: '***', email: user.email };
      const record = newRecord({
        action: 'signup',
        ...self(user),
        // Only the key `password` is masked.
        ...object({ ...form, confirm: 'in-plain-text' }),
      });
      announce(record);
      announce({ ...record, action: 'new-user', statusCode: 0, ...object(user) });
      return user;
    },
    signIn(name) {
      const user = directory.findUser(name);
      const request = { action: 'login', ...object({ username: name, password: '***', type: 'login' }) };
      if (user === undefined) {
        const response = `{status:"error", msg:"The user: ${name} doesn't exist"}`;
        announce(newRecord({ ...request, response, organization: '', user: '' }));
        return undefined;
      }
      const seen = directory.updateUser(`${user.owner}/${user.name}`, {
        lastSigninTime: new Date().toISOString(),
      });
      announce(newRecord({ ...request, ...self(seen) }));
      return seen;
    },
    addUser: (name, input) =>
      recorded(
        'add-user',
        () => directory.addUser(name, input),
        // Casdoor makes the id, so the request has none.
        () => object({ owner: name.split('/')[0], name: name.split('/')[1], ...input }),
      ),
    updateUser(name, input) {
      const before = directory.findUser(name);
      return recorded(
        'update-user',
        () => directory.updateUser(name, input),
        () => ({ ...update('update-user', name), ...object({ ...before, ...input }) }),
      );
    },
    deleteUser(name) {
      const before = directory.findUser(name);
      return recorded(
        'delete-user',
        () => directory.deleteUser(name),
        () => object(before ?? { owner: name.split('/')[0], name: name.split('/')[1] }),
      );
    },
    removeUserFromGroup(name, group) {
      const groups = (directory.findUser(name)?.groups ?? []).filter((one) => one !== group);
      const [owner = '', user = ''] = name.split('/');
      return recorded(
        'remove-user-from-group',
        () => directory.updateUser(name, { groups }),
        () => ({ object: form({ owner, name: user, groupName: group.split('/')[1] ?? '' }) }),
      );
    },
    uploadAvatar: (name, avatar) =>
      recorded(
        'upload-resource',
        () => directory.updateUser(name, { avatar }),
        (done) => {
          const [owner = '', user = ''] = name.split('/');
          const query = new URLSearchParams({ application: 'app-acme', owner, tag: 'avatar', user });
          const picture = form({ file: '\uFFFDPNG' });
          return {
            requestUri: `/api/upload-resource?${query}`,
            object: picture,
            ...(done !== undefined && self(done)),
          };
        },
      ),
    uploadUsers(names) {
      const upload = () => names.map((name) => directory.addUser(name));
      recorded('upload-users', upload, () => ({ object: form({ file: 'PK\uFFFD' }) }));
    },
    syncLdapUsers(organization, names) {
      const synced = recorded(
        'sync-ldap-users',
        () => names.map((name) => directory.addUser(name)),
        () => ({ ...update('sync-ldap-users', `${organization}/ldap-${organization}`), ...object([]) }),
      );
      // Casdoor's own word, and so without a response.
      for (const user of synced) {
        const record = { action: 'new-user-ldap', response: '', ...self(user), ...object(user) };
        announce(newRecord(record));
      }
    },
    runSyncer(name, input) {
      directory.addUser(name, input);
      const user = directory.state().users.at(-1);
      if (user === undefined) throw new RefusedError(`The user: ${name} doesn't exist`);
      user.id = input?.id ?? user.id;
      announce(newRecord({ action: 'new-user-syncer', response: '', ...self(user), ...object(user) }));
      return user;
    },
    addOrganization: (name, input) =>
      recorded('add-organization', () => directory.addOrganization(name, input), object),
    updateOrganization: (name, input) =>
      recorded(
        'update-organization',
        () => directory.updateOrganization(name, input),
        (done) => ({ ...update('update-organization', `admin/${name}`), ...object(done) }),
      ),
    deleteOrganization: (name) =>
      recorded('delete-organization', () => directory.deleteOrganization(name), object),
    addGroup: (name, displayName) =>
      recorded('add-group', () => directory.addGroup(name, displayName), object),
    updateGroup: (name, input) =>
      recorded(
        'update-group',
        () => directory.updateGroup(name, input),
        (done) => ({ ...update('update-group', name), ...object(done) }),
      ),
    deleteGroup: (name) =>
      recorded(
        'delete-group',
        () => directory.deleteGroup(name),
        () => object({ owner: name.split('/')[0], name: name.split('/')[1] }),
      ),
    addRole: (name, input) => recorded('add-role', () => directory.addRole(name, input), object),
    updateRole: (name, input) =>
      recorded(
        'update-role',
        () => directory.updateRole(name, input),
        (done) => ({ ...update('update-role', name), ...object(done) }),
      ),
    deleteRole: (name) => recorded('delete-role', () => directory.deleteRole(name), object),
  };
}

/** The page sends this one as a form with parts, and the record keeps it so. */
function form(fields: Record<string, string>): string {
  const boundary = '----WebKitFormBoundaryLocalCasdoor';
  const parts = Object.entries(fields).map(
    ([key, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${key}"\r\n\r\n${value}\r\n`,
  );
  return `${parts.join('')}--${boundary}--\r\n`;
}
