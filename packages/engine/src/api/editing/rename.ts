/** Follows the renaming of tables, columns and fields through the metadata. */

import type {
  ArrayRelationship,
  BoolExp,
  Metadata,
  ObjectRelationship,
  QualifiedName,
  Source,
  TableMetadata,
} from '#metadata/types.ts';
import { boolExp, qualifiedName } from '#metadata/types.ts';
import type { Catalog } from '#postgres/catalog.ts';
import { isPlainObject } from '#values/json.ts';
import { mapFilter } from './filter-names.ts';
import { sameName, withSource } from './find.ts';

/** A relationship (or computed field) of `table`: filters that mention it. */
export function renameField(
  metadata: Metadata,
  source: Source,
  table: QualifiedName,
  from: string,
  to: string,
  catalog: Catalog | undefined,
): Metadata {
  return withSource(metadata, source.name, (current) => ({
    ...current,
    tables: current.tables.map((entry) =>
      mapFilters(entry, (filter) => renameInFilter(filter, source, entry, table, from, to, catalog)),
    ),
  }));
}

/** A column: permissions, presets, relationships, customization, event triggers, filters. */
export function renameColumn(
  source: Source,
  table: QualifiedName,
  from: string,
  to: string,
  catalog: Catalog | undefined,
): Source {
  const one = (name: string) => (name === from ? to : name);
  const keys = <Value>(map: Readonly<Record<string, Value>>) =>
    Object.fromEntries(Object.entries(map).map(([key, value]) => [one(key), value]));
  const spec = <Spec extends '*' | string[] | undefined>(columns: Spec) =>
    Array.isArray(columns) ? columns.map(one) : columns;
  return {
    ...source,
    tables: source.tables.map((entry) => {
      const filtered = mapFilters(entry, (filter) =>
        renameInFilter(filter, source, entry, table, from, to, catalog),
      );
      const own = sameName(entry.table, table);
      const related = renameInRelationships(filtered, table, one, own);
      if (!own) return related;
      return {
        ...related,
        configuration: { ...related.configuration, column_config: keys(related.configuration.column_config) },
        insert_permissions: related.insert_permissions.map((item) => ({
          ...item,
          permission: {
            ...item.permission,
            columns: spec(item.permission.columns),
            ...(item.permission.set === undefined ? {} : { set: keys(item.permission.set) }),
          },
        })),
        select_permissions: related.select_permissions.map((item) => ({
          ...item,
          permission: { ...item.permission, columns: spec(item.permission.columns) },
        })),
        update_permissions: related.update_permissions.map((item) => ({
          ...item,
          permission: {
            ...item.permission,
            columns: spec(item.permission.columns),
            ...(item.permission.set === undefined ? {} : { set: keys(item.permission.set) }),
          },
        })),
        event_triggers: related.event_triggers.map((trigger) => ({
          ...trigger,
          definition: Object.fromEntries(
            Object.entries(trigger.definition).map(([operation, value]) => [
              operation,
              typeof value === 'object'
                ? { ...value, columns: spec(value.columns), payload: spec(value.payload) }
                : value,
            ]),
          ),
        })),
      };
    }),
  };
}

function renameInRelationships(
  entry: TableMetadata,
  table: QualifiedName,
  one: (name: string) => string,
  own: boolean,
): TableMetadata {
  /** Of what both kinds have: a mapping by hand, or a foreign key of the remote table. */
  const renameUsing = (using: ArrayRelationship['using']): ArrayRelationship['using'] => {
    if ('manual_configuration' in using) {
      const manual = using.manual_configuration;
      const isRemote = sameName(manual.remote_table, table);
      const mapping = Object.entries(manual.column_mapping).map(([local, remote]) => [
        own ? one(local) : local,
        isRemote ? one(remote) : remote,
      ]);
      return { manual_configuration: { ...manual, column_mapping: Object.fromEntries(mapping) } };
    }
    const on = using.foreign_key_constraint_on;
    if (!sameName(on.table, table)) return using;
    return { foreign_key_constraint_on: { ...on, columns: on.columns.map(one) } };
  };
  return mapRelationships(entry, renameUsing, (columns) => (own ? columns.map(one) : columns));
}

/**
 * @param mapUsing for what relationships of both kinds can be made with
 * @param mapColumns for columns of the table's own, with which object relationships can be made
 */
function mapRelationships(
  entry: TableMetadata,
  mapUsing: (using: ArrayRelationship['using']) => ArrayRelationship['using'],
  mapColumns: (columns: string[]) => string[],
): TableMetadata {
  const mapObjectUsing = (using: ObjectRelationship['using']): ObjectRelationship['using'] => {
    if ('manual_configuration' in using) return mapUsing(using);
    const on = using.foreign_key_constraint_on;
    return Array.isArray(on)
      ? { foreign_key_constraint_on: mapColumns(on) }
      : mapUsing({ foreign_key_constraint_on: on });
  };
  return {
    ...entry,
    object_relationships: entry.object_relationships.map((relationship) => ({
      ...relationship,
      using: mapObjectUsing(relationship.using),
    })),
    array_relationships: entry.array_relationships.map((relationship) => ({
      ...relationship,
      using: mapUsing(relationship.using),
    })),
  };
}

/** A table: its own entry, relationships that lead to it, `_exists` in filters. */
export function renameTable(source: Source, from: QualifiedName, to: QualifiedName): Source {
  const name = (table: QualifiedName) => (sameName(table, from) ? to : table);
  const renameUsing = (using: ArrayRelationship['using']): ArrayRelationship['using'] => {
    if ('manual_configuration' in using) {
      const manual = using.manual_configuration;
      return { manual_configuration: { ...manual, remote_table: name(manual.remote_table) } };
    }
    const on = using.foreign_key_constraint_on;
    return { foreign_key_constraint_on: { ...on, table: name(on.table) } };
  };
  return {
    ...source,
    tables: source.tables.map((entry) => ({
      ...mapRelationships(
        mapFilters(entry, (filter) => renameExists(filter, from, to)),
        renameUsing,
        (columns) => columns,
      ),
      table: name(entry.table),
    })),
  };
}

function mapFilters(entry: TableMetadata, map: (filter: BoolExp) => BoolExp): TableMetadata {
  return {
    ...entry,
    insert_permissions: entry.insert_permissions.map((item) => ({
      ...item,
      permission: { ...item.permission, check: map(item.permission.check) },
    })),
    select_permissions: entry.select_permissions.map((item) => ({
      ...item,
      permission: { ...item.permission, filter: map(item.permission.filter) },
    })),
    update_permissions: entry.update_permissions.map((item) => ({
      ...item,
      permission: {
        ...item.permission,
        filter: map(item.permission.filter),
        ...(item.permission.check === undefined ? {} : { check: map(item.permission.check) }),
      },
    })),
    delete_permissions: entry.delete_permissions.map((item) => ({
      ...item,
      permission: { ...item.permission, filter: map(item.permission.filter) },
    })),
  };
}

function renameInFilter(
  filter: BoolExp,
  source: Source,
  entry: TableMetadata,
  table: QualifiedName,
  from: string,
  to: string,
  catalog: Catalog | undefined,
): BoolExp {
  return asFilter(
    mapFilter(filter, { source, table: entry, catalog }, (key, owner) =>
      key === from && sameName(owner, table) ? to : key,
    ),
    filter,
  );
}

function renameExists(filter: BoolExp, from: QualifiedName, to: QualifiedName): BoolExp {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (!isPlainObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => {
        if (key !== '_table' && key !== '$table') return [key, walk(inner)];
        const parsed = qualifiedName.safeParse(inner);
        return [key, parsed.success && sameName(parsed.data, from) ? { ...to } : inner];
      }),
    );
  };
  return asFilter(walk(filter), filter);
}

/** Renaming keeps the shape; the parse only tells the compiler so. */
function asFilter(value: unknown, fallback: BoolExp): BoolExp {
  const parsed = boolExp.safeParse(value);
  return parsed.success ? parsed.data : fallback;
}
