import type { ClerkClient } from '@clerk/backend';
import type { IdentityRecord, RecordKey } from '../../core/records.ts';
import type { Provider } from '../provider.ts';
import { type ClerkAccess, connect, orNothing, patiently } from './api.ts';
import { membershipRecord, organizationRecord, userRecord } from './records.ts';

/** Reads one user, organization or membership through Clerk’s Backend API. */
export function clerkLookup(access: ClerkAccess): Provider['lookup'] {
  return async (key, signal) => {
    const clerk = await connect(access);
    return patiently(() => orNothing(read(clerk, key)), signal);
  };
}

async function read(clerk: ClerkClient, key: RecordKey): Promise<IdentityRecord | undefined> {
  switch (key.kind) {
    case 'organization':
      return organizationRecord((await clerk.organizations.getOrganization({ organizationId: key.id })).raw);
    case 'user':
      return userRecord((await clerk.users.getUser(key.id)).raw);
    case 'membership': {
      const { organizationId, userId } = key;
      const list = { organizationId, userId: [userId], limit: 1 };
      const { data } = await clerk.organizations.getOrganizationMembershipList(list);
      const records = data.map((one) => membershipRecord(one.raw));
      return records.find((one) => one.organizationId === organizationId && one.userId === userId);
    }
  }
}
