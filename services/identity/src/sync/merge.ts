import { LatchkeyError } from '@latchkey/core/errors';
import {
  type IdentityRecord,
  type MembershipRecord,
  mayBeSameOwner,
  type OrganizationRecord,
  stubOrganization,
  stubUser,
  type UserRecord,
} from '#core/records.ts';
import { membershipKey } from './keys.ts';

/** Records with each key once, in the order of their keys, every membership's parents among them. */
export interface MergedRecords {
  readonly organizations: readonly OrganizationRecord[];
  readonly users: readonly UserRecord[];
  readonly memberships: readonly MembershipRecord[];
}

/**
 * Merges records by the rule of the database (see the trigger keep_newest), for one statement cannot
 * write the same row twice. The order of the keys is the order in which rows are locked: the same in
 * every process, so that two of them never wait for each other.
 *
 * @throws LatchkeyError `record-refused` where two providers or two tenants claim the same id
 */
export function mergeRecords(records: Iterable<IdentityRecord>): MergedRecords {
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
        const { organizationId, userId } = record;
        merge(memberships, membershipKey(organizationId, userId), record, newest);
        // One that has ended may be of the tenant that its user has left.
        const owner = { provider: record.provider, tenant: record.deleted ? '' : record.tenant };
        merge(organizations, organizationId, stubOrganization({ ...owner, id: organizationId }), newest);
        merge(users, userId, stubUser({ ...owner, id: userId }), newestUser);
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
  if (!mayBeSameOwner(first, second) && !hasMoved(first, second)) {
    throw new LatchkeyError(
      'record-refused',
      `The same ${first.kind} comes from ${nameOf(first)} and from ${nameOf(second)}: an id never changes hands.`,
    );
  }
  const secondWins =
    second.clock > first.clock || (second.clock === first.clock && second.deleted && !first.deleted);
  const winner = secondWins ? second : first;
  const other = secondWins ? first : second;
  const tenant = winner.tenant === '' ? other.tenant : winner.tenant;
  // By the other record there is a row, or there would have been one.
  const isBlind = winner.onlyIfStored === true && other.onlyIfStored !== true;
  if (tenant === winner.tenant && !isBlind) return winner;
  return Object.assign({}, winner, { tenant, ...(isBlind && { onlyIfStored: false }) });
}

/** Whether the newer of them says that its user has come from where the older one is. */
function hasMoved(first: IdentityRecord, second: IdentityRecord): boolean {
  const [older, newer] = first.clock <= second.clock ? [first, second] : [second, first];
  return newer.kind === 'user' && older.provider === newer.provider && newer.previousTenant === older.tenant;
}

function newestUser(first: UserRecord, second: UserRecord): UserRecord {
  const winner = newest(first, second);
  const checked = second.disabledCheckedAt > first.disabledCheckedAt ? second : first;
  return {
    ...winner,
    lastSeen: Math.max(first.lastSeen, second.lastSeen),
    disabledAt: winner.deleted ? null : checked.disabledAt,
    disabledCheckedAt: checked.disabledCheckedAt,
  };
}

function nameOf({ provider, tenant }: IdentityRecord): string {
  return tenant === '' ? provider : `${provider} ${tenant}`;
}

function byKey<T>(map: Map<string, T>): T[] {
  return [...map].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, record]) => record);
}
