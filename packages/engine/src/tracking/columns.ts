/** A table's columns with their names in GraphQL. */

import type { TableDraft } from '#ir/draft.ts';
import { GRAPHQL_NAME, type Names } from '#ir/naming.ts';
import type { Column, EnumTable } from '#ir/tracked.ts';
import type { CatalogColumn } from '#postgres/catalog.ts';
import { tableKey } from '#postgres/catalog.ts';

/** Columns whose names GraphQL cannot hold are left out, as in Hasura. */
export function trackColumns(
  { metadata, table }: TableDraft,
  enums: ReadonlyMap<string, EnumTable>,
  names: Names,
): void {
  const config = metadata.configuration.column_config;
  const columns = table.catalog.columns.flatMap((column): Column[] => {
    const { custom_name: customName, comment } = config[column.name] ?? {};
    const field = customName ?? names.fieldCase(column.name);
    if (!GRAPHQL_NAME.test(field)) return [];
    const description = comment ?? column.description;
    return [
      {
        name: column.name,
        field,
        type: column.type,
        nullable: column.nullable,
        hasDefault: column.hasDefault,
        identity: column.identity,
        generated: column.generated,
        description: description === '' ? undefined : description,
        enum: enumReference(table.catalog.foreignKeys, column, enums),
      },
    ];
  });
  table.columns = columns;
  table.columnByName = new Map(columns.map((column) => [column.name, column]));
  table.columnByField = new Map(columns.map((column) => [column.field, column]));
  const key = table.catalog.primaryKey?.columns.map((name) => table.columnByName.get(name));
  const known = key?.filter((column) => column !== undefined);
  table.primaryKey = known !== undefined && known.length === key?.length ? known : undefined;
}

/** A foreign key of this column alone to the key of an enum table. */
function enumReference(
  foreignKeys: TableDraft['table']['catalog']['foreignKeys'],
  column: CatalogColumn,
  enums: ReadonlyMap<string, EnumTable>,
): EnumTable | undefined {
  for (const key of foreignKeys) {
    const [pair] = key.columns;
    if (key.columns.length === 1 && pair?.[0] === column.name) {
      const found = enums.get(tableKey(key.target));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
