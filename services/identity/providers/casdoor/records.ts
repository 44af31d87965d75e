import type { Instant, MembershipRecord, OrganizationRecord, UserRecord } from '../../core/records.ts';
import type { CasdoorGroup, CasdoorOrganization, CasdoorUser } from './api.ts';

/** Longer ones are no addresses (RFC 5321), and no index could hold them. */
const LONGEST_ADDRESS = 320;

/** A user as Casdoor's API tells it. @param roles names, where the user's own list is not filled */
export function userRecord(user: CasdoorUser, clock: Instant, roles = enabledRoles(user)): UserRecord {
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
    roles,
    // What Casdoor calls properties is for administrators, and holds other providers' tokens.
    metadata: {},
  };
}

/** An organization; its id is its name, for it has no other. */
export function organizationRecord(organization: CasdoorOrganization, clock: Instant): OrganizationRecord {
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
 * whose groups a user is given, so those of other organizations do not count.
 */
export function membershipRecords(user: CasdoorUser, clock: Instant): MembershipRecord[] {
  const groups = [...new Set(user.groups)].filter((group) => group.startsWith(`${user.owner}/`));
  return [
    membership(user, user.owner, clock, user.isAdmin ? 'org:admin' : 'org:member'),
    ...groups.map((group) => membership(user, group, clock, 'org:member')),
  ];
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

/** Another organization may name anybody in its roles; only those of the user's own count. */
function enabledRoles(user: CasdoorUser): string[] {
  const names = user.roles.flatMap(({ owner, name, isEnabled }) =>
    isEnabled && owner === user.owner ? [name] : [],
  );
  return [...new Set(names)].sort();
}

function address(text: string): string | null {
  return text === '' || text.length > LONGEST_ADDRESS ? null : text;
}

/** Casdoor leaves a time that never was empty. */
function time(text: string): Instant | null {
  const instant = Date.parse(text);
  return Number.isNaN(instant) || instant <= 0 ? null : instant;
}
