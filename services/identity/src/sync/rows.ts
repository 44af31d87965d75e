import type { LedgerEntry } from '#core/deliveries.ts';
import {
  type IdentityRecord,
  type Instant,
  type MembershipRecord,
  mayBeSameOwner,
  type OrganizationRecord,
  type Owner,
  type UserRecord,
} from '#core/records.ts';
import type { WriteBatchMutationVariables } from '#hasura/generated/documents.ts';
import { mergeRecords } from './merge.ts';

/**
 * The variables of the mutation that writes these records and ledger entries.
 *
 * @throws LatchkeyError `record-refused` where two providers or tenants claim the same id
 */
export function batchVariables(
  records: readonly IdentityRecord[],
  entries: readonly LedgerEntry[],
): WriteBatchMutationVariables {
  const { organizations, users, memberships } = mergeRecords(records);
  const erased = users.filter(({ deleted }) => deleted);
  const endedOrganizations = organizations.filter(isOnlyIfStored).map(endOfOrganization);
  const endedUsers = users.filter(isOnlyIfStored).map(endOfUser);

  // The same delivery may be waiting twice; the ledger has one row of it.
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const deliveries = [...byId.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  return {
    deliveryIds: deliveries.map(({ id }) => id),
    deliveries: deliveries.map((entry) => deliveryRow(entry, erased)),
    erases: erased.length > 0,
    erasedProviders: distinct(erased.map(({ provider }) => provider)),
    // What came before tenants were known has none.
    erasedTenants: distinct(['', ...erased.map(({ tenant }) => tenant)]),
    erasedSubjects: distinct(erased.map(({ id }) => id)),
    organizations: organizations.filter((one) => !isOnlyIfStored(one)).map(organizationRow),
    users: users.filter((one) => !isOnlyIfStored(one)).map(userRow),
    memberships: memberships.map(membershipRow),
    ends: endedOrganizations.length + endedUsers.length > 0,
    endedOrganizations,
    endedUsers,
  };
}

const isOnlyIfStored = ({ onlyIfStored }: IdentityRecord): boolean => onlyIfStored === true;

const distinct = (values: readonly string[]): string[] => [...new Set(values)];

function deliveryRow(entry: LedgerEntry, erased: readonly UserRecord[]) {
  const isErased = erased.some((user) => user.id === entry.subject && mayBeSameOwner(user, entry));
  return {
    id: entry.id,
    provider: entry.provider,
    tenant: entry.tenant,
    type: entry.type,
    subject: entry.subject,
    payload: isErased ? null : entry.payload,
    received_at: timestamp(entry.receivedAt),
    status: entry.status,
    error: entry.error,
  };
}

/** Tombstones of rows that are there, and of this owner; the trigger keep_newest weighs them as any state. */
function endOfUser(user: UserRecord) {
  const {
    id,
    provider: _provider,
    tenant: _tenant,
    previous_tenant: _previous,
    ...tombstone
  } = userRow(user);
  return { where: { id: { _eq: id }, ...ownedBy(user) }, _set: tombstone };
}

function endOfOrganization(organization: OrganizationRecord) {
  const { id, provider: _provider, tenant: _tenant, ...tombstone } = organizationRow(organization);
  return { where: { id: { _eq: id }, ...ownedBy(organization) }, _set: tombstone };
}

function ownedBy({ provider, tenant }: Owner) {
  return { provider: { _eq: provider }, ...(tenant !== '' && { tenant: { _in: [tenant, ''] } }) };
}

function clocks({ provider, tenant, clock, deleted, sourceCreatedAt }: IdentityRecord) {
  return {
    provider,
    tenant,
    source_created_at: sourceCreatedAt === null ? null : timestamp(sourceCreatedAt),
    source_updated_at: timestamp(clock),
    deleted_at: deleted ? timestamp(clock) : null,
  };
}

export function organizationRow(organization: OrganizationRecord) {
  return {
    id: organization.id,
    name: organization.name,
    slug: organization.slug,
    image_url: organization.imageUrl,
    metadata: organization.metadata,
    ...clocks(organization),
  };
}

export function userRow(user: UserRecord) {
  return {
    id: user.id,
    previous_tenant: user.previousTenant ?? null,
    disabled_at: user.disabledAt === null ? null : timestamp(user.disabledAt),
    disabled_checked_at: timestamp(user.disabledCheckedAt),
    email: user.email,
    email_verified: user.emailVerified,
    phone: user.phone,
    username: user.username,
    name: user.name,
    first_name: user.firstName,
    last_name: user.lastName,
    image_url: user.imageUrl,
    roles: user.roles,
    metadata: user.metadata,
    last_seen: timestamp(user.lastSeen),
    ...clocks(user),
  };
}

export function membershipRow(membership: MembershipRecord) {
  return {
    organization_id: membership.organizationId,
    user_id: membership.userId,
    role: membership.role,
    ...clocks(membership),
  };
}

function timestamp(instant: Instant): string {
  return new Date(instant).toISOString();
}
