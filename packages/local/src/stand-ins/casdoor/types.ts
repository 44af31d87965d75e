/** Casdoor's own JSON, as far as a local Casdoor fills it in. What never was is an empty text. */

/** One row of an organization's Account items: who may see and change a field of their own. */
export type CasdoorAccountItem = {
  name: string;
  visible: boolean;
  viewRule: string;
  modifyRule: string;
  regex: string;
};

export type CasdoorOrganization = {
  owner: 'admin';
  name: string;
  createdTime: string;
  displayName: string;
  logo: string;
  passwordType: string;
  masterPassword: string;
  enableSoftDeletion: boolean;
  isProfilePublic: boolean;
  accountItems: CasdoorAccountItem[];
};

export type CasdoorGroup = {
  owner: string;
  name: string;
  createdTime: string;
  updatedTime: string;
  displayName: string;
  manager: string;
  type: string;
  parentId: string;
  isTopGroup: boolean;
  isEnabled: boolean;
};

export type CasdoorRole = {
  owner: string;
  name: string;
  createdTime: string;
  displayName: string;
  description: string;
  users: string[];
  groups: string[];
  roles: string[];
  domains: string[];
  isEnabled: boolean;
};

export type CasdoorUser = {
  owner: string;
  name: string;
  createdTime: string;
  updatedTime: string;
  deletedTime: string;
  id: string;
  type: string;
  password: string;
  passwordSalt: string;
  passwordType: string;
  displayName: string;
  firstName: string;
  lastName: string;
  avatar: string;
  email: string;
  emailVerified: boolean;
  phone: string;
  countryCode: string;
  tag: string;
  isAdmin: boolean;
  isForbidden: boolean;
  isDeleted: boolean;
  signupApplication: string;
  lastSigninTime: string;
  totpSecret: string;
  properties: Record<string, string>;
  groups: string[];
};

/** Everything a local Casdoor holds; plain JSON, so that it can be kept between runs. */
export type CasdoorState = {
  organizations: CasdoorOrganization[];
  groups: CasdoorGroup[];
  roles: CasdoorRole[];
  users: CasdoorUser[];
};

/** One line of Casdoor's audit log, which is what its webhooks carry. */
export type CasdoorRecord = {
  id: 0;
  owner: string;
  name: string;
  createdTime: string;
  organization: string;
  clientIp: string;
  user: string;
  method: string;
  requestUri: string;
  action: string;
  language: string;
  object: string;
  response: string;
  statusCode: number;
  detail: string;
  isTriggered: boolean;
  extendedUser: unknown;
};
