/**
 * The vocabulary of Latchkey.
 *
 * Glossary
 * - provider: the identity provider that owns the accounts, such as Clerk or AWS Cognito.
 * - tenant: what a provider's ids are unique within: Clerk's instance, Casdoor's organization, Cognito's pool, the
 *   issuer of OpenID Connect.
 *   Empty where it is not known, which fits any tenant of the same provider.
 * - person: (provider, tenant, id). Two people may bear the same id; one row cannot be both.
 * - record: what is known of one user, organization or membership at one instant of its provider's clock.
 * - clock: that instant. Of two records of the same object the one with the later clock is kept.
 * - deletion: a record that says its object is gone, and nothing personal. It wins ties.
 * - tombstone: the row that a deletion leaves behind.
 * - stub: a record that only says "this id exists". Its clock is the epoch, so anything real overrides it.
 * - last seen: when a user was last active. It only moves forward, whatever the clock of the record that brings it.
 * - delivery: one authenticated webhook request. A provider may send the same one any number of times.
 * - subject: the id of what a delivery is about.
 * - ledger: the table of deliveries and their results: `applied`, `ignored` or `dead`.
 */

/** The providers' configurations by their names. Each provider's `definition.ts` adds its own. */
// biome-ignore lint/suspicious/noEmptyInterface: it is filled from there
export interface ProviderConfigMap {}
export type ProviderName = keyof ProviderConfigMap;

/** Milliseconds since the epoch. */
export type Instant = number;

export const EPOCH: Instant = 0;

export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** Whose something is. */
export interface Owner {
  readonly provider: ProviderName;
  /** Empty where it is not known. */
  readonly tenant: string;
}

/**
 * In a row: of whom it could not be told, when tenants were introduced, which of several it is. It fits
 * none of them, until somebody who knows sets it by hand, and is never taken for gone.
 */
export const UNCERTAIN_TENANT = '?';

/** Every provider's ids, and nothing that means something in the path of a provider's API. */
export const USER_ID = /^(?!\.+$)[\w.@:+=|-]{1,255}$/;

/** Who somebody is. An id alone names nobody: another tenant, or another provider, may use it too. */
export interface Person extends Owner {
  readonly id: string;
}

interface Clocked extends Owner {
  /** The provider's clock at this state. For a deletion, when it happened. */
  readonly clock: Instant;
  readonly deleted: boolean;
  /**
   * Of a deletion: to be written only over a row of this provider and tenant, and not where there is none.
   * For what is only looked for and not found, so that nobody can have tombstones put in others' places.
   */
  readonly onlyIfStored?: boolean;
  /** When the provider created it, where that is known. */
  readonly sourceCreatedAt: Instant | null;
}

export interface UserRecord extends Clocked {
  readonly kind: 'user';
  /** The token's `x-hasura-user-id`. */
  readonly id: string;
  /** The tenant that they have left for this one, where their place there is known to be empty. */
  readonly previousTenant?: string;
  readonly lastSeen: Instant;
  /** Since when the provider is known to keep them out; null where it lets them in. */
  readonly disabledAt: Instant | null;
  /** Of which instant that is: of two records the later word counts, whatever their clocks. */
  readonly disabledCheckedAt: Instant;
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
  | Pick<UserRecord, 'kind' | 'tenant' | 'id'>
  | Pick<OrganizationRecord, 'kind' | 'tenant' | 'id'>
  | Pick<MembershipRecord, 'kind' | 'tenant' | 'organizationId' | 'userId'>;

const EMPTY_PROFILE = {
  disabledAt: null,
  disabledCheckedAt: EPOCH,
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

/** The owner of a row: its provider may be one that is not set up here any more. */
interface StoredOwner {
  readonly provider: string;
  readonly tenant: string;
}

/** Whether what is of one owner may be of the other: never of two providers, nor of two known tenants. */
export function mayBeSameOwner(one: StoredOwner, other: StoredOwner): boolean {
  return (
    one.provider === other.provider &&
    (one.tenant === other.tenant || one.tenant === '' || other.tenant === '')
  );
}

/**
 * Whether a user of another tenant may be the one of a row who has moved, as far as the two tell: the row
 * lives, and both were created at the same instant. Whether the old place is empty, the provider must say.
 */
export function mayHaveMoved(
  user: Pick<UserRecord, 'sourceCreatedAt'>,
  row: Pick<UserRecord, 'sourceCreatedAt' | 'deleted'>,
): boolean {
  return !row.deleted && user.sourceCreatedAt !== null && user.sourceCreatedAt === row.sourceCreatedAt;
}

/** A user of whom only the id is known, and perhaps when they were last seen. */
export function stubUser({ provider, tenant, id }: Person, lastSeen: Instant = EPOCH): UserRecord {
  return {
    kind: 'user',
    provider,
    tenant,
    id,
    clock: EPOCH,
    deleted: false,
    sourceCreatedAt: null,
    lastSeen,
    ...EMPTY_PROFILE,
  };
}

/** How a deletion is told; see {@link UserRecord.onlyIfStored}. */
type DeletionOptions = Pick<UserRecord, 'onlyIfStored'>;

/** The end of a user. Nothing personal is left in it. */
export function deletedUser(person: Person, clock: Instant, options: DeletionOptions = {}): UserRecord {
  return { ...stubUser(person), clock, deleted: true, ...options };
}

/** An organization of which only the id is known. */
export function stubOrganization({
  provider,
  tenant,
  id,
}: Owner & { readonly id: string }): OrganizationRecord {
  return {
    kind: 'organization',
    provider,
    tenant,
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
export function deletedOrganization(
  organization: Owner & { readonly id: string },
  clock: Instant,
  options: DeletionOptions = {},
): OrganizationRecord {
  return { ...stubOrganization(organization), clock, deleted: true, ...options };
}

/** The end of a membership. */
export function deletedMembership(
  { provider, tenant, organizationId, userId }: Owner & Pick<MembershipRecord, 'organizationId' | 'userId'>,
  clock: Instant,
  options: DeletionOptions = {},
): MembershipRecord {
  return {
    kind: 'membership',
    provider,
    tenant,
    organizationId,
    userId,
    clock,
    deleted: true,
    sourceCreatedAt: null,
    role: null,
    ...options,
  };
}
