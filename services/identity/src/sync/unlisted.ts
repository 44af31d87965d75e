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
export interface Unlisted {
  readonly key: RecordKey;
  /** `orphaned`: a membership whose user or organization is deleted here already. */
  readonly problem: 'extra' | 'orphaned';
  /** A membership that only goes with its user or organization, which was not listed either. */
  readonly isImplied: boolean;
}

export interface Walked {
  readonly kind: IdentityRecord['kind'];
  /** The live rows on this stretch. */
  readonly live: number;
  readonly unlisted: readonly Unlisted[];
}

export interface Listed {
  readonly provider: ProviderName;
  readonly tenants: readonly string[] | undefined;
  readonly seen: KeySet;
  readonly began: Instant;
}

interface WalkedRow {
  readonly id: string;
  readonly tenant: string;
  readonly source_updated_at: string;
}

const STRETCH = 1_000;

/**
 * Walks a provider's live rows in the order of their ids: organizations, users, memberships. A row
 * whose clock is not older than the listing is left alone, for the listing may have passed its place
 * before it came.
 *
 * @param listed.tenants those that were listed; undefined for all. Rows of others are left alone
 * @param listed.began when the listing began
 */
export async function* walkUnlisted(
  engine: Pick<HasuraClient, 'ask'>,
  { provider, tenants, seen, began }: Listed,
): AsyncGenerator<Walked> {
  const isUnlisted = (key: RecordKey, clock: string) =>
    Date.parse(clock) < began && key.tenant !== UNCERTAIN_TENANT && !isListed(key);
  // Where a tenant is not known, on either side, any will do: it is the same provider's.
  const isListed = (key: RecordKey) =>
    [key.tenant, '', ...(key.tenant === '' ? (tenants ?? []) : [])].some((tenant) =>
      seen.has(keyOf({ ...key, tenant })),
    );
  const unlistedOf = (kind: 'user' | 'organization', rows: readonly WalkedRow[]) =>
    rows.flatMap(({ id, tenant, source_updated_at }): Unlisted[] =>
      isUnlisted({ kind, tenant, id }, source_updated_at)
        ? [{ key: { kind, tenant, id }, problem: 'extra', isImplied: false }]
        : [],
    );

  let rows: WalkedRow[] = [];
  const tenant = tenants === undefined ? {} : { _in: [...tenants, ''] };
  const from = () => ({ provider, tenant, after: rows.at(-1)?.id ?? '', limit: STRETCH });
  do {
    rows = (await engine.ask(WalkOrganizationsDocument, from())).organizations;
    yield { kind: 'organization', live: rows.length, unlisted: unlistedOf('organization', rows) };
  } while (rows.length === STRETCH);

  rows = [];
  do {
    rows = (await engine.ask(WalkUsersDocument, from())).users;
    yield { kind: 'user', live: rows.length, unlisted: unlistedOf('user', rows) };
  } while (rows.length === STRETCH);

  let [organization, user] = ['', ''];
  for (;;) {
    const place = { provider, tenant, organization, user, limit: STRETCH };
    const { rest, next } = await engine.ask(WalkMembershipsDocument, place);
    const members = rest.length === STRETCH ? rest : [...rest, ...next];
    yield {
      kind: 'membership',
      live: members.length,
      unlisted: members.flatMap((row): Unlisted[] => {
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
    if (last === undefined || (rest.length < STRETCH && next.length < STRETCH)) return;
    organization = last.organization_id;
    user = last.user_id;
  }
}
