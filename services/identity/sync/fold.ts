import { LatchkeyError } from '../core/errors.ts';
import type { IdentityRecord, MembershipRecord, OrganizationRecord, UserRecord } from '../core/records.ts';
import { stubOrganization, stubUser } from '../core/records.ts';
import { membershipKey } from './keys.ts';

/** Records with each key once, in the order of their keys, every membership's parents among them. */
export interface Folded {
  readonly organizations: readonly OrganizationRecord[];
  readonly users: readonly UserRecord[];
  readonly memberships: readonly MembershipRecord[];
}

/**
 * Merges records by the rule of the database (see the trigger keep_newest), for one statement cannot
 * write the same row twice. The order of the keys is the order in which rows are locked: the same in
 * every process, so that two of them never wait for each other.
 *
 * @throws LatchkeyError `record-refused` where two providers claim the same id
 */
export function fold(records: Iterable<IdentityRecord>): Folded {
  const organizations = new Map<string, OrganizationRecord>();
  const users = new Map<string, UserRecord>();
  const memberships = new Map<string, MembershipRecord>();

  for (const record of records) {
    switch (record.kind) {
      case 'organization':
        merge(organizations, record.id, record, newest);
        break;
      case 'user':
        merge(users, record.id, record, newestUser);
        break;
      case 'membership': {
        const { provider, organizationId, userId } = record;
        merge(memberships, membershipKey(organizationId, userId), record, newest);
        merge(organizations, organizationId, stubOrganization(provider, organizationId), newest);
        merge(users, userId, stubUser(provider, userId), newestUser);
        break;
      }
    }
  }
  return { organizations: byKey(organizations), users: byKey(users), memberships: byKey(memberships) };
}

function merge<T>(into: Map<string, T>, key: string, record: T, choose: (first: T, second: T) => T): void {
  const present = into.get(key);
  into.set(key, present === undefined ? record : choose(present, record));
}

/** At the same instant a deletion wins, and else what came first. */
function newest<T extends IdentityRecord>(first: T, second: T): T {
  if (first.provider !== second.provider) {
    throw new LatchkeyError(
      'record-refused',
      `The same ${first.kind} comes from ${first.provider} and from ${second.provider}: an id never changes hands.`,
    );
  }
  const secondWins =
    second.clock > first.clock || (second.clock === first.clock && second.deleted && !first.deleted);
  return secondWins ? second : first;
}

function newestUser(first: UserRecord, second: UserRecord): UserRecord {
  return { ...newest(first, second), lastSeen: Math.max(first.lastSeen, second.lastSeen) };
}

function byKey<T>(map: Map<string, T>): T[] {
  return [...map].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, record]) => record);
}
