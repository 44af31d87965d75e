/** What a filter is read against: the tables it can name. */
import type { Table } from '#ir/tracked.ts';
import type { QualifiedName } from '#postgres/catalog.ts';

/** The part of a tracked table that filters look at. */
export interface FilterTable {
  readonly table: Pick<
    Table,
    'name' | 'columnByName' | 'relationships' | 'computedFields' | 'remoteRelationships'
  >;
}

export interface FilterContext {
  /** The table the permission is on: `["$", "column"]` means its row. */
  readonly root: FilterTable;
  /** The table of the current row. */
  readonly table: FilterTable;
  readonly lookup: Lookup;
}

/** Finds tracked tables. */
export interface Lookup {
  /** Of the source. */
  table(name: QualifiedName): FilterTable | undefined;
  elsewhere(source: string, name: QualifiedName): FilterTable | undefined;
}
