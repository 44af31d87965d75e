import type { IdentityRecord } from '#core/records.ts';
import { findMoved } from './moved-users.ts';
import type { ReconcileContext } from './reconcile-context.ts';
import { addExample, type Report } from './report.ts';
import { writeAll } from './write-all.ts';

/**
 * Writes records that a provider was asked for, and counts them in the report. What is refused because
 * its user seems to be another tenant's is written after all where that user has moved: where the
 * provider, asked for their old place, says that it is empty, or has said so when they were compared.
 *
 * @throws LatchkeyError as {@link writeAll} does, and what the provider's API throws
 */
export async function writeAndCount(
  context: ReconcileContext,
  report: Report,
  records: readonly IdentityRecord[],
  signal: AbortSignal,
): Promise<void> {
  let refused = await writeAll(context.writer, records, signal);
  const moved = await findMoved(context, refused, signal);
  // Theirs is refused that came to be written before they were.
  const movers = new Set(moved.keys());
  for (const record of records) {
    if (record.kind === 'user' && record.previousTenant !== undefined) movers.add(record.id);
  }
  if (refused.length > 0 && movers.size > 0) {
    const again = (record: IdentityRecord): IdentityRecord | undefined =>
      record.kind === 'user'
        ? moved.get(record.id)
        : record.kind === 'membership' && movers.has(record.userId)
          ? record
          : undefined;
    const left = refused.filter(({ record }) => again(record) === undefined);
    const arrived = refused.flatMap(({ record }) => again(record) ?? []);
    refused = [...left, ...(await writeAll(context.writer, arrived, signal))];
  }
  for (const { kind, deleted } of records) report[deleted ? 'deleted' : 'written'][kind] += 1;
  const users = new Set(refused.flatMap(({ record }) => (record.kind === 'user' ? [record.id] : [])));
  for (const { record, reason } of refused) {
    report[record.deleted ? 'deleted' : 'written'][record.kind] -= 1;
    report.refused[record.kind] += 1;
    // Where a user is refused, it goes without saying that their memberships are.
    const isImplied = record.kind === 'membership' && users.has(record.userId);
    if (!isImplied) addExample(report, 'refused', record, reason);
  }
}
