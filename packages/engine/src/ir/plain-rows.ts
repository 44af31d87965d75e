/** Rows to insert that are data alone: the same columns each, whose values fit. */
import type { Column } from './tracked.ts';

export interface PlainRows {
  /** Each with its values, row by row, as PostgreSQL's text form. */
  readonly columns: readonly PlainColumn[];
  readonly count: number;
}

export interface PlainColumn {
  readonly column: Column;
  readonly values: readonly (string | null)[];
}
