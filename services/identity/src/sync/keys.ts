import type { IdentityRecord, Instant, ProviderName, RecordKey } from '#core/records.ts';
import { deletedMembership, deletedOrganization, deletedUser } from '#core/records.ts';

/** A text that stands for one thing of one kind. Two tenants may have a user of the same id each. */
export function keyOf(key: RecordKey): string {
  return key.kind === 'membership'
    ? membershipKey(key.organizationId, key.userId)
    : key.kind === 'user'
      ? `user ${JSON.stringify([key.tenant, key.id])}`
      : `organization ${JSON.stringify(key.id)}`;
}

/** Unambiguous, whatever the ids hold. */
export function membershipKey(organizationId: string, userId: string): string {
  return JSON.stringify([organizationId, userId]);
}

/** The record that says it is gone, wherever its row is. */
export function deletionOf(provider: ProviderName, key: RecordKey, clock: Instant): IdentityRecord {
  switch (key.kind) {
    case 'organization':
      return deletedOrganization({ provider, ...key }, clock, { onlyIfStored: true });
    case 'user':
      return deletedUser({ provider, ...key }, clock, { onlyIfStored: true });
    case 'membership':
      return deletedMembership({ provider, ...key }, clock);
  }
}
