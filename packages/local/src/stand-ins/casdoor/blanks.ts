import { randomUUID } from 'node:crypto';
import type {
  CasdoorAccountItem,
  CasdoorGroup,
  CasdoorOrganization,
  CasdoorRole,
  CasdoorUser,
} from './types.ts';

/** What Casdoor fills in where its pages leave a field alone. What never was is an empty text. */

export function blankOrganization(name: string, createdTime: string): CasdoorOrganization {
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
    accountItems: defaultAccountItems(),
  };
}

/** Those of the 61 that matter here. */
export function defaultAccountItems(): CasdoorAccountItem[] {
  const item = (name: string, viewRule: string, modifyRule: string) => ({
    name,
    visible: true,
    viewRule,
    modifyRule,
    regex: '',
  });
  return [
    item('ID', 'Public', 'Immutable'),
    item('Name', 'Public', 'Admin'),
    ...['Display name', 'First name', 'Last name', 'Avatar', 'Email', 'Phone'].map((name) =>
      item(name, 'Public', 'Self'),
    ),
    item('Groups', 'Public', 'Admin'),
    ...['Properties', 'Is admin', 'Is forbidden', 'Is deleted'].map((name) => item(name, 'Admin', 'Admin')),
  ];
}

export function blankGroup(owner: string, name: string, createdTime: string): CasdoorGroup {
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

export function blankRole(owner: string, name: string, createdTime: string): CasdoorRole {
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

export function blankUser(owner: string, name: string, createdTime: string): CasdoorUser {
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
