import { LatchkeyError } from '@latchkey/core/errors';
import { type IdentityRecord, UNCERTAIN_TENANT } from '#core/records.ts';
import type { DirectoryPage, Listing } from '#providers/provider.ts';
import { compare, type RowOwner } from './compare.ts';
import type { KeySet } from './key-set.ts';
import { keyOf } from './keys.ts';
import { mapInOrder } from './map-in-order.ts';
import { markMoved } from './moved-users.ts';
import type { ReconcileContext, ReconcilePosition } from './reconcile-context.ts';
import { addExample, addPage, type Report, sum } from './report.ts';

/** Pages compared or written at once: enough to keep the engine busy while the next one is fetched. */
export const PAGE_CONCURRENCY = 4;

export type ReportProgress = (phase: ReconcilePosition['phase'], rows: number) => void;

/** What the steps of a reconcile share. */
export interface StepOptions {
  /** The keys that the listing has named so far. */
  readonly listedKeys: KeySet;
  readonly signal: AbortSignal;
  readonly reportProgress: ReportProgress;
}

/** Reads the whole directory, compares it with the tables, and writes what differs. */
export async function compareListing(
  context: ReconcileContext,
  report: Report,
  {
    listedKeys,
    signal,
    reportProgress,
    cursor,
    write,
    onPage = () => {},
  }: StepOptions & {
    readonly cursor?: string | undefined;
    /** Undefined to compare only. */
    readonly write?: (records: IdentityRecord[]) => Promise<void>;
    /** Called with each page when it and all before it have been compared and written. */
    readonly onPage?: (page: DirectoryPage) => void;
  },
): Promise<void> {
  const { directory } = context.provider;
  const work = async ({ records }: DirectoryPage) => {
    signal.throwIfAborted();
    const fresh = records.filter((record) => {
      const isFresh = !listedKeys.has(keyOf(record));
      listedKeys.add(keyOf(record));
      return isFresh;
    });
    const compared = await markMoved(context, await compare(context.engine, fresh, directory.clock), signal);
    await write?.(compared.flatMap(({ record, status }) => (status === 'same' ? [] : [record])));
    return compared;
  };
  const finished = (page: DirectoryPage, compared: Awaited<ReturnType<typeof work>>): void => {
    addPage(report, page);
    for (const { record, status, owner } of compared) {
      report.listed[record.kind] += 1;
      // Where it is written, the database has the last word, and refuses it.
      if (status === 'id-taken' && write === undefined) {
        report.refused[record.kind] += 1;
        addExample(report, 'refused', record, idTakenReason(owner));
      }
      if (status !== 'missing' && status !== 'stale') continue;
      report.drift[status][record.kind] += 1;
      addExample(report, status, record);
    }
    onPage(page);
    reportProgress('reading', sum(report.listed));
  };
  await mapInOrder(pagesFrom(directory, cursor, signal), PAGE_CONCURRENCY, work, finished);
}

function idTakenReason(owner: RowOwner | undefined): string {
  const whose = [owner?.provider, owner?.tenant].filter(Boolean).join(' ');
  if (owner?.tenant === UNCERTAIN_TENANT) {
    return 'it is not known which tenant its row is of: set the tenant of the row by hand (docs/sync.md)';
  }
  return `its id is that of a row of ${whose} already: whoever of the two has it wrongly must get another id`;
}

/** From the beginning, where the provider does not know the cursor any more. */
export async function* pagesFrom(
  directory: Listing,
  cursor: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<DirectoryPage> {
  // Pages that are read anew whatever the cursor give the same one.
  let reached = cursor;
  try {
    for await (const page of directory.pages({ ...(cursor !== undefined && { cursor }), signal })) {
      reached = page.cursor;
      yield page;
    }
  } catch (error) {
    const isCursorExpired = error instanceof LatchkeyError && error.code === 'request-invalid';
    if (!isCursorExpired || cursor === undefined || reached !== cursor) throw error;
    yield* directory.pages({ signal });
  }
}
