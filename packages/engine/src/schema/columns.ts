/** The columns of a table that a role may read, and the enum that names them. */

import { hashOrder } from '#base/hash-order.ts';
import type { Operand } from '#ir/predicate.ts';
import type { EnumType } from '#ir/schema.ts';
import type { Column, TableView } from '#ir/tracked.ts';
import { displayName, tableKey } from '#postgres/catalog.ts';
import { type Builder, enumType } from './builder.ts';

export function visibleColumns(view: TableView): Column[] {
  return view.table.columns.filter((column) => view.access.columns.has(column.name));
}

/** The column as the role sees it. */
export function columnOperand(view: TableView, column: Column): Operand {
  return { kind: 'column', column: column.name, visible: view.access.columns.get(column.name) };
}

/** `users_select_column`; undefined for a role that sees no column. */
export function columnEnum(builder: Builder, view: TableView): EnumType | undefined {
  const columns = visibleColumns(view);
  if (columns.length === 0) return undefined;
  return builder.once(`select_column ${tableKey(view.table.name)}`, () =>
    enumOfColumns(
      builder.names.type(view.table.identifier, 'select_column'),
      `select columns of table "${displayName(view.table.name)}"`,
      view,
      columns,
    ),
  );
}

/** An enum that names some columns of the table; errors list them in the order of Hasura's maps. */
export function enumOfColumns(
  name: string,
  description: string,
  view: TableView,
  columns: readonly Column[],
): EnumType {
  return enumType(
    name,
    description,
    columns.map((column) => ({
      name: column.field,
      description: 'column name',
      value: columnOperand(view, column),
    })),
    () => hashOrder(columns, (column) => column.name).map((column) => column.field),
  );
}
