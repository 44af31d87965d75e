import type { ClerkClient } from '@clerk/backend';
import type { IdentityRecord, RecordKey } from '../../core/records.ts';
import type { Provider } from '../provider.ts';
import { type ClerkAccess, connect, orNothing, patiently } from './api.ts';
import { membershipRecord, organizationRecord, userRecord } from './records.ts';

/** Reads one user, organization or membership through Clerk’s Backend API. */
export function clerkLookup(access: ClerkAccess): Provider['lookup'] {
  return async (key, signal) => {
    const clerk = await connect(access);
    return patiently(() => orNothing(read(clerk, access.instanceId, key)), signal);
  };
}

async function read(clerk: ClerkClient, tenant: string, key: RecordKey): Promise<IdentityRecord | undefined> {
  const source = { tenant, toldAt: Date.now() };
  switch (key.kind) {
    case 'organization':
      return organizationRecord(
        (await clerk.organizations.getOrganization({ organizationId: key.id })).raw,
        source,
      );
    case 'user':
      return userRecord((await clerk.users.getUser(key.id)).raw, source);
    case 'membership': {
      const { organizationId, userId } = key;
      const list = { organizationId, userId: [userId], limit: 1 };
      const { data } = await clerk.organizations.getOrganizationMembershipList(list);
      const records = data.map((one) => membershipRecord(one.raw, source));
      return records.find((one) => one.organizationId === organizationId && one.userId === userId);
    }
  }
}
