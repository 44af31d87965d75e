import { type AccessActions, createAccess } from './access.ts';
import { found, TakenError } from './errors.ts';
import { clerkId } from './ids.ts';
import type { Announce, ClerkMembership, ClerkOrganization, ClerkSession, ClerkUser } from './types.ts';

/** Everything the local Clerk holds; plain JSON, so that it can be kept between runs. */
export type DirectoryState = {
  users: ClerkUser[];
  organizations: ClerkOrganization[];
  memberships: ClerkMembership[];
  /** Those that are active, and those that were revoked. */
  sessions: ClerkSession[];
  /** When the locks run out, by user. */
  locks: Record<string, number>;
};

/** What was kept by an earlier version has less in it. */
export type KeptDirectory = Omit<DirectoryState, 'sessions' | 'locks'> &
  Partial<Pick<DirectoryState, 'sessions' | 'locks'>>;

export type UserInput = {
  email?: string | undefined;
  firstName?: string | undefined;
  lastName?: string | undefined;
  username?: string | undefined;
  publicMetadata?: Record<string, unknown> | undefined;
  /** Whether the e-mail address is verified (it is, unless said otherwise). */
  verified?: boolean | undefined;
};

export type LocalDirectory = AccessActions & {
  state(): DirectoryState;
  signUp(input: UserInput): ClerkUser;
  updateUser(id: string, input: UserInput): ClerkUser;
  deleteUser(id: string): ClerkUser;
  createOrganization(input: {
    name: string;
    slug?: string | undefined;
    createdBy?: string | undefined;
  }): ClerkOrganization;
  updateOrganization(id: string, input: { name: string }): ClerkOrganization;
  deleteOrganization(id: string): ClerkOrganization;
  /** Adds a member, or changes the role of one. */
  setMembership(organizationId: string, userId: string, role: string): ClerkMembership;
  removeMembership(organizationId: string, userId: string): ClerkMembership;
  /** By id or e-mail address. */
  findUser(idOrEmail: string): ClerkUser | undefined;
};

const IMAGE = 'https://img.clerk.com/local';

/**
 * The users, organizations and memberships of the local Clerk, and the events their changes cause.
 *
 * @param now milliseconds since the epoch, greater at each call
 */
export function createDirectory(
  initial: KeptDirectory | undefined,
  announce: Announce,
  now: () => number,
): LocalDirectory {
  const {
    users,
    organizations,
    memberships,
    sessions = [],
    locks = {},
  } = initial ?? { users: [], organizations: [], memberships: [] };
  const copy = <T>(value: T): T => structuredClone(value);

  const requireUser = (id: string): ClerkUser =>
    found(
      users.find((user) => user.id === id),
      'user',
      id,
    );
  const requireOrganization = (id: string): ClerkOrganization =>
    found(
      organizations.find((organization) => organization.id === id),
      'organization',
      id,
    );
  const touchMembers = (): void => {
    for (const organization of organizations) {
      organization.members_count = memberships.filter(
        (one) => one.organization.id === organization.id,
      ).length;
    }
  };

  const access = createAccess({ requireUser, users, sessions, locks, announce, now });

  return {
    ...access.actions,
    state() {
      access.unlockInTime();
      return copy({ users, organizations, memberships, sessions, locks });
    },

    signUp(input) {
      if (input.email !== undefined && byEmail(users, input.email) !== undefined) {
        throw new TakenError(`${input.email} has signed up before: ask for their token.`);
      }
      const at = now();
      const user: ClerkUser = {
        id: clerkId('user'),
        object: 'user',
        username: null,
        first_name: null,
        last_name: null,
        image_url: IMAGE,
        has_image: false,
        primary_email_address_id: null,
        primary_phone_number_id: null,
        email_addresses: [],
        phone_numbers: [],
        public_metadata: {},
        private_metadata: {},
        unsafe_metadata: {},
        external_id: null,
        last_sign_in_at: null,
        last_active_at: at,
        banned: false,
        locked: false,
        lockout_expires_in_seconds: null,
        created_at: at,
        updated_at: at,
      };
      change(user, input, at);
      users.push(user);
      announce('user.created', copy(user));
      return copy(user);
    },

    updateUser(id, input) {
      const user = requireUser(id);
      access.unlockInTime();
      change(user, input, now());
      announce('user.updated', copy(user));
      return copy(user);
    },

    deleteUser(id) {
      const user = requireUser(id);
      users.splice(users.indexOf(user), 1);
      remove(memberships, (one) => one.public_user_data.user_id === id);
      remove(sessions, (one) => one.user_id === id);
      delete locks[id];
      touchMembers();
      announce('user.deleted', { id, object: 'user', deleted: true });
      return user;
    },

    createOrganization({ name, slug, createdBy }) {
      const at = now();
      const organization: ClerkOrganization = {
        id: clerkId('org'),
        object: 'organization',
        name,
        slug: slug ?? name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'),
        image_url: IMAGE,
        has_image: false,
        members_count: 0,
        public_metadata: {},
        private_metadata: {},
        created_by: createdBy ?? null,
        created_at: at,
        updated_at: at,
      };
      organizations.push(organization);
      announce('organization.created', copy(organization));
      return copy(organization);
    },

    updateOrganization(id, { name }) {
      const organization = requireOrganization(id);
      Object.assign(organization, { name, updated_at: now() });
      for (const one of memberships) if (one.organization.id === id) one.organization = copy(organization);
      announce('organization.updated', copy(organization));
      return copy(organization);
    },

    deleteOrganization(id) {
      const organization = requireOrganization(id);
      organizations.splice(organizations.indexOf(organization), 1);
      remove(memberships, (one) => one.organization.id === id);
      announce('organization.deleted', {
        id,
        object: 'organization',
        slug: organization.slug,
        deleted: true,
      });
      return organization;
    },

    setMembership(organizationId, userId, role) {
      const user = requireUser(userId);
      const organization = requireOrganization(organizationId);
      const existing = memberships.find((one) => isOf(one, organizationId, userId));
      const at = now();
      const membership: ClerkMembership = {
        id: existing?.id ?? clerkId('orgmem'),
        object: 'organization_membership',
        role,
        role_name: role === 'org:admin' ? 'Admin' : 'Member',
        permissions: role === 'org:admin' ? ['org:sys_memberships:manage'] : ['org:sys_memberships:read'],
        public_metadata: {},
        private_metadata: {},
        organization: copy(organization),
        public_user_data: {
          user_id: userId,
          identifier: primaryEmail(user) ?? user.username,
          first_name: user.first_name,
          last_name: user.last_name,
          image_url: user.image_url,
          has_image: user.has_image,
        },
        created_at: existing?.created_at ?? at,
        updated_at: at,
      };
      if (existing === undefined) memberships.push(membership);
      else Object.assign(existing, membership);
      touchMembers();
      announce(`organizationMembership.${existing === undefined ? 'created' : 'updated'}`, copy(membership));
      return copy(membership);
    },

    removeMembership(organizationId, userId) {
      const membership = found(
        memberships.find((one) => isOf(one, organizationId, userId)),
        'membership',
        `${organizationId}/${userId}`,
      );
      memberships.splice(memberships.indexOf(membership), 1);
      touchMembers();
      announce('organizationMembership.deleted', copy(membership));
      return membership;
    },

    findUser(idOrEmail) {
      access.unlockInTime();
      const user = users.find((one) => one.id === idOrEmail) ?? byEmail(users, idOrEmail);
      return user === undefined ? undefined : copy(user);
    },
  };
}

export function primaryEmail(user: ClerkUser): string | undefined {
  return user.email_addresses.find(({ id }) => id === user.primary_email_address_id)?.email_address;
}

function byEmail(users: ClerkUser[], email: string): ClerkUser | undefined {
  return users.find((user) => primaryEmail(user)?.toLowerCase() === email.toLowerCase());
}

function change(user: ClerkUser, input: UserInput, at: number): void {
  user.updated_at = at;
  if (input.firstName !== undefined) user.first_name = input.firstName;
  if (input.lastName !== undefined) user.last_name = input.lastName;
  if (input.username !== undefined) user.username = input.username;
  if (input.publicMetadata !== undefined) user.public_metadata = input.publicMetadata;
  if (input.email !== undefined) {
    const id = clerkId('idn');
    user.primary_email_address_id = id;
    user.email_addresses = [
      {
        id,
        object: 'email_address',
        email_address: input.email,
        reserved: false,
        verification: {
          object: 'verification_otp',
          status: input.verified === false ? 'unverified' : 'verified',
          strategy: 'email_code',
          attempts: 1,
          expire_at: at + 600_000,
        },
        linked_to: [],
        matches_sso_connection: false,
        created_at: at,
        updated_at: at,
      },
    ];
  }
}

function isOf(membership: ClerkMembership, organizationId: string, userId: string): boolean {
  return membership.organization.id === organizationId && membership.public_user_data.user_id === userId;
}

function remove<T>(list: T[], condition: (one: T) => boolean): void {
  for (let index = list.length - 1; index >= 0; index--) {
    const one = list[index];
    if (one !== undefined && condition(one)) list.splice(index, 1);
  }
}
