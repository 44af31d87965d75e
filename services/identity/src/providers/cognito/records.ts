import { storable } from '#core/payload.ts';
import {
  EPOCH,
  type Instant,
  type MembershipRecord,
  type OrganizationRecord,
  type UserRecord,
} from '#core/records.ts';
import type { PoolConfig } from './pool.ts';
import type { PoolGroup, PoolUser } from './read-answer.ts';

/** Longer ones are no addresses (RFC 5321), and no index could hold them. */
const LONGEST_ADDRESS = 320;

/** When a user was read, and with which groups. */
export interface UserReading {
  /** The names of those that are kept. */
  readonly groups: readonly string[];
  /** The instant the reading began, for Cognito tells of no clock that covers groups too. */
  readonly clock: Instant;
  /** Of which instant the profile may be, where it was searched for; as `clock` if not given. */
  readonly searchedAt?: Instant;
}

/** A user of a pool. `roles` are the names of their groups, which is what Cognito has for roles. */
export function userRecord(
  { username, sub, attributes, createdAt, enabled }: PoolUser,
  { groups, clock, searchedAt = clock }: UserReading,
  { userPoolId, metadataAttributes }: PoolConfig,
): UserRecord {
  const text = (name: string): string | null => {
    const value = attributes[name];
    return value === undefined || value === '' ? null : storable(value);
  };
  const address = (name: string): string | null => {
    const value = text(name);
    return value !== null && value.length <= LONGEST_ADDRESS ? value : null;
  };
  const [email, firstName, lastName] = [address('email'), text('given_name'), text('family_name')];
  const created = createdAt?.getTime() ?? null;
  const metadata = metadataAttributes.flatMap((name) => {
    const value = text(name);
    return value === null ? [] : [[name, value] as const];
  });
  return {
    kind: 'user',
    provider: 'cognito',
    tenant: userPoolId,
    id: sub,
    clock,
    deleted: false,
    sourceCreatedAt: created,
    disabledAt: enabled === false ? searchedAt : null,
    disabledCheckedAt: enabled === undefined ? EPOCH : searchedAt,
    lastSeen: created ?? clock,
    email,
    emailVerified: email !== null && attributes.email_verified === 'true',
    phone: address('phone_number'),
    // Where people sign in with an address, Cognito makes the user name up: it is the sub.
    username: text('preferred_username') ?? (username === sub ? null : storable(username)),
    name: text('name') ?? ([firstName, lastName].filter(Boolean).join(' ') || null),
    firstName,
    lastName,
    imageUrl: text('picture'),
    roles: groups.map(storable).toSorted(),
    metadata: Object.fromEntries(metadata),
  };
}

/** A group of a pool. Its name is unique in its pool only, so its id holds the pool's too. */
export function organizationRecord(
  userPoolId: string,
  { name, createdAt }: PoolGroup,
  clock: Instant,
): OrganizationRecord {
  return {
    kind: 'organization',
    provider: 'cognito',
    tenant: userPoolId,
    id: organizationId(userPoolId, name),
    clock,
    deleted: false,
    sourceCreatedAt: createdAt?.getTime() ?? null,
    name: storable(name),
    slug: null,
    imageUrl: null,
    metadata: {},
  };
}

/** That a user is in a group, or (`ended`) is not in it any more. In a group all are alike. */
export function membershipRecord(
  userPoolId: string,
  { organization, sub }: { readonly organization: string; readonly sub: string },
  clock: Instant,
  ended = false,
): MembershipRecord {
  return {
    kind: 'membership',
    provider: 'cognito',
    tenant: userPoolId,
    organizationId: organization,
    userId: sub,
    clock,
    deleted: ended,
    sourceCreatedAt: null,
    role: ended ? null : 'org:member',
  };
}

export function organizationId(userPoolId: string, group: string): string {
  return storable(`${userPoolId}/${group}`);
}
