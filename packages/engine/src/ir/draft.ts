/** Sources and tables while they are put together from metadata and catalogue. */

import type { Environment } from '#base/config.ts';
import type { Problems } from '#metadata/problem.ts';
import type { Metadata, Source, TableMetadata } from '#metadata/types.ts';
import type { Catalog } from '#postgres/catalog.ts';
import type { EnumRows } from '#postgres/enum-rows.ts';
import type { Names } from './naming.ts';
import type { Table } from './tracked.ts';
export interface TrackInput {
  readonly metadata: Metadata;
  readonly source: Source;
  readonly catalog: Catalog;
  /** For the templates of webhooks. */
  readonly env: Environment;
  /** By `tableKey`; read for the tables that are tracked as enums. */
  readonly enumRows: ReadonlyMap<string, EnumRows>;
  /** Undefined where naming conventions are turned off. */
  readonly defaultNamingConvention: string | undefined;
  /** Roles that may read the table a function returns may call it. */
  readonly inferFunctionPermissions: boolean;
}

/** A table while its parts are still being added. */
export interface TableDraft {
  readonly metadata: TableMetadata;
  readonly table: { -readonly [Key in keyof Table]: Table[Key] };
}

/** A source while what depends on other sources is still to be added. */
export interface SourceDraft {
  readonly input: TrackInput;
  readonly names: Names;
  /** By `tableKey`. */
  readonly tables: ReadonlyMap<string, TableDraft>;
  readonly problems: Problems;
}
