import { isDeepStrictEqual } from 'node:util';
import { EPOCH, type IdentityRecord } from '../core/records.ts';
import {
  StoredMembershipsDocument,
  StoredOrganizationsDocument,
  StoredUsersDocument,
} from '../hasura/generated/documents.ts';
import type { Engine } from '../hasura/graphql.ts';
import type { Directory } from '../providers/provider.ts';
import { keyOf } from './keys.ts';
import { membershipRow, organizationRow, userRow } from './rows.ts';

/**
 * What a listed record is to the tables
 * - `missing`: it is not there, or there as deleted before this state
 * - `stale`: an earlier state of it is there
 * - `sighted`: the user has been seen since, and nothing else is new; no provider tells of each sighting
 * - `same`: it is there, or a later state of it
 */
export type Verdict = 'missing' | 'stale' | 'sighted' | 'same';

interface StoredRow {
  readonly source_updated_at: string;
  readonly deleted_at: string | null;
  readonly last_seen?: string;
}

/** Of the records' own columns those that say when, and not what. */
const NOT_CONTENT = new Set(['source_updated_at', 'deleted_at', 'last_seen']);

/** Compares a page of records with their rows. */
export async function compare(
  engine: Pick<Engine, 'ask'>,
  records: readonly IdentityRecord[],
  clock: Directory['clock'],
): Promise<{ record: IdentityRecord; verdict: Verdict }[]> {
  const stored = await readRows(engine, records);
  return records.map((record) => ({ record, verdict: judge(record, stored.get(keyOf(record)), clock) }));
}

function judge(record: IdentityRecord, stored: StoredRow | undefined, clock: Directory['clock']): Verdict {
  if (stored === undefined) return record.deleted ? 'same' : 'missing';
  const storedClock = Date.parse(stored.source_updated_at);
  const isNewer =
    record.clock > storedClock ||
    (record.clock === storedClock && record.deleted && stored.deleted_at === null);
  if (isNewer && !record.deleted && stored.deleted_at !== null) return 'missing';
  // A clock that only says when it was read is newer each time; a stub is at the epoch.
  const saysMore = clock === 'state' || storedClock === EPOCH || !hasContentOf(record, stored);
  if (isNewer && saysMore) return 'stale';
  const isSighted = record.kind === 'user' && record.lastSeen > Date.parse(stored.last_seen ?? '');
  return isSighted ? 'sighted' : 'same';
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
  engine: Pick<Engine, 'ask'>,
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
        for (const row of answer.organizations) rows.set(keyOf({ kind: 'organization', id: row.id }), row);
      }),
    users.length > 0 &&
      engine.ask(StoredUsersDocument, { ids: users }).then((answer) => {
        for (const row of answer.users) rows.set(keyOf({ kind: 'user', id: row.id }), row);
      }),
    members.size > 0 &&
      engine
        .ask(StoredMembershipsDocument, { where: { _or: [...members].map(membersOf) } })
        .then((answer) => {
          for (const row of answer.organization_memberships) {
            const { organization_id: organizationId, user_id: userId } = row;
            rows.set(keyOf({ kind: 'membership', organizationId, userId }), row);
          }
        }),
  ];
  await Promise.all(read);
  return rows;
}

function membersOf([organizationId, userIds]: [string, string[]]) {
  return { organization_id: { _eq: organizationId }, user_id: { _in: userIds } };
}
