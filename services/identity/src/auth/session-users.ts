import { arrayLiteral, claimText } from '@latchkey/core/claim-text';
import type { CustomClaim } from '@latchkey/core/settings/claims';
import { LRUCache } from 'lru-cache';
import { isJsonObject } from '#core/payload.ts';
import { mayBeSameOwner } from '#core/records.ts';
import type { StoredUser } from '#core/session-check.ts';
import type { HasuraClient } from '#hasura/client.ts';
import { SessionUsersDocument, type SessionUsersQuery } from '#hasura/generated/documents.ts';
import { definitionOf } from '#providers/registry.ts';

/** What a session is made of besides its token. */
export interface SessionUser extends StoredUser {
  /** What the row says of the organizations and of the claims; a claim that it does not hold is not there. */
  readonly variables: Readonly<Record<string, string>>;
}

/** The rows of those who have tokens, each at most a few seconds old. */
export interface SessionUsers {
  /**
   * @returns undefined where there is no row
   * @throws LatchkeyError what the {@link HasuraClient} throws, which is not cached
   */
  find(id: string): Promise<SessionUser | undefined>;
  /** Removes these from the cache: they have changed. */
  forget(ids: Iterable<string>): void;
}

/** How old a row may be: a session ends at most so much later than its user. */
export const SESSION_USER_SECONDS = 5;
/** A row in use is read again after this share of its time, and nobody waits for it. */
const REFRESH_AFTER = 0.6;
const MAX_USERS = 10_000;
/** Of the variables of all cached users: some have a thousand organizations. */
const MAX_CACHED_CHARACTERS = 16 * 1024 * 1024;
/** Between two queries: one query asks for all who come meanwhile. */
const BATCH_DELAY_MS = 10;
/** The same for rows that nobody waits for: the number of queries costs, not the number of rows in them. */
const REFRESH_DELAY_MS = 500;
const MAX_BATCH_IDS = 500;
const MAX_QUERIES = 4;
const MAX_MEMBERSHIPS = 1_000;

interface CachedUser {
  readonly user: SessionUser | undefined;
  /** From when on it is to be read again, on the clock of `performance.now()`; endless while it is. */
  refreshAt: number;
}

interface PendingLookup {
  readonly promise: Promise<SessionUser | undefined>;
  resolve(user: SessionUser | undefined): void;
  reject(error: unknown): void;
}

/**
 * Reads rows for the auth hook: not one query for each request, but one for all whose rows are not cached or
 * are too old, and no more than a hundred of them a second.
 *
 * @param claims which attributes are wanted
 * @param options.lifetimeMs,options.maxUsers in place of the defaults, for tests
 */
export function createSessionUsers(
  engine: Pick<HasuraClient, 'request'>,
  claims: readonly CustomClaim[],
  { lifetimeMs = SESSION_USER_SECONDS * 1000, maxUsers = MAX_USERS } = {},
): SessionUsers {
  const cache = new LRUCache<string, CachedUser>({
    max: maxUsers,
    ttl: lifetimeMs,
    maxSize: MAX_CACHED_CHARACTERS,
    sizeCalculation: ({ user }, id) => id.length + 100 + sizeOf(user),
  });
  const waiting = new Map<string, PendingLookup>();
  const underWay = new Map<string, PendingLookup>();
  let queries = 0;
  let sentAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Number.POSITIVE_INFINITY;

  /** Sends the waiting look-ups within so many milliseconds, if a query is free. */
  function scheduleQuery(wait: number): void {
    if (queries >= MAX_QUERIES || waiting.size === 0) return;
    const now = performance.now();
    const at = Math.max(now + wait, sentAt + BATCH_DELAY_MS);
    if (at >= dueAt) return;
    clearTimeout(timer);
    dueAt = at;
    timer = setTimeout(sendQuery, at - now);
  }

  function sendQuery(): void {
    dueAt = Number.POSITIVE_INFINITY;
    sentAt = performance.now();
    const batch = new Map([...waiting].slice(0, MAX_BATCH_IDS));
    for (const [id, lookup] of batch) {
      waiting.delete(id);
      underWay.set(id, lookup);
    }
    void runQuery(batch);
    scheduleQuery(0);
  }

  async function runQuery(batch: ReadonlyMap<string, PendingLookup>): Promise<void> {
    const startedAt = performance.now();
    queries += 1;
    try {
      const { users } = await engine.request(SessionUsersDocument, {
        ids: [...batch.keys()],
        withMetadata: claims.length > 0,
        mostMemberships: MAX_MEMBERSHIPS,
      });
      const rows = new Map(users.map((row) => [row.id, row]));
      for (const [id, lookup] of batch) {
        const row = rows.get(id);
        const user = row && sessionUser(row, claims);
        // A row that was forgotten meanwhile may have been read before the change.
        if (underWay.get(id) === lookup)
          cache.set(id, { user, refreshAt: startedAt + lifetimeMs * REFRESH_AFTER }, { start: startedAt });
        lookup.resolve(user);
      }
    } catch (error) {
      for (const { reject } of batch.values()) reject(error);
      // The others would fail too, only later.
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    } finally {
      queries -= 1;
      for (const [id, lookup] of batch) if (underWay.get(id) === lookup) underWay.delete(id);
      scheduleQuery(0);
    }
  }

  function lookUp(id: string, wait: number): Promise<SessionUser | undefined> {
    const lookup = waiting.get(id) ?? underWay.get(id) ?? Promise.withResolvers<SessionUser | undefined>();
    if (!underWay.has(id)) waiting.set(id, lookup);
    scheduleQuery(wait);
    return lookup.promise;
  }

  return {
    async find(id) {
      const found = cache.get(id);
      if (found === undefined) return lookUp(id, 0);
      if (performance.now() > found.refreshAt) {
        found.refreshAt = Number.POSITIVE_INFINITY;
        // If that fails, whoever comes when the row is too old finds out.
        lookUp(id, REFRESH_DELAY_MS).catch(() => {});
      }
      return found.user;
    },
    forget(ids) {
      for (const id of ids) {
        cache.delete(id);
        underWay.delete(id);
      }
    },
  };
}

type Row = SessionUsersQuery['users'][number];

function sessionUser(row: Row, claims: readonly CustomClaim[]): SessionUser {
  const instant = (text: string | null) => (text === null ? null : Date.parse(text));
  return {
    provider: row.provider,
    tenant: row.tenant,
    deletedAt: instant(row.deleted_at),
    disabledAt: instant(row.disabled_at),
    tokensValidFrom: instant(row.tokens_valid_from),
    variables: { ...organizationVariables(row), ...claimVariables(row, claims) },
  };
}

function organizationVariables(row: Row): Record<string, string> {
  const { provider, tenant } = row;
  // What of another owner's organizations may have got in before they were told apart does not count.
  const own = row.memberships.filter((one) => mayBeSameOwner(row, one));
  // Where users are of one organization, it is their tenant; elsewhere the token tells the active one.
  const isTenant = definitionOf(provider)?.facts.activeOrganization === 'tenant';
  const active = isTenant ? own.find((one) => one.organization_id === tenant) : undefined;
  return {
    'x-hasura-org-ids': arrayLiteral(own.map((one) => one.organization_id)),
    ...(active && { 'x-hasura-org-id': active.organization_id, 'x-hasura-org-role': active.role ?? '' }),
  };
}

function claimVariables({ provider, metadata }: Row, claims: readonly CustomClaim[]): Record<string, string> {
  const { attributeOf } = definitionOf(provider)?.facts ?? {};
  if (attributeOf === undefined || !isJsonObject(metadata)) return {};
  const held = claims.flatMap((claim) => {
    const attribute = attributeOf(claim);
    return Object.hasOwn(metadata, attribute)
      ? [[claim.variable, claimText(metadata[attribute])] as const]
      : [];
  });
  return Object.fromEntries(held);
}

function sizeOf(user: SessionUser | undefined): number {
  return Object.values(user?.variables ?? {}).reduce((sum, text) => sum + text.length, 0);
}
