import { isDeepStrictEqual } from 'node:util';
import { EPOCH, type IdentityRecord, mayBeSameOwner, PROVIDER_NAMES, type RecordKey } from '#core/records.ts';
import type { HasuraClient } from '#hasura/client.ts';
import {
  StoredMembershipsDocument,
  StoredOrganizationsDocument,
  StoredUsersDocument,
} from '#hasura/generated/documents.ts';
import type { Directory } from '#providers/provider.ts';
import { keyOf } from './keys.ts';
import { membershipRow, organizationRow, userRow } from './rows.ts';

/**
 * What a listed record is to the tables
 * - `missing`: it is not there, or there as deleted before this state
 * - `stale`: an earlier state of it is there
 * - `sighted`: the user has been seen since, and nothing else is new; no provider tells of each sighting
 * - `same`: it is there, or a later state of it
 * - `taken`: its id is that of somebody or something else there
 */
export type Verdict = 'missing' | 'stale' | 'sighted' | 'same' | 'taken';

export interface Compared {
  readonly record: IdentityRecord;
  readonly verdict: Verdict;
  /** Whose row it is; undefined where there is none. */
  readonly owner: StoredPlace | undefined;
}

/** Of which provider and tenant a row is, and since when. */
export interface StoredPlace {
  readonly provider: string;
  /** Empty where it is not known. */
  readonly tenant: string;
  readonly source_created_at?: string | null;
  readonly deleted_at: string | null;
}

interface StoredRow extends StoredPlace {
  readonly source_updated_at: string;
  readonly disabled_at?: string | null;
  readonly last_seen?: string;
}

/** Of the records' own columns those that say when or whose, and not what. */
const NOT_CONTENT = new Set([
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
  engine: Pick<HasuraClient, 'ask'>,
  records: readonly IdentityRecord[],
  clock: Directory['clock'],
): Promise<Compared[]> {
  const stored = await readRows(engine, records);
  return records.map((record) => {
    const owner = stored.get(rowKeyOf(record));
    return { record, verdict: judge(record, owner, clock), owner };
  });
}

/** Rows go by their id alone, whosever it is. */
function rowKeyOf(key: RecordKey): string {
  return keyOf({ ...key, tenant: '' });
}

function judge(record: IdentityRecord, stored: StoredRow | undefined, clock: Directory['clock']): Verdict {
  if (stored === undefined) return record.deleted ? 'same' : 'missing';
  if (!isOf(record, stored)) return 'taken';
  const storedClock = Date.parse(stored.source_updated_at);
  const isNewer =
    record.clock > storedClock ||
    (record.clock === storedClock && record.deleted && stored.deleted_at === null);
  if (isNewer && !record.deleted && stored.deleted_at !== null) return 'missing';
  // A clock that only says when it was read is newer each time; a stub is at the epoch.
  const saysMore = clock === 'state' || storedClock === EPOCH || !hasContentOf(record, stored);
  if (isNewer && saysMore) return 'stale';
  if (isNewer && record.tenant !== '' && stored.tenant === '') return 'stale';
  // Whether somebody is disabled has a clock of its own.
  const isDisabled = stored.disabled_at !== null && stored.disabled_at !== undefined;
  if (record.kind === 'user' && !record.deleted && stored.deleted_at === null) {
    if (record.disabledCheckedAt > EPOCH && (record.disabledAt !== null) !== isDisabled) return 'stale';
  }
  const isSighted = record.kind === 'user' && record.lastSeen > Date.parse(stored.last_seen ?? '');
  return isSighted ? 'sighted' : 'same';
}

/** Whether a row may be of the provider and tenant that a record is of. */
function isOf(record: IdentityRecord, stored: StoredPlace): boolean {
  const provider = PROVIDER_NAMES.find((name) => name === stored.provider);
  return provider !== undefined && mayBeSameOwner(record, { provider, tenant: stored.tenant });
}

function hasContentOf(record: IdentityRecord, stored: StoredRow): boolean {
  const there = new Map<string, unknown>(Object.entries(stored));
  return Object.entries(rowOf(record)).every(([column, value]) => {
    if (NOT_CONTENT.has(column)) return true;
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
  engine: Pick<HasuraClient, 'ask'>,
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
      engine.ask(StoredOrganizationsDocument, { ids: organizations }).then((answer) => {
        for (const row of answer.organizations)
          rows.set(rowKeyOf({ kind: 'organization', tenant: '', id: row.id }), row);
      }),
    users.length > 0 &&
      engine.ask(StoredUsersDocument, { ids: users }).then((answer) => {
        for (const row of answer.users) rows.set(rowKeyOf({ kind: 'user', tenant: '', id: row.id }), row);
      }),
    members.size > 0 &&
      engine
        .ask(StoredMembershipsDocument, { where: { _or: [...members].map(membersOf) } })
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
