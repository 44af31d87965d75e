import { isDeepStrictEqual } from 'node:util';
import { EPOCH, type IdentityRecord, mayBeSameOwner, type RecordKey } from '#core/records.ts';
import type { HasuraClient } from '#hasura/client.ts';
import {
  StoredMembershipsDocument,
  StoredOrganizationsDocument,
  StoredUsersDocument,
} from '#hasura/generated/documents.ts';
import type { Listing } from '#providers/provider.ts';
import { keyOf } from './keys.ts';
import { membershipRow, organizationRow, userRow } from './rows.ts';

/**
 * How the row of a listed record compares with it
 * - `missing`: it is not there, or there as deleted before this state
 * - `stale`: an earlier state of it is there
 * - `last-seen`: only the user's `last_seen` is newer; no provider sends an event each time
 * - `same`: it is there, or a later state of it
 * - `id-taken`: the row of its id belongs to another provider or tenant
 */
export type RowStatus = 'missing' | 'stale' | 'last-seen' | 'same' | 'id-taken';

export interface ComparedRecord {
  readonly record: IdentityRecord;
  readonly status: RowStatus;
  /** Whose row it is; undefined where there is none. */
  readonly owner: RowOwner | undefined;
}

/** Of which provider and tenant a row is, and since when. */
export interface RowOwner {
  readonly provider: string;
  /** Empty where it is not known. */
  readonly tenant: string;
  readonly source_created_at?: string | null;
  readonly deleted_at: string | null;
}

interface StoredRow extends RowOwner {
  readonly source_updated_at: string;
  readonly disabled_at?: string | null;
  readonly last_seen?: string;
}

/** Columns that say when or whose, and not what. */
const NOT_CONTENT_COLUMNS = new Set([
  'source_updated_at',
  'deleted_at',
  'last_seen',
  'tenant',
  'previous_tenant',
  'disabled_at',
  'disabled_checked_at',
]);

/** Compares a page of records with their rows. */
export async function compare(
  engine: Pick<HasuraClient, 'request'>,
  records: readonly IdentityRecord[],
  clock: Listing['clock'],
): Promise<ComparedRecord[]> {
  const stored = await readRows(engine, records);
  return records.map((record) => {
    const owner = stored.get(rowKeyOf(record));
    return { record, status: rowStatus(record, owner, clock), owner };
  });
}

/** Rows go by their id alone, whosever it is. */
function rowKeyOf(key: RecordKey): string {
  return keyOf({ ...key, tenant: '' });
}

function rowStatus(
  record: IdentityRecord,
  stored: StoredRow | undefined,
  clock: Listing['clock'],
): RowStatus {
  if (stored === undefined) return record.deleted ? 'same' : 'missing';
  if (!mayBeSameOwner(record, stored)) return 'id-taken';
  const storedClock = Date.parse(stored.source_updated_at);
  const isNewer =
    record.clock > storedClock ||
    (record.clock === storedClock && record.deleted && stored.deleted_at === null);
  if (isNewer && !record.deleted && stored.deleted_at !== null) return 'missing';
  // The instant of a reading is newer each time; a stub is at the epoch.
  const saysMore = clock === 'state' || storedClock === EPOCH || !hasSameContent(record, stored);
  if (isNewer && saysMore) return 'stale';
  if (isNewer && record.tenant !== '' && stored.tenant === '') return 'stale';
  // Whether somebody is disabled has a clock of its own.
  const isDisabled = stored.disabled_at !== null && stored.disabled_at !== undefined;
  if (record.kind === 'user' && !record.deleted && stored.deleted_at === null) {
    if (record.disabledCheckedAt > EPOCH && (record.disabledAt !== null) !== isDisabled) return 'stale';
  }
  const isSeenLater = record.kind === 'user' && record.lastSeen > Date.parse(stored.last_seen ?? '');
  return isSeenLater ? 'last-seen' : 'same';
}

function hasSameContent(record: IdentityRecord, stored: StoredRow): boolean {
  const there = new Map<string, unknown>(Object.entries(stored));
  return Object.entries(rowOf(record)).every(([column, value]) => {
    if (NOT_CONTENT_COLUMNS.has(column)) return true;
    if (column === 'source_created_at') return instantOf(value) === instantOf(there.get(column));
    return isDeepStrictEqual(JSON.parse(JSON.stringify(value)), there.get(column));
  });
}

function rowOf(record: IdentityRecord): object {
  switch (record.kind) {
    case 'organization':
      return organizationRow(record);
    case 'user':
      return userRow(record);
    case 'membership':
      return membershipRow(record);
  }
}

/** PostgreSQL writes the same instant in another way. */
function instantOf(value: unknown): number | null {
  return typeof value === 'string' ? Date.parse(value) : null;
}

async function readRows(
  engine: Pick<HasuraClient, 'request'>,
  records: readonly IdentityRecord[],
): Promise<Map<string, StoredRow>> {
  const organizations = records.flatMap((one) => (one.kind === 'organization' ? [one.id] : []));
  const users = records.flatMap((one) => (one.kind === 'user' ? [one.id] : []));
  const members = new Map<string, string[]>();
  for (const one of records) {
    if (one.kind !== 'membership') continue;
    const users = members.get(one.organizationId);
    if (users === undefined) members.set(one.organizationId, [one.userId]);
    else users.push(one.userId);
  }

  const rows = new Map<string, StoredRow>();
  const read = [
    organizations.length > 0 &&
      engine.request(StoredOrganizationsDocument, { ids: organizations }).then((answer) => {
        for (const row of answer.organizations)
          rows.set(rowKeyOf({ kind: 'organization', tenant: '', id: row.id }), row);
      }),
    users.length > 0 &&
      engine.request(StoredUsersDocument, { ids: users }).then((answer) => {
        for (const row of answer.users) rows.set(rowKeyOf({ kind: 'user', tenant: '', id: row.id }), row);
      }),
    members.size > 0 &&
      engine
        .request(StoredMembershipsDocument, { where: { _or: [...members].map(membersOf) } })
        .then((answer) => {
          for (const row of answer.organization_memberships) {
            const { organization_id: organizationId, user_id: userId } = row;
            rows.set(rowKeyOf({ kind: 'membership', tenant: '', organizationId, userId }), row);
          }
        }),
  ];
  await Promise.all(read);
  return rows;
}

function membersOf([organizationId, userIds]: [string, string[]]) {
  return { organization_id: { _eq: organizationId }, user_id: { _in: userIds } };
}
