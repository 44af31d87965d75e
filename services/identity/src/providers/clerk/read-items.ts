import { z } from 'zod';
import { isJsonObject, isTooDeep } from '#core/payload.ts';
import type { IdentityRecord, Json } from '#core/records.ts';
import type { UnreadableItem } from '#providers/provider.ts';
import { describeProblem, membershipRecord, organizationRecord, type Source, userRecord } from './records.ts';

type Kind = IdentityRecord['kind'];

/** Of each item that could be read its record, of each other what it is and why not. */
export interface ItemsRead {
  readonly records: readonly IdentityRecord[];
  readonly unreadable: readonly UnreadableItem[];
}

/** Reads the items of one of the Backend API's lists, each by itself: one that is odd hides no other. */
export function readItems(kind: Kind, items: readonly Json[], source: Source): ItemsRead {
  const records: IdentityRecord[] = [];
  const unreadable: UnreadableItem[] = [];
  for (const item of items) {
    try {
      if (isTooDeep(item)) throw new z.ZodError([]);
      records.push(recordOf(kind, item, source));
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      const reason =
        error.issues.length === 0 ? 'It is nested too deeply.' : describeProblem(error, 'the whole of it');
      unreadable.push({ name: nameOf(kind, item), reason });
    }
  }
  return { records, unreadable };
}

function recordOf(kind: Kind, item: Json, source: Source): IdentityRecord {
  switch (kind) {
    case 'organization':
      return organizationRecord(item, source);
    case 'user':
      return userRecord(item, source);
    case 'membership':
      return membershipRecord(item, source);
  }
}

/** By its ids alone, and those only where they are such as Clerk makes them: anything else may be personal. */
function nameOf(kind: Kind, item: Json): string {
  const { id, organization, public_user_data: user } = isJsonObject(item) ? item : {};
  if (kind !== 'membership') return isClerkId(id) ? `${kind} ${id}` : `${kind} without an id`;
  const organizationId = isJsonObject(organization) ? organization.id : undefined;
  const userId = isJsonObject(user) ? user.user_id : undefined;
  return `membership of ${isClerkId(userId) ? userId : 'nobody'} in ${isClerkId(organizationId) ? organizationId : 'no organization'}`;
}

function isClerkId(id: Json | undefined): id is string {
  return typeof id === 'string' && /^[a-z]{2,10}_\w{1,64}$/.test(id);
}
