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
const BATCH = 1_000;
/** Hasura waits a minute for a cron trigger; what is left over is the next run's. */
const LONGEST_MS = 40_000;

/** What a clearing did; `left` where its time was up before its work was. */
export interface Cleared {
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
  engine: Pick<HasuraClient, 'ask'>,
  { days, now = Date.now }: { days: number; now?: () => Instant },
): Promise<Cleared> {
  const before = new Date(now() - days * DAY_MS).toISOString();
  const { delete_identity_reconciles: runs } = await engine.ask(DropRunsDocument, { before });
  const cleared = await inBatches(
    async () => (await engine.ask(OldDeliveriesDocument, { before, limit: BATCH })).identity_deliveries,
    async (ids) => (await engine.ask(DropDeliveriesDocument, { ids, before })).delete_identity_deliveries,
  );
  return { ...cleared, runs: runs?.affected_rows ?? 0 };
}

/**
 * Erases what the ledger keeps of users who are deleted. The deletion itself erases all that came
 * before it; this is for what comes late, when its sender tries once more.
 *
 * @throws LatchkeyError what the {@link HasuraClient} throws; what was done until then stays done
 */
export function erasePayloads(engine: Pick<HasuraClient, 'ask'>): Promise<Cleared> {
  return inBatches(
    async () => (await engine.ask(PayloadsOfDeletedUsersDocument, { limit: BATCH })).identity_deliveries,
    async (ids) => (await engine.ask(ErasePayloadsDocument, { ids })).update_identity_deliveries,
  );
}

async function inBatches(
  next: () => Promise<readonly { id: string }[]>,
  clear: (ids: string[]) => Promise<{ affected_rows: number } | null>,
): Promise<Cleared> {
  const end = performance.now() + LONGEST_MS;
  let deliveries = 0;
  for (;;) {
    const ids = (await next()).map(({ id }) => id);
    if (ids.length > 0) deliveries += (await clear(ids))?.affected_rows ?? 0;
    if (ids.length < BATCH) return { deliveries, left: false };
    if (performance.now() > end) return { deliveries, left: true };
  }
}
