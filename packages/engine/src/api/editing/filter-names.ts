/** Walks a permission's filter (`check`, `filter`) and knows which table each of its names belongs to. */

import { type QualifiedName, qualifiedName, type Source, type TableMetadata } from '#metadata/types.ts';
import { isLogical } from '#permissions/boolean-expression.ts';
import { sessionVariable } from '#permissions/filter-operators.ts';
import { type Catalog, tableKey } from '#postgres/catalog.ts';
import { isPlainObject } from '#values/json.ts';
import { sameName } from './find.ts';
import { relationshipTarget } from './relationship-target.ts';

export interface FilterScope {
  readonly source: Source;
  readonly table: TableMetadata;
  readonly catalog: Catalog | undefined;
}

/** A column or field of a table, or the table itself. */
export interface FilterReference {
  readonly table: QualifiedName;
  readonly column?: string;
  /** Only where the column is compared with a value that was read as of the column's type. */
  readonly typed?: boolean;
  readonly field?: string;
}

/** Calls `visit` for every key that names a column or a field; what it returns replaces the key. */
export function mapFilter(
  filter: unknown,
  scope: FilterScope,
  visit: (key: string, table: QualifiedName, operand: unknown) => string,
): unknown {
  if (Array.isArray(filter)) return filter.map((part) => mapFilter(part, scope, visit));
  if (!isPlainObject(filter)) return filter;
  return Object.fromEntries(
    Object.entries(filter).map(([key, value]) => {
      if (isLogical(key)) return [key, mapFilter(value, scope, visit)];
      if (key === '_exists' || key === '$exists') return [key, mapExists(value, scope, visit)];
      return [visit(key, scope.table.table, value), mapOperand(key, value, scope, visit)];
    }),
  );
}

function mapExists(
  value: unknown,
  scope: FilterScope,
  visit: (key: string, table: QualifiedName, operand: unknown) => string,
): unknown {
  if (!isPlainObject(value)) return value;
  const name = qualifiedName.safeParse(value._table ?? value.$table);
  const table = name.success ? tracked(scope.source, name.data) : undefined;
  const key = '$where' in value ? '$where' : '_where';
  return table === undefined ? value : { ...value, [key]: mapFilter(value[key], { ...scope, table }, visit) };
}

function mapOperand(
  key: string,
  value: unknown,
  scope: FilterScope,
  visit: (key: string, table: QualifiedName, operand: unknown) => string,
): unknown {
  const target = fieldTarget(key, scope);
  if (target === undefined) return value;
  const table = tracked(scope.source, target);
  return table === undefined ? value : mapFilter(value, { ...scope, table }, visit);
}

/** The table behind a relationship or a computed field of a table. */
function fieldTarget(key: string, { source, table, catalog }: FilterScope): QualifiedName | undefined {
  const relationship = [...table.object_relationships, ...table.array_relationships].find(
    ({ name }) => name === key,
  );
  if (relationship !== undefined) {
    const target = relationshipTarget(table, relationship.using, catalog);
    return target !== undefined && tracked(source, target) !== undefined ? target : undefined;
  }
  const computed = table.computed_fields.find(({ name }) => name === key);
  if (computed === undefined) return undefined;
  return catalog?.functions.get(tableKey(computed.definition.function))?.[0]?.returnsTable;
}

const tracked = (source: Source, name: QualifiedName) =>
  source.tables.find((entry) => sameName(entry.table, name));

/** Whether the filter depends on what is referred to. */
export function filterMentions(filter: unknown, scope: FilterScope, reference: FilterReference): boolean {
  let found = false;
  const name = reference.column ?? reference.field;
  mapFilter(filter, scope, (key, table, operand) => {
    if (name !== undefined) {
      if (key === name && sameName(table, reference.table))
        found ||= reference.typed !== true || isTyped(operand);
      return key;
    }
    const owner = tracked(scope.source, table);
    const target = owner === undefined ? undefined : fieldTarget(key, { ...scope, table: owner });
    if (target !== undefined && sameName(target, reference.table)) found = true;
    return key;
  });
  return found || (name === undefined && mentionsExists(filter, reference.table));
}

/** Whether a comparison holds a constant or another column; session variables are read anew each time. */
function isTyped(operand: unknown): boolean {
  if (Array.isArray(operand)) return operand.some(isTyped);
  if (isPlainObject(operand)) return Object.values(operand).some(isTyped);
  return sessionVariable(operand) === undefined;
}

function mentionsExists(filter: unknown, table: QualifiedName): boolean {
  if (Array.isArray(filter)) return filter.some((part) => mentionsExists(part, table));
  if (!isPlainObject(filter)) return false;
  return Object.entries(filter).some(([key, value]) => {
    if ((key === '_exists' || key === '$exists') && isPlainObject(value)) {
      const name = qualifiedName.safeParse(value._table ?? value.$table);
      if (name.success && sameName(name.data, table)) return true;
    }
    return mentionsExists(value, table);
  });
}
