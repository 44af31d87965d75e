import type { IdentityRecord, Instant, ProviderName, RecordKey } from '../core/records.ts';
import {
  WalkMembershipsDocument,
  WalkOrganizationsDocument,
  WalkUsersDocument,
} from '../hasura/generated/documents.ts';
import type { Engine } from '../hasura/graphql.ts';
import { keyOf } from './keys.ts';
import type { Seen } from './seen.ts';

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

const STRETCH = 1_000;

/**
 * Walks a provider's live rows in the order of their ids: organizations, users, memberships. A row
 * whose clock is not older than the listing is left alone, for the listing may have passed its place
 * before it came.
 *
 * @param began when the listing began
 */
export async function* walkUnlisted(
  engine: Pick<Engine, 'ask'>,
  { provider, seen, began }: { provider: ProviderName; seen: Seen; began: Instant },
): AsyncGenerator<Walked> {
  const isUnlisted = (key: RecordKey, clock: string) => Date.parse(clock) < began && !seen.has(keyOf(key));
  const unlistedOf = (kind: 'user' | 'organization', rows: { id: string; source_updated_at: string }[]) =>
    rows.flatMap(({ id, source_updated_at }): Unlisted[] =>
      isUnlisted({ kind, id }, source_updated_at)
        ? [{ key: { kind, id }, problem: 'extra', isImplied: false }]
        : [],
    );

  let rows: { id: string; source_updated_at: string }[] = [];
  const from = () => ({ provider, after: rows.at(-1)?.id ?? '', limit: STRETCH });
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
    const place = { provider, organization, user, limit: STRETCH };
    const { rest, next } = await engine.ask(WalkMembershipsDocument, place);
    const members = rest.length === STRETCH ? rest : [...rest, ...next];
    yield {
      kind: 'membership',
      live: members.length,
      unlisted: members.flatMap((row): Unlisted[] => {
        const key = { kind: 'membership', organizationId: row.organization_id, userId: row.user_id } as const;
        if (!isUnlisted(key, row.source_updated_at)) return [];
        const isOrphaned = row.organization.deleted_at !== null || row.user.deleted_at !== null;
        const hasParents =
          seen.has(keyOf({ kind: 'organization', id: key.organizationId })) &&
          seen.has(keyOf({ kind: 'user', id: key.userId }));
        return [{ key, problem: isOrphaned ? 'orphaned' : 'extra', isImplied: isOrphaned || !hasParents }];
      }),
    };
    const last = members.at(-1);
    if (last === undefined || (rest.length < STRETCH && next.length < STRETCH)) return;
    organization = last.organization_id;
    user = last.user_id;
  }
}
