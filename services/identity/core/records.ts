/**
 * The vocabulary of Latchkey.
 *
 * Glossary
 * - provider: the identity provider that owns the accounts: Clerk, Casdoor or AWS Cognito.
 * - record: what is known of one user, organization or membership at one instant of its provider's clock.
 * - clock: that instant. Of two records of the same thing the one with the later clock is kept.
 * - deletion: a record that says its thing is gone, and nothing personal. It wins ties.
 * - tombstone: the row that a deletion leaves behind.
 * - stub: a record that only says "this id exists". Its clock is the epoch, so anything real overrides it.
 * - sighting: a moment at which a user was seen active (`lastSeen`). It only ever moves forward, whatever
 *   the clock of the record that brings it.
 * - delivery: one authenticated webhook request. A provider may send the same one any number of times.
 * - ledger: the table of deliveries and what became of them.
 * - subject: the id of what a delivery is about.
 * - settled: committed, and so safe to acknowledge.
 */

export const PROVIDER_NAMES = ['clerk', 'casdoor', 'cognito'] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

/** Milliseconds since the epoch. */
export type Instant = number;

export const EPOCH: Instant = 0;

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

interface Clocked {
  readonly provider: ProviderName;
  /** The provider's clock at this state. For a deletion, when it happened. */
  readonly clock: Instant;
  readonly deleted: boolean;
  /** When the provider created it, where that is known. */
  readonly sourceCreatedAt: Instant | null;
}

export interface UserRecord extends Clocked {
  readonly kind: 'user';
  /** The token's `x-hasura-user-id`. */
  readonly id: string;
  readonly lastSeen: Instant;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly phone: string | null;
  readonly username: string | null;
  readonly name: string | null;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly imageUrl: string | null;
  /** The names of the roles the provider assigns; never Hasura roles by themselves. */
  readonly roles: readonly string[];
  /** The provider's public metadata only. */
  readonly metadata: JsonObject;
}

export interface OrganizationRecord extends Clocked {
  readonly kind: 'organization';
  readonly id: string;
  readonly name: string | null;
  readonly slug: string | null;
  readonly imageUrl: string | null;
  readonly metadata: JsonObject;
}

export interface MembershipRecord extends Clocked {
  readonly kind: 'membership';
  readonly organizationId: string;
  readonly userId: string;
  readonly role: string | null;
}

export type IdentityRecord = UserRecord | OrganizationRecord | MembershipRecord;

/** What a record is about. */
export type RecordKey =
  | Pick<UserRecord, 'kind' | 'id'>
  | Pick<OrganizationRecord, 'kind' | 'id'>
  | Pick<MembershipRecord, 'kind' | 'organizationId' | 'userId'>;

const NOBODY = {
  email: null,
  emailVerified: false,
  phone: null,
  username: null,
  name: null,
  firstName: null,
  lastName: null,
  imageUrl: null,
  roles: [],
  metadata: {},
} as const;

/** A user of whom only the id is known, and perhaps when they were last seen. */
export function stubUser(provider: ProviderName, id: string, lastSeen: Instant = EPOCH): UserRecord {
  return {
    kind: 'user',
    provider,
    id,
    clock: EPOCH,
    deleted: false,
    sourceCreatedAt: null,
    lastSeen,
    ...NOBODY,
  };
}

/** The end of a user. Nothing personal is left in it. */
export function deletedUser(provider: ProviderName, id: string, clock: Instant): UserRecord {
  return { ...stubUser(provider, id), clock, deleted: true };
}

/** An organization of which only the id is known. */
export function stubOrganization(provider: ProviderName, id: string): OrganizationRecord {
  return {
    kind: 'organization',
    provider,
    id,
    clock: EPOCH,
    deleted: false,
    sourceCreatedAt: null,
    name: null,
    slug: null,
    imageUrl: null,
    metadata: {},
  };
}

/** The end of an organization. */
export function deletedOrganization(provider: ProviderName, id: string, clock: Instant): OrganizationRecord {
  return { ...stubOrganization(provider, id), clock, deleted: true };
}

/** The end of a membership. */
export function deletedMembership(
  provider: ProviderName,
  organizationId: string,
  userId: string,
  clock: Instant,
): MembershipRecord {
  return {
    kind: 'membership',
    provider,
    organizationId,
    userId,
    clock,
    deleted: true,
    sourceCreatedAt: null,
    role: null,
  };
}
