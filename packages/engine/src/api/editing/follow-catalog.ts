/**
 * Keeps metadata in step with a changed database: renamed tables and columns are followed by their oid and
 * position, dropped ones leave with all that depended on them, or refuse to.
 */

import { EngineError } from '#base/errors.ts';
import type { Metadata, QualifiedName, Source } from '#metadata/types.ts';
import type { Catalog, CatalogFunction, CatalogTable } from '#postgres/catalog.ts';
import { tableKey } from '#postgres/catalog.ts';
import {
  assertNoDependents,
  assertTypeMayChange,
  computedFieldDependent,
  type Dependent,
  dependentsOfColumn,
  dependentsOfForeignKey,
  dependentsOfTable,
  functionDependent,
  removeDependents,
} from './dependencies.ts';
import { findSource, sameName, withSource } from './find.ts';
import { quoted } from './names.ts';
import {
  remoteDependentsOfField,
  remoteDependentsOfTable,
  renameInRemoteRelationships,
} from './remote-relationships.ts';
import { renameColumn, renameTable } from './rename.ts';

/**
 * @param cascade drop what depends on what is dropped, instead of refusing
 * @throws {EngineError} `dependency-error`, `not-supported`
 */
export function followCatalog(
  metadata: Metadata,
  sourceName: string,
  before: Catalog,
  after: Catalog,
  cascade: boolean,
): Metadata {
  const source = findSource(metadata, sourceName);
  const changes = compare(source, before, after);
  assertNoOverloads(source, before, after);
  const dependents = indirectDependents(metadata, source, changes, before);
  if (!cascade) assertNoDependents(dependents);
  assertNotVolatile(source, before, after);
  checkComputedFields(source, before, after);
  for (const { before: table, retypedColumns } of changes.altered)
    for (const column of retypedColumns) assertTypeMayChange(source, table.name, column, before);
  const gone = droppedFunctions(source, before, after).map((name) => functionDependent(sourceName, name));
  const pruned = removeDependents(metadata, [...dependents, ...gone]);
  const renamings = changes.altered.map(({ before: from, after: to, renamedColumns: columns }) => ({
    from: from.name,
    to: to.name,
    columns,
  }));
  const followed = renameInRemoteRelationships(pruned, sourceName, renamings);
  return withSource(followed, sourceName, (current) => applyChanges(current, changes, before));
}

interface TableChange {
  readonly before: CatalogTable;
  readonly after: CatalogTable;
  readonly droppedColumns: readonly string[];
  readonly renamedColumns: readonly (readonly [from: string, to: string])[];
  readonly retypedColumns: readonly string[];
  readonly droppedForeignKeys: readonly (readonly string[])[];
  readonly droppedComputedFields: readonly string[];
}

interface Changes {
  readonly dropped: readonly QualifiedName[];
  readonly altered: readonly TableChange[];
}

function compare(source: Source, before: Catalog, after: Catalog): Changes {
  const byOid = new Map([...after.tables.values()].map((table) => [table.oid, table]));
  const dropped: QualifiedName[] = [];
  const altered: TableChange[] = [];
  for (const { table, computed_fields: fields } of source.tables) {
    const old = before.tables.get(tableKey(table));
    if (old === undefined) continue;
    const now = byOid.get(old.oid);
    if (now === undefined) {
      dropped.push(table);
      continue;
    }
    altered.push({
      before: old,
      after: now,
      ...compareColumns(old, now),
      droppedForeignKeys: droppedForeignKeys(old, now, before, after),
      droppedComputedFields: fields
        .filter(({ definition }) => isGone(definition.function, before, after))
        .map(({ name }) => name),
    });
  }
  return { dropped, altered };
}

function compareColumns(old: CatalogTable, now: CatalogTable) {
  const byPosition = new Map(now.columns.map((column) => [column.position, column]));
  const droppedColumns: string[] = [];
  const renamedColumns: [string, string][] = [];
  const retypedColumns: string[] = [];
  for (const column of old.columns) {
    const current = byPosition.get(column.position);
    if (current === undefined) droppedColumns.push(column.name);
    else if (current.name !== column.name) renamedColumns.push([column.name, current.name]);
    else if (current.type.sql !== column.type.sql) retypedColumns.push(column.name);
  }
  return { droppedColumns, renamedColumns, retypedColumns };
}

/** A key counts as dropped when no key of the same columns and target is left, tables known by their oid. */
function droppedForeignKeys(
  old: CatalogTable,
  now: CatalogTable,
  before: Catalog,
  after: Catalog,
): (readonly string[])[] {
  const position = (table: CatalogTable | undefined, name: string) =>
    table?.columns.find((column) => column.name === name)?.position;
  const identity = (table: CatalogTable, key: CatalogTable['foreignKeys'][number], catalog: Catalog) => {
    const target = catalog.tables.get(tableKey(key.target));
    const pairs = key.columns.map(([local, remote]) => [position(table, local), position(target, remote)]);
    return JSON.stringify([target?.oid, pairs.sort()]);
  };
  const left = new Set(now.foreignKeys.map((key) => identity(now, key, after)));
  return old.foreignKeys
    .filter((key) => !left.has(identity(old, key, before)))
    .map((key) => key.columns.map(([local]) => local));
}

/** The functions of this name that are left, if one that was there before still has the name. */
function survivors(name: QualifiedName, before: Catalog, after: Catalog): readonly CatalogFunction[] {
  const key = tableKey(name);
  const known = new Set(before.functions.get(key)?.map(({ oid }) => oid));
  const now = after.functions.get(key) ?? [];
  return now.some(({ oid }) => known.has(oid)) ? now : [];
}

/** A function does not keep its fields and permissions when it is renamed, as a table does. */
function isGone(name: QualifiedName, before: Catalog, after: Catalog): boolean {
  return before.functions.has(tableKey(name)) && survivors(name, before, after).length === 0;
}

function droppedFunctions(source: Source, before: Catalog, after: Catalog): QualifiedName[] {
  return source.functions.map((entry) => entry.function).filter((name) => isGone(name, before, after));
}

function assertNoOverloads(source: Source, before: Catalog, after: Catalog): void {
  const overloaded = source.functions
    .map((entry) => entry.function)
    .filter((name) => survivors(name, before, after).length > 1);
  if (overloaded.length > 0) {
    throw new EngineError(
      'not-supported',
      `the following tracked function(s) cannot be overloaded: ${overloaded.map((name) => quoted(name).slice(1, -1)).join(', ')}`,
    );
  }
}

function assertNotVolatile(source: Source, before: Catalog, after: Catalog): void {
  for (const entry of source.functions) {
    const old = before.functions.get(tableKey(entry.function))?.[0];
    const [now] = survivors(entry.function, before, after);
    if (old !== undefined && now?.volatility === 'volatile' && old.volatility !== 'volatile') {
      throw new EngineError(
        'not-supported',
        `type of function ${quoted(entry.function)} is altered to "VOLATILE" which is not supported now`,
      );
    }
  }
}

function checkComputedFields(source: Source, before: Catalog, after: Catalog): void {
  for (const { table, computed_fields: fields } of source.tables) {
    for (const { name, definition } of fields) {
      const [now, overload] = survivors(definition.function, before, after);
      if (overload !== undefined) {
        throw new EngineError(
          'not-supported',
          `The function ${quoted(definition.function)} associated with computed field"${name}" of table ${quoted(table)} is being overloaded`,
        );
      }
      if (now?.volatility === 'volatile') {
        throw new EngineError(
          'not-supported',
          `The type of function ${quoted(definition.function)} associated with computed field "${name}" of table ${quoted(table)} is being altered to "VOLATILE"`,
        );
      }
    }
  }
}

function indirectDependents(
  metadata: Metadata,
  source: Source,
  { dropped, altered }: Changes,
  before: Catalog,
): Dependent[] {
  const isDropped = (table: QualifiedName | undefined) =>
    table !== undefined && dropped.some((name) => sameName(name, table));
  const all = [
    ...dropped.flatMap((table) => [
      ...dependentsOfTable(source, table, before),
      ...remoteDependentsOfTable(metadata, source.name, table),
    ]),
    ...altered.flatMap((change) => [
      ...change.droppedColumns.flatMap((column) => [
        ...dependentsOfColumn(source, change.before.name, column, before),
        ...remoteDependentsOfField(metadata, source.name, change.before.name, column),
      ]),
      ...change.droppedForeignKeys.flatMap((columns) =>
        dependentsOfForeignKey(source, change.before, columns),
      ),
      ...change.droppedComputedFields.flatMap((name) => [
        computedFieldDependent(source.name, change.before.name, name),
        ...remoteDependentsOfField(metadata, source.name, change.before.name, name),
      ]),
    ]),
  ];
  const seen = new Set<string>();
  return all.filter(({ text, table }) => {
    if (isDropped(table) || seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

function applyChanges(source: Source, { dropped, altered }: Changes, before: Catalog): Source {
  const kept: Source = {
    ...source,
    tables: source.tables.filter(({ table }) => !dropped.some((name) => sameName(name, table))),
  };
  const columnsFollowed = altered.reduce(
    (current, change) =>
      change.renamedColumns.reduce(
        (inner, [from, to]) => renameColumn(inner, change.before.name, from, to, before),
        forgetColumns(current, change),
      ),
    kept,
  );
  return altered.reduce(
    (current, change) =>
      sameName(change.before.name, change.after.name)
        ? current
        : renameTable(current, change.before.name, change.after.name),
    columnsFollowed,
  );
}

/** Names and comments given to columns that are gone. */
function forgetColumns(source: Source, { before, droppedColumns }: TableChange): Source {
  if (droppedColumns.length === 0) return source;
  return {
    ...source,
    tables: source.tables.map((entry) =>
      sameName(entry.table, before.name)
        ? {
            ...entry,
            configuration: {
              ...entry.configuration,
              column_config: Object.fromEntries(
                Object.entries(entry.configuration.column_config).filter(
                  ([name]) => !droppedColumns.includes(name),
                ),
              ),
            },
          }
        : entry,
    ),
  };
}
