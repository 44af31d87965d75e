import type { IdentityRecord, Instant, ProviderName, RecordKey } from '../core/records.ts';
import { deletedMembership, deletedOrganization, deletedUser } from '../core/records.ts';

/** A text that stands for one thing of one kind. */
export function keyOf(key: RecordKey): string {
  return key.kind === 'membership'
    ? membershipKey(key.organizationId, key.userId)
    : `${key.kind} ${JSON.stringify(key.id)}`;
}

/** Unambiguous, whatever the ids hold. */
export function membershipKey(organizationId: string, userId: string): string {
  return JSON.stringify([organizationId, userId]);
}

/** The record that says it is gone. */
export function deletionOf(provider: ProviderName, key: RecordKey, clock: Instant): IdentityRecord {
  switch (key.kind) {
    case 'organization':
      return deletedOrganization(provider, key.id, clock);
    case 'user':
      return deletedUser(provider, key.id, clock);
    case 'membership':
      return deletedMembership(provider, key.organizationId, key.userId, clock);
  }
}
