import type { HasuraClient } from '#hasura/client.ts';
import type { Listed } from '#providers/parts.ts';
import type { Writer } from './writer.ts';

/** What a reconcile works with, in the service as in a command. */
export interface ReconcileContext {
  readonly provider: Listed;
  readonly engine: Pick<HasuraClient, 'request'>;
  readonly writer: Pick<Writer, 'write'>;
  readonly signal?: AbortSignal | undefined;
  /** Called after each page. */
  readonly onProgress?: ((progress: ReconcilePosition) => void) | undefined;
}

export interface ReconcilePosition {
  readonly phase: 'reading' | 'looking for what is gone' | 'deleting';
  /** Done in this phase. When a run is resumed, what was done before counts too. */
  readonly rows: number;
  /** About how many there are, where that is known. */
  readonly total: number | undefined;
}
