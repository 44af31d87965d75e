import type { LedgerEntry } from '../core/deliveries.ts';
import type {
  IdentityRecord,
  Instant,
  MembershipRecord,
  OrganizationRecord,
  UserRecord,
} from '../core/records.ts';
import type { WriteBatchMutationVariables } from '../hasura/generated/documents.ts';
import { fold } from './fold.ts';

/** What is committed or refused as one: a delivery with what it says, or records alone. */
export interface Entry {
  readonly records: readonly IdentityRecord[];
  readonly delivery?: LedgerEntry;
}

/**
 * The variables of the mutation that writes these entries.
 *
 * @throws LatchkeyError `record-refused` where two providers claim the same id
 */
export function batchOf(entries: readonly Entry[]): WriteBatchMutationVariables {
  const { organizations, users, memberships } = fold(entries.flatMap(({ records }) => records));
  const erased = users.filter(({ deleted }) => deleted);
  const erasedSubjects = new Set(erased.map(({ id }) => id));

  // The same delivery may be waiting twice; the ledger has one row of it.
  const deliveries = new Map<string, LedgerEntry>();
  for (const { delivery } of entries) if (delivery !== undefined) deliveries.set(delivery.id, delivery);
  const rows = [...deliveries.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  return {
    deliveryIds: rows.map(({ id }) => id),
    deliveries: rows.map((delivery) => deliveryRow(delivery, erasedSubjects)),
    erases: erased.length > 0,
    erasedProviders: [...new Set(erased.map(({ provider }) => provider))],
    erasedSubjects: [...erasedSubjects],
    organizations: organizations.map(organizationRow),
    users: users.map(userRow),
    memberships: memberships.map(membershipRow),
  };
}

function deliveryRow(delivery: LedgerEntry, erasedSubjects: ReadonlySet<string>) {
  const isErased = delivery.subject !== null && erasedSubjects.has(delivery.subject);
  return {
    id: delivery.id,
    provider: delivery.provider,
    type: delivery.type,
    subject: delivery.subject,
    payload: isErased ? null : delivery.payload,
    received_at: timestamp(delivery.receivedAt),
    status: delivery.status,
    error: delivery.error,
  };
}

function clocks({ provider, clock, deleted, sourceCreatedAt }: IdentityRecord) {
  return {
    provider,
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
