import type { Instant, MembershipRecord, OrganizationRecord, UserRecord } from '#core/records.ts';
import { roleNames } from './role-names.ts';
import type { CasdoorConfig } from './settings.ts';
import type { CasdoorGroup, CasdoorOrganization, CasdoorUser } from './shapes.ts';

/** Longer ones are no addresses (RFC 5321), and no index could hold them. */
const LONGEST_ADDRESS = 320;

/**
 * A user as Casdoor's API tells it. Of their properties only those are kept that the configuration lists:
 * the others are for administrators, and hold other providers' tokens.
 */
export function userRecord(
  { properties: kept }: Pick<CasdoorConfig, 'properties'>,
  user: CasdoorUser,
  clock: Instant,
): UserRecord {
  const email = address(user.email);
  const createdAt = time(user.createdTime);
  return {
    kind: 'user',
    provider: 'casdoor',
    tenant: user.owner,
    id: user.id,
    clock,
    deleted: false,
    sourceCreatedAt: createdAt,
    // A soft deletion can be undone, and Casdoor keeps the profile; it only is kept out.
    disabledAt: user.isForbidden || user.isDeleted ? clock : null,
    disabledCheckedAt: clock,
    lastSeen: Math.max(time(user.lastSigninTime) ?? 0, createdAt ?? 0),
    email,
    emailVerified: email !== null && user.emailVerified,
    phone: address(user.phone),
    username: user.name,
    name: user.displayName || null,
    firstName: user.firstName || null,
    lastName: user.lastName || null,
    imageUrl: user.avatar || null,
    roles: roleNames(user, user.roles),
    metadata: Object.fromEntries(
      kept.flatMap((name) => {
        const value = Object.hasOwn(user.properties, name) ? user.properties[name] : undefined;
        return typeof value === 'string' ? [[name, value]] : [];
      }),
    ),
  };
}

/** An organization; its id is its name, for it has no other. */
export function organizationRecord(
  organization: Omit<CasdoorOrganization, 'accountItems'>,
  clock: Instant,
): OrganizationRecord {
  return {
    kind: 'organization',
    provider: 'casdoor',
    tenant: organization.name,
    id: organization.name,
    clock,
    deleted: false,
    sourceCreatedAt: time(organization.createdTime),
    name: organization.displayName || organization.name,
    slug: organization.name,
    imageUrl: organization.logo || null,
    metadata: {},
  };
}

/** A group is an organization within an organization: `<organization>/<group>`. */
export function groupRecord(group: CasdoorGroup, clock: Instant): OrganizationRecord {
  return {
    ...organizationRecord({ ...group, logo: '' }, clock),
    tenant: group.owner,
    id: `${group.owner}/${group.name}`,
    metadata: { organization: group.owner },
  };
}

/**
 * What a user belongs to: the organization that owns them, and their groups in it. Casdoor does not check
 * which groups a user is given, nor whether there are such.
 *
 * @param isGroup whether there is a group of this name, `<organization>/<group>`
 */
export function membershipRecords(
  user: CasdoorUser,
  clock: Instant,
  isGroup: (name: string) => boolean,
): MembershipRecord[] {
  return [
    membership(user, user.owner, clock, user.isAdmin ? 'org:admin' : 'org:member'),
    ...ownGroups(user)
      .filter(isGroup)
      .map((group) => membership(user, group, clock, 'org:member')),
  ];
}

/** The groups that a user says to be in, as far as they are of the user's own organization. */
export function ownGroups({ owner, groups }: CasdoorUser): string[] {
  return [...new Set(groups)].filter((group) => {
    const [organization, name = '', ...more] = group.split('/');
    return organization === owner && name !== '' && more.length === 0;
  });
}

function membership(
  user: Pick<CasdoorUser, 'id' | 'owner'>,
  organizationId: string,
  clock: Instant,
  role: string,
): MembershipRecord {
  return {
    kind: 'membership',
    provider: 'casdoor',
    tenant: user.owner,
    organizationId,
    userId: user.id,
    clock,
    deleted: false,
    sourceCreatedAt: null,
    role,
  };
}

function address(text: string): string | null {
  return text === '' || text.length > LONGEST_ADDRESS ? null : text;
}

/** Casdoor leaves a time that never was empty. */
function time(text: string): Instant | null {
  const instant = Date.parse(text);
  return Number.isNaN(instant) || instant <= 0 ? null : instant;
}
