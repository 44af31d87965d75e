import type { IdentityRecord, Json, RecordKey } from '#core/records.ts';
import type { Directory } from '#providers/provider.ts';
import {
  type ClerkAccess,
  type ClerkApi,
  createClerkApi,
  isWithoutOrganizations,
  orNothing,
  readList,
} from './api.ts';
import { membershipRecord, organizationRecord, type Source, userRecord } from './records.ts';
import { UnexpectedAnswer } from './request.ts';

/** Reads one user, organization or membership through Clerk’s Backend API. */
export function clerkLookup(access: ClerkAccess): Directory['lookup'] {
  const api = createClerkApi(access);
  return async (key, signal) => {
    if (!isOfInstance(access, key)) return undefined;
    try {
      return await orNothing(read(api, key, access.instanceId, signal));
    } catch (error) {
      if (key.kind !== 'user' && isWithoutOrganizations(error)) return undefined;
      throw error;
    }
  };
}

/** Whether something may be of the instance that is asked: where either is not known, it may be. */
export function isOfInstance(
  { instanceId }: Pick<ClerkAccess, 'instanceId'>,
  { tenant }: { readonly tenant: string },
): boolean {
  return instanceId === '' || tenant === '' || tenant === instanceId;
}

/**
 * What is said of another than was asked for is never written, and never taken for there being none.
 *
 * @throws UnexpectedAnswer
 */
export function theOne<T extends { readonly id: string }>(record: T, id: string): T {
  if (record.id !== id) throw new UnexpectedAnswer('another id than was asked for');
  return record;
}

function read(
  api: ClerkApi,
  key: RecordKey,
  tenant: string,
  signal: AbortSignal | undefined,
): Promise<IdentityRecord | undefined> {
  const source: Source = { tenant, toldAt: Date.now() };
  switch (key.kind) {
    case 'organization':
      return api.withRetry(
        { path: ['organizations', key.id] },
        (answer) => theOne(organizationRecord(answer, source), key.id),
        signal,
      );
    case 'user':
      return api.withRetry(
        { path: ['users', key.id] },
        (answer) => theOne(userRecord(answer, source), key.id),
        signal,
      );
    case 'membership': {
      const { organizationId, userId } = key;
      const query = { user_id: userId, limit: '1' };
      const find = (answer: Json) => {
        const [record] = readList(answer).map((item) => membershipRecord(item, source));
        if (record === undefined) return undefined;
        if (record.organizationId === organizationId && record.userId === userId) return record;
        throw new UnexpectedAnswer('another membership than was asked for');
      };
      return api.withRetry({ path: ['organizations', organizationId, 'memberships'], query }, find, signal);
    }
  }
}
