import { LatchkeyError } from '@latchkey/core/errors';
import { type IdentityRecord, UNCERTAIN_TENANT } from '#core/records.ts';
import type { Directory, DirectoryPage } from '#providers/provider.ts';
import { compare, type StoredPlace } from './compare.ts';
import type { KeySet } from './key-set.ts';
import { keyOf } from './keys.ts';
import { mapInOrder } from './map-in-order.ts';
import { withMoved } from './moved.ts';
import type { ReconcileContext, ReconcilePosition } from './reconcile-context.ts';
import { addExample, addPage, type Report, sum } from './report.ts';

/** Pages compared or written at once: enough to keep the engine busy while the next one is fetched. */
export const PAGES_AT_ONCE = 4;

export type Tell = (phase: ReconcilePosition['phase'], rows: number) => void;

export interface Sweep {
  readonly seen: KeySet;
  readonly signal: AbortSignal;
  readonly tell: Tell;
}

/** Reads the whole directory, and hands on what is not in the tables as it is there. */
export async function list(
  context: ReconcileContext,
  report: Report,
  {
    seen,
    signal,
    tell,
    cursor,
    heal,
    listed = () => {},
  }: Sweep & {
    readonly cursor?: string | undefined;
    readonly heal?: (records: IdentityRecord[]) => Promise<void>;
    /** Told of each page when it and all before it have been compared and handed on. */
    readonly listed?: (page: DirectoryPage) => void;
  },
): Promise<void> {
  const { directory } = context.provider;
  const work = async ({ records }: DirectoryPage) => {
    signal.throwIfAborted();
    const fresh = records.filter((record) => {
      const isFresh = !seen.has(keyOf(record));
      seen.add(keyOf(record));
      return isFresh;
    });
    const compared = await withMoved(context, await compare(context.engine, fresh, directory.clock), signal);
    await heal?.(compared.flatMap(({ record, verdict }) => (verdict === 'same' ? [] : [record])));
    return compared;
  };
  const finished = (page: DirectoryPage, compared: Awaited<ReturnType<typeof work>>): void => {
    addPage(report, page);
    for (const { record, verdict, owner } of compared) {
      report.listed[record.kind] += 1;
      // Where it is written, the database has the last word, and refuses it.
      if (verdict === 'taken' && heal === undefined) {
        report.refused[record.kind] += 1;
        addExample(report, 'refused', record, takenBy(owner));
      }
      if (verdict !== 'missing' && verdict !== 'stale') continue;
      report.drift[verdict][record.kind] += 1;
      addExample(report, verdict, record);
    }
    listed(page);
    tell('reading', sum(report.listed));
  };
  await mapInOrder(pagesFrom(directory, cursor, signal), PAGES_AT_ONCE, work, finished);
}

function takenBy(owner: StoredPlace | undefined): string {
  const whose = [owner?.provider, owner?.tenant].filter(Boolean).join(' ');
  if (owner?.tenant === UNCERTAIN_TENANT) {
    return 'it is not known which tenant its row is of: set the tenant of the row by hand (docs/sync.md)';
  }
  return `its id is that of a row of ${whose} already: whoever of the two has it wrongly must get another id`;
}

/** From the beginning, where the provider does not know the cursor any more. */
export async function* pagesFrom(
  directory: Directory,
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
    const isForgotten = error instanceof LatchkeyError && error.code === 'request-invalid';
    if (!isForgotten || cursor === undefined || reached !== cursor) throw error;
    yield* directory.pages({ signal });
  }
}
