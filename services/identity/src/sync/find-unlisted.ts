import {
  type IdentityRecord,
  type Instant,
  type ProviderName,
  type RecordKey,
  UNCERTAIN_TENANT,
} from '#core/records.ts';
import type { HasuraClient } from '#hasura/client.ts';
import {
  WalkMembershipsDocument,
  WalkOrganizationsDocument,
  WalkUsersDocument,
} from '#hasura/generated/documents.ts';
import type { KeySet } from './key-set.ts';
import { keyOf } from './keys.ts';

/** A live row that a complete listing did not name. */
export interface UnlistedRow {
  readonly key: RecordKey;
  /** `orphaned`: a membership whose user or organization is deleted here already. */
  readonly problem: 'extra' | 'orphaned';
  /** A membership that only goes with its user or organization, which was not listed either. */
  readonly isImplied: boolean;
}

/** A page of live rows, and which of them were not listed. */
export interface RowPage {
  readonly kind: IdentityRecord['kind'];
  /** How many live rows the page has. */
  readonly liveRows: number;
  readonly unlisted: readonly UnlistedRow[];
}

/** A complete listing of what a provider holds. */
export interface Listing {
  readonly provider: ProviderName;
  readonly tenants: readonly string[] | undefined;
  readonly keys: KeySet;
  readonly startedAt: Instant;
}

interface LiveRow {
  readonly id: string;
  readonly tenant: string;
  readonly source_updated_at: string;
}

const PAGE_SIZE = 1_000;

/**
 * Reads a provider's live rows in the order of their ids: organizations, users, memberships. A row
 * whose clock is not older than the listing is left alone, for the listing may have passed its place
 * before it came.
 *
 * @param listing.tenants those that were listed; undefined for all. Rows of others are left alone
 * @param listing.startedAt when the listing began
 */
export async function* findUnlisted(
  engine: Pick<HasuraClient, 'request'>,
  { provider, tenants, keys, startedAt }: Listing,
): AsyncGenerator<RowPage> {
  const isUnlisted = (key: RecordKey, clock: string) =>
    Date.parse(clock) < startedAt && key.tenant !== UNCERTAIN_TENANT && !isListed(key);
  // Where a tenant is not known, on either side, any will do: it is the same provider's.
  const isListed = (key: RecordKey) =>
    [key.tenant, '', ...(key.tenant === '' ? (tenants ?? []) : [])].some((tenant) =>
      keys.has(keyOf({ ...key, tenant })),
    );
  const unlistedOf = (kind: 'user' | 'organization', rows: readonly LiveRow[]) =>
    rows.flatMap(({ id, tenant, source_updated_at }): UnlistedRow[] =>
      isUnlisted({ kind, tenant, id }, source_updated_at)
        ? [{ key: { kind, tenant, id }, problem: 'extra', isImplied: false }]
        : [],
    );

  let rows: LiveRow[] = [];
  const tenant = tenants === undefined ? {} : { _in: [...tenants, ''] };
  const from = () => ({ provider, tenant, after: rows.at(-1)?.id ?? '', limit: PAGE_SIZE });
  do {
    rows = (await engine.request(WalkOrganizationsDocument, from())).organizations;
    yield { kind: 'organization', liveRows: rows.length, unlisted: unlistedOf('organization', rows) };
  } while (rows.length === PAGE_SIZE);

  rows = [];
  do {
    rows = (await engine.request(WalkUsersDocument, from())).users;
    yield { kind: 'user', liveRows: rows.length, unlisted: unlistedOf('user', rows) };
  } while (rows.length === PAGE_SIZE);

  let [organization, user] = ['', ''];
  for (;;) {
    const place = { provider, tenant, organization, user, limit: PAGE_SIZE };
    const { rest, next } = await engine.request(WalkMembershipsDocument, place);
    const members = rest.length === PAGE_SIZE ? rest : [...rest, ...next];
    yield {
      kind: 'membership',
      liveRows: members.length,
      unlisted: members.flatMap((row): UnlistedRow[] => {
        const { tenant, organization_id: organizationId, user_id: userId } = row;
        const key = { kind: 'membership', tenant, organizationId, userId } as const;
        if (!isUnlisted(key, row.source_updated_at)) return [];
        const isOrphaned = row.organization.deleted_at !== null || row.user.deleted_at !== null;
        const hasParents =
          isListed({ kind: 'organization', tenant, id: organizationId }) &&
          isListed({ kind: 'user', tenant, id: userId });
        return [{ key, problem: isOrphaned ? 'orphaned' : 'extra', isImplied: isOrphaned || !hasParents }];
      }),
    };
    const last = members.at(-1);
    if (last === undefined || (rest.length < PAGE_SIZE && next.length < PAGE_SIZE)) return;
    organization = last.organization_id;
    user = last.user_id;
  }
}
