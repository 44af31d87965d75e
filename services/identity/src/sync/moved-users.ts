import { mayHaveMoved, type UserRecord } from '#core/records.ts';
import { type ComparedRecord, compare } from './compare.ts';
import type { ReconcileContext } from './reconcile-context.ts';
import type { RefusedRecord } from './write-all.ts';

/**
 * The same user with the tenant that they have left, where their row is another tenant's and the provider,
 * asked for their place there, says that it is empty. A move is believed for no other reason; nor of a
 * tombstone, for an id must not become somebody else's by the deletion of its bearer.
 *
 * @returns undefined where it is not so: then somebody else has the id
 * @throws LatchkeyError what the provider's API throws
 */
async function movedUser(
  { provider }: Pick<ReconcileContext, 'provider'>,
  { record, status, owner }: ComparedRecord,
  signal: AbortSignal,
): Promise<UserRecord | undefined> {
  if (status !== 'id-taken' || record.kind !== 'user' || record.deleted) return undefined;
  if (owner === undefined || owner.provider !== provider.name) return undefined;
  const { tenant, source_created_at: createdAt, deleted_at: deletedAt } = owner;
  const row = {
    sourceCreatedAt: typeof createdAt === 'string' ? Date.parse(createdAt) : null,
    deleted: deletedAt !== null,
  };
  if (!mayHaveMoved(record, row)) return undefined;
  const hasLeft = await provider.directory.hasLeft?.({ tenant, id: record.id }, signal);
  return hasLeft === true ? { ...record, previousTenant: tenant } : undefined;
}

/** The same, with users who have moved as stale records that say so. */
export function markMoved(
  context: Pick<ReconcileContext, 'provider'>,
  compared: readonly ComparedRecord[],
  signal: AbortSignal,
): Promise<ComparedRecord[]> {
  return Promise.all(
    compared.map(async (one): Promise<ComparedRecord> => {
      const record = await movedUser(context, one, signal);
      return record === undefined ? one : { ...one, record, status: 'stale' };
    }),
  );
}

/** @returns by their ids, those users among refused records who have moved */
export async function findMoved(
  context: ReconcileContext,
  refused: readonly RefusedRecord[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, UserRecord>> {
  const users = refused.flatMap(({ record }) => (record.kind === 'user' && !record.deleted ? [record] : []));
  const moved = new Map<string, UserRecord>();
  if (users.length === 0) return moved;
  const compared = await compare(context.engine, users, context.provider.directory.clock);
  for (const { record, status } of await markMoved(context, compared, signal)) {
    if (record.kind === 'user' && status === 'stale' && record.previousTenant !== undefined) {
      moved.set(record.id, record);
    }
  }
  return moved;
}
