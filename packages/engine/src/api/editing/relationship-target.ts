/** Where a relationship leads. */

import type { QualifiedName, TableMetadata } from '#metadata/types.ts';
import { type Catalog, tableKey } from '#postgres/catalog.ts';

/** How a relationship is made. */
export type Using =
  | TableMetadata['object_relationships'][number]['using']
  | TableMetadata['array_relationships'][number]['using'];

/** The table a relationship leads to; undefined where its foreign key is not (or no longer) there. */
export function relationshipTarget(
  table: TableMetadata,
  using: Using,
  catalog: Catalog | undefined,
): QualifiedName | undefined {
  if ('manual_configuration' in using) return using.manual_configuration.remote_table;
  const on = using.foreign_key_constraint_on;
  if (!Array.isArray(on)) return on.table;
  return foreignKey(catalog, table.table, on)?.target;
}

/** The foreign key over exactly these columns. */
export function foreignKey(catalog: Catalog | undefined, table: QualifiedName, columns: readonly string[]) {
  return catalog?.tables
    .get(tableKey(table))
    ?.foreignKeys.find(
      (key) =>
        key.columns.length === columns.length && key.columns.every(([local]) => columns.includes(local)),
    );
}
