/** What in the metadata depends on a table, a column, a foreign key, a function or a source; and removing it. */

import { EngineError } from '#base/errors.ts';
import type { Metadata, QualifiedName, Source, TableMetadata } from '#metadata/types.ts';
import { sessionVariable } from '#permissions/filter-operators.ts';
import type { Catalog, CatalogTable } from '#postgres/catalog.ts';
import { tableKey } from '#postgres/catalog.ts';
import { filterMentions } from './filter-names.ts';
import { sameName, withSource, withTable } from './find.ts';
import { dependent, type PermissionKind, quoted } from './names.ts';
import { foreignKey, relationshipTarget, type Using } from './relationship-target.ts';

/** One object of the metadata that would have to go. */
export interface Dependent {
  /** As the error names it. */
  readonly text: string;
  /** The table it belongs to; undefined for functions. */
  readonly table: QualifiedName | undefined;
  remove(metadata: Metadata): Metadata;
}

/** @throws {EngineError} `dependency-error` where there is any */
export function assertNoDependents(dependents: readonly Dependent[]): void {
  if (dependents.length === 0) return;
  const list = [...new Set(dependents.map(({ text }) => text))].sort();
  throw new EngineError(
    'dependency-error',
    `cannot drop due to the following dependent objects: ${list.join(', ')}`,
  );
}

export function removeDependents(metadata: Metadata, dependents: readonly Dependent[]): Metadata {
  return dependents.reduce((current, entry) => entry.remove(current), metadata);
}

/** Relationships, functions, computed fields and filters elsewhere that need `table`. */
export function dependentsOfTable(
  source: Source,
  table: QualifiedName,
  catalog: Catalog | undefined,
): Dependent[] {
  const found: Dependent[] = [];
  for (const other of source.tables) {
    if (sameName(other.table, table)) continue;
    for (const kind of ['object', 'array'] as const) {
      for (const relationship of kind === 'object' ? other.object_relationships : other.array_relationships) {
        const target = relationshipTarget(other, relationship.using, catalog);
        if (target !== undefined && sameName(target, table)) {
          found.push(relationshipDependent(source.name, other.table, kind, relationship.name));
        }
      }
    }
    for (const field of other.computed_fields) {
      const returns = catalog?.functions.get(tableKey(field.definition.function))?.[0]?.returnsTable;
      if (returns !== undefined && sameName(returns, table)) {
        found.push(computedFieldDependent(source.name, other.table, field.name));
      }
    }
    found.push(
      ...permissionsThat(source.name, other, ({ filters }) =>
        filters.some((filter) => filterMentions(filter, { source, table: other, catalog }, { table })),
      ),
    );
  }
  for (const entry of source.functions) {
    const returns = catalog?.functions.get(tableKey(entry.function))?.[0]?.returnsTable;
    if (returns !== undefined && sameName(returns, table))
      found.push(functionDependent(source.name, entry.function));
  }
  return found;
}

/** What needs one column: relationships by foreign key or mapping, permissions, event triggers. */
export function dependentsOfColumn(
  source: Source,
  table: QualifiedName,
  column: string,
  before: Catalog | undefined,
): Dependent[] {
  const found: Dependent[] = [];
  for (const other of source.tables) {
    const own = sameName(other.table, table);
    for (const kind of ['object', 'array'] as const) {
      for (const { name, using } of kind === 'object'
        ? other.object_relationships
        : other.array_relationships) {
        if (relationshipUses(other, using, table, column, before)) {
          found.push(relationshipDependent(source.name, other.table, kind, name));
        }
      }
    }
    found.push(
      ...permissionsThat(source.name, other, ({ columns, presets, filters }) => {
        const listed = own && (columns === '*' || columns.includes(column) || presets.includes(column));
        return (
          listed ||
          filters.some((filter) =>
            filterMentions(filter, { source, table: other, catalog: before }, { table, column }),
          )
        );
      }),
    );
    if (!own) continue;
    for (const trigger of other.event_triggers) {
      const { insert, update, delete: remove } = trigger.definition;
      const used = [insert, update, remove].some((operation) =>
        [operation?.columns, operation?.payload].some((spec) => Array.isArray(spec) && spec.includes(column)),
      );
      if (used) {
        found.push({
          text: dependent.eventTrigger(source.name, table, trigger.name),
          table,
          remove: (metadata) =>
            withTable(metadata, source.name, table, (entry) => ({
              ...entry,
              event_triggers: entry.event_triggers.filter(({ name }) => name !== trigger.name),
            })),
        });
      }
    }
  }
  return found;
}

/**
 * Permissions that hold values of a column's type, so that it cannot change.
 *
 * @throws {EngineError} `dependency-error` where there are any
 */
export function assertTypeMayChange(
  source: Source,
  table: QualifiedName,
  column: string,
  before: Catalog | undefined,
): void {
  const typed = source.tables.flatMap((other) =>
    permissionsThat(source.name, other, ({ constants, filters }) => {
      const preset = sameName(other.table, table) && constants.includes(column);
      const sought = { table, column, typed: true };
      const mentioned = (filter: unknown) =>
        filterMentions(filter, { source, table: other, catalog: before }, sought);
      return preset || filters.some(mentioned);
    }),
  );
  if (typed.length === 0) return;
  const list = typed.map(({ text }) => text).sort();
  throw new EngineError(
    'dependency-error',
    `cannot change type of column "${column}" in table ${quoted(table)} because of the following dependencies: ${list.join(', ')}`,
  );
}

/** Relationships that rest on one foreign key. */
export function dependentsOfForeignKey(
  source: Source,
  table: CatalogTable,
  columns: readonly string[],
): Dependent[] {
  const found: Dependent[] = [];
  const same = (list: readonly string[]) =>
    list.length === columns.length && list.every((column) => columns.includes(column));
  for (const other of source.tables) {
    for (const { name, using } of other.object_relationships) {
      if (!('foreign_key_constraint_on' in using)) continue;
      const on = using.foreign_key_constraint_on;
      const owner = Array.isArray(on) ? other.table : on.table;
      if (sameName(owner, table.name) && same(Array.isArray(on) ? on : on.columns)) {
        found.push(relationshipDependent(source.name, other.table, 'object', name));
      }
    }
    for (const { name, using } of other.array_relationships) {
      if (!('foreign_key_constraint_on' in using)) continue;
      const on = using.foreign_key_constraint_on;
      if (sameName(on.table, table.name) && same(on.columns)) {
        found.push(relationshipDependent(source.name, other.table, 'array', name));
      }
    }
  }
  return found;
}

function relationshipUses(
  owner: TableMetadata,
  using: Using,
  table: QualifiedName,
  column: string,
  catalog: Catalog | undefined,
): boolean {
  const pairs = (
    local: QualifiedName,
    remote: QualifiedName,
    mapping: readonly (readonly [string, string])[],
  ) =>
    mapping.some(
      ([here, there]) =>
        (sameName(local, table) && here === column) || (sameName(remote, table) && there === column),
    );
  if ('manual_configuration' in using) {
    const { remote_table: remote, column_mapping: mapping } = using.manual_configuration;
    return pairs(owner.table, remote, Object.entries(mapping));
  }
  const on = using.foreign_key_constraint_on;
  const [keyTable, columns] = Array.isArray(on) ? [owner.table, on] : [on.table, on.columns];
  const key = foreignKey(catalog, keyTable, columns);
  if (key === undefined) return sameName(keyTable, table) && columns.includes(column);
  return pairs(keyTable, key.target, key.columns);
}

interface PermissionParts {
  readonly columns: '*' | readonly string[];
  readonly presets: readonly string[];
  /** Those presets that are no session variables. */
  readonly constants: readonly string[];
  readonly filters: readonly unknown[];
}

function presetColumns(
  set: Readonly<Record<string, unknown>> | null | undefined,
): Pick<PermissionParts, 'presets' | 'constants'> {
  const entries = Object.entries(set ?? {});
  return {
    presets: entries.map(([column]) => column),
    constants: entries.filter(([, value]) => sessionVariable(value) === undefined).map(([column]) => column),
  };
}

function permissionsThat(
  source: string,
  table: TableMetadata,
  uses: (parts: PermissionParts) => boolean,
): Dependent[] {
  const found: Dependent[] = [];
  const add = (kind: PermissionKind, role: string, parts: PermissionParts) => {
    if (uses(parts)) found.push(permissionDependent(source, table.table, role, kind));
  };
  for (const { role, permission } of table.insert_permissions) {
    add('insert', role, {
      columns: permission.columns ?? '*',
      ...presetColumns(permission.set),
      filters: [permission.check],
    });
  }
  for (const { role, permission } of table.select_permissions) {
    add('select', role, {
      columns: permission.columns,
      presets: [],
      constants: [],
      filters: [permission.filter],
    });
  }
  for (const { role, permission } of table.update_permissions) {
    add('update', role, {
      columns: permission.columns,
      ...presetColumns(permission.set),
      filters: [permission.filter, permission.check],
    });
  }
  for (const { role, permission } of table.delete_permissions) {
    add('delete', role, { columns: [], presets: [], constants: [], filters: [permission.filter] });
  }
  return found;
}

function permissionDependent(
  source: string,
  table: QualifiedName,
  role: string,
  kind: PermissionKind,
): Dependent {
  const others = <Entry extends { readonly role: string }>(entries: Entry[]) =>
    entries.filter((entry) => entry.role !== role);
  return {
    text: dependent.permission(source, table, role, kind),
    table,
    remove: (metadata) =>
      withTable(metadata, source, table, (entry) => ({
        ...entry,
        insert_permissions: kind === 'insert' ? others(entry.insert_permissions) : entry.insert_permissions,
        select_permissions: kind === 'select' ? others(entry.select_permissions) : entry.select_permissions,
        update_permissions: kind === 'update' ? others(entry.update_permissions) : entry.update_permissions,
        delete_permissions: kind === 'delete' ? others(entry.delete_permissions) : entry.delete_permissions,
      })),
  };
}

function relationshipDependent(
  source: string,
  table: QualifiedName,
  kind: 'object' | 'array',
  name: string,
): Dependent {
  return {
    text: dependent.relationship(source, table, name),
    table,
    remove: (metadata) =>
      withTable(metadata, source, table, (entry) =>
        kind === 'object'
          ? { ...entry, object_relationships: entry.object_relationships.filter((one) => one.name !== name) }
          : { ...entry, array_relationships: entry.array_relationships.filter((one) => one.name !== name) },
      ),
  };
}

export function computedFieldDependent(source: string, table: QualifiedName, name: string): Dependent {
  return {
    text: dependent.computedField(source, table, name),
    table,
    remove: (metadata) =>
      withTable(metadata, source, table, (entry) => ({
        ...entry,
        computed_fields: entry.computed_fields.filter((field) => field.name !== name),
      })),
  };
}

export function functionDependent(source: string, name: QualifiedName): Dependent {
  return {
    text: dependent.function(source, name),
    table: undefined,
    remove: (metadata) =>
      withSource(metadata, source, (entry) => ({
        ...entry,
        functions: entry.functions.filter((one) => !sameName(one.function, name)),
      })),
  };
}

/** Permissions that mention a relationship or computed field of `table` by name. */
export function dependentsOfField(
  source: Source,
  table: QualifiedName,
  field: string,
  catalog: Catalog | undefined,
): Dependent[] {
  return source.tables.flatMap((other) =>
    permissionsThat(source.name, other, ({ filters }) =>
      filters.some((filter) => filterMentions(filter, { source, table: other, catalog }, { table, field })),
    ),
  );
}
