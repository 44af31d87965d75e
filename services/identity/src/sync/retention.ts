import type { Instant } from '#core/records.ts';
import type { HasuraClient } from '#hasura/client.ts';
import {
  DropDeliveriesDocument,
  DropRunsDocument,
  ErasePayloadsDocument,
  OldDeliveriesDocument,
  PayloadsOfDeletedUsersDocument,
} from '#hasura/generated/documents.ts';

const DAY_MS = 86_400_000;
/** Rows in one mutation: enough to be quick, and too few to hold locks for long. */
const BATCH_SIZE = 1_000;
/** Hasura waits a minute for a cron trigger; what is left over is the next run's. */
const MAX_DURATION_MS = 40_000;

/** What was removed or erased; `left` where the time was up before all was done. */
export interface CleanupResult {
  readonly deliveries: number;
  readonly runs?: number;
  readonly left: boolean;
}

/**
 * Removes from the ledger what came more than so many days ago, dead deliveries too, and old runs of
 * the reconcile. Two at once do no harm: each row goes once.
 *
 * @throws LatchkeyError what the {@link HasuraClient} throws; what was done until then stays done
 */
export async function clearLedger(
  engine: Pick<HasuraClient, 'request'>,
  { days, now = Date.now }: { days: number; now?: () => Instant },
): Promise<CleanupResult> {
  const before = new Date(now() - days * DAY_MS).toISOString();
  const { delete_identity_reconciles: runs } = await engine.request(DropRunsDocument, { before });
  const cleared = await inBatches(
    async () =>
      (await engine.request(OldDeliveriesDocument, { before, limit: BATCH_SIZE })).identity_deliveries,
    async (ids) => (await engine.request(DropDeliveriesDocument, { ids, before })).delete_identity_deliveries,
  );
  return { ...cleared, runs: runs?.affected_rows ?? 0 };
}

/**
 * Erases what the ledger keeps of users who are deleted. The deletion itself erases all that came
 * before it; this is for what comes late, when its sender tries once more.
 *
 * @throws LatchkeyError what the {@link HasuraClient} throws; what was done until then stays done
 */
export function erasePayloads(engine: Pick<HasuraClient, 'request'>): Promise<CleanupResult> {
  return inBatches(
    async () =>
      (await engine.request(PayloadsOfDeletedUsersDocument, { limit: BATCH_SIZE })).identity_deliveries,
    async (ids) => (await engine.request(ErasePayloadsDocument, { ids })).update_identity_deliveries,
  );
}

async function inBatches(
  next: () => Promise<readonly { id: string }[]>,
  clear: (ids: string[]) => Promise<{ affected_rows: number } | null>,
): Promise<CleanupResult> {
  const end = performance.now() + MAX_DURATION_MS;
  let deliveries = 0;
  for (;;) {
    const ids = (await next()).map(({ id }) => id);
    if (ids.length > 0) deliveries += (await clear(ids))?.affected_rows ?? 0;
    if (ids.length < BATCH_SIZE) return { deliveries, left: false };
    if (performance.now() > end) return { deliveries, left: true };
  }
}
