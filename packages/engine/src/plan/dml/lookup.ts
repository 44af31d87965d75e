/**
 * What the row commands of the old query API (`select`, `insert`, `update`, `delete`, `count`) share. They
 * speak of columns and tables by their names in the database.
 */

import { EngineError, type ErrorCode } from '#base/errors.ts';
import { at, type Path, writePath } from '#ir/path.ts';
import type { RowField } from '#ir/select.ts';
import type { Column, SelectAccess, Table, TrackedSource } from '#ir/tracked.ts';
import { displayName, type QualifiedName, tableKey } from '#postgres/catalog.ts';

/** One source as one role uses it. */
export interface DmlContext {
  readonly source: TrackedSource;
  readonly role: string;
  readonly isAdmin: boolean;
}

export function dmlError(code: ErrorCode, message: string, path: Path | undefined): EngineError {
  return new EngineError(code, message, { path: writePath(path), status: 400 });
}

export const quote = (name: string): string => `"${name}"`;

export function dmlTable({ source }: DmlContext, name: QualifiedName, path: Path | undefined): Table {
  const table = source.tables.get(tableKey(name));
  if (table === undefined)
    throw dmlError('not-exists', `table ${quote(displayName(name))} does not exist`, path);
  return table;
}

type Permission = 'select' | 'insert' | 'update' | 'delete';

/** A permission, or Hasura's refusal; `reason` says why a further one is needed. */
export function requireAccess<Access>(
  access: Access | undefined,
  permission: Permission,
  table: Table,
  { role }: DmlContext,
  reason = '',
): Access {
  if (access !== undefined) return access;
  const name = quote(displayName(table.name));
  throw dmlError(
    'permission-denied',
    `${permission} on ${name} for role ${quote(role)} is not allowed. ${reason}`,
    undefined,
  );
}

/** What the role may read of a related table. */
export function relatedAccess(
  context: DmlContext,
  relationship: string,
  table: Table,
  path: Path | undefined,
): SelectAccess {
  const access = table.selectAccess(context.role);
  if (access !== undefined) return access;
  throw dmlError(
    'permission-denied',
    `role ${quote(context.role)} does not have permission to read relationship ${quote(relationship)}; no permission on table ${quote(displayName(table.name))}`,
    path,
  );
}

export function visibleColumn(
  context: DmlContext,
  table: Table,
  columns: { has(name: string): boolean },
  name: string,
  path: Path | undefined,
  permission: Permission = 'select',
): Column {
  const column = table.columnByName.get(name);
  if (column !== undefined && columns.has(name)) return column;
  throw dmlError(
    'permission-denied',
    context.isAdmin
      ? `no such column exists: ${quote(name)}`
      : `role ${quote(context.role)} does not have permission to ${permission} column ${quote(name)}`,
    path,
  );
}

export function columnField(column: Column, access: SelectAccess): RowField {
  return {
    alias: column.name,
    value: {
      kind: 'scalar',
      operand: { kind: 'column', column: column.name, visible: access.columns.get(column.name) },
      type: column.type,
      isEnum: false,
    },
  };
}

/** Columns by name, at the path of each. */
export function columnList(
  context: DmlContext,
  table: Table,
  access: SelectAccess,
  names: readonly string[],
  pathOf: (index: number) => Path | undefined,
): readonly RowField[] {
  return names.map((name, index) =>
    columnField(visibleColumn(context, table, access.columns, name, pathOf(index)), access),
  );
}

export const argumentPath = (...keys: readonly (string | number)[]): Path | undefined =>
  at(undefined, ...keys);
