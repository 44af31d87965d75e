/** Relationships that the foreign keys between tracked tables allow, in both directions. */

import type { QualifiedName, Source, TableMetadata } from '#metadata/types.ts';
import { type Catalog, type CatalogTable, type ForeignKey, tableKey } from '#postgres/catalog.ts';
import { foreignKey, type Using } from './relationship-target.ts';

interface End {
  readonly table: QualifiedName;
  readonly columns: readonly string[];
  /** At the end that holds the foreign key. */
  readonly constraint_name?: string;
}
export interface SuggestedRelationship {
  readonly type: 'object' | 'array';
  readonly from: End;
  readonly to: End;
}

type Mapping = readonly (readonly [local: string, remote: string])[];

/**
 * @param only relationships from or to one of these; undefined: all
 * @param omitTracked leaves out those that are there already
 */
export function suggestRelationships(
  source: Source,
  catalog: Catalog,
  only: readonly QualifiedName[] | undefined,
  omitTracked: boolean,
): SuggestedRelationship[] {
  const tracked = new Map(source.tables.map((table) => [tableKey(table.table), table]));
  const wanted = only === undefined ? undefined : new Set(only.map(tableKey));
  const isWanted = (name: QualifiedName) => wanted?.has(tableKey(name)) ?? true;
  const isThere = (from: TableMetadata, target: QualifiedName, mapping: Mapping) =>
    omitTracked && links(from, catalog).has(linkKey(target, mapping));
  return source.tables.flatMap((metadata) => {
    const table = catalog.tables.get(tableKey(metadata.table));
    return (table?.foreignKeys ?? []).flatMap((key): SuggestedRelationship[] => {
      const target = tracked.get(tableKey(key.target));
      if (table === undefined || target === undefined) return [];
      if (!isWanted(metadata.table) && !isWanted(key.target)) return [];
      const back = key.columns.map(([local, remote]) => [remote, local] as const);
      const { forth, reverse } = bothWays(table, key);
      return [
        ...(isThere(metadata, key.target, key.columns) ? [] : [forth]),
        ...(isThere(target, metadata.table, back) ? [] : [reverse]),
      ];
    });
  });
}

function bothWays(table: CatalogTable, key: ForeignKey) {
  const local = key.columns.map(([column]) => column);
  const holder: End = { table: plain(table.name), columns: local, constraint_name: key.name };
  const target: End = { table: plain(key.target), columns: key.columns.map(([, column]) => column) };
  const isUnique = table.uniqueConstraints.some(
    ({ columns }) => columns.length === local.length && columns.every((column) => local.includes(column)),
  );
  return {
    forth: { type: 'object', from: holder, to: target } as const,
    reverse: { type: isUnique ? 'object' : 'array', from: target, to: holder } as const,
  };
}

const plain = ({ name, schema }: QualifiedName) => ({ name, schema });

const linkKey = (target: QualifiedName, mapping: Mapping) =>
  JSON.stringify([tableKey(target), mapping.map((pair) => JSON.stringify(pair)).toSorted()]);

/** Where a table's relationships lead, and over which columns. */
function links(table: TableMetadata, catalog: Catalog): ReadonlySet<string> {
  const found = [...table.object_relationships, ...table.array_relationships].flatMap(({ using }) => {
    const link = resolve(table.table, using, catalog);
    return link === undefined ? [] : [linkKey(link.target, link.mapping)];
  });
  return new Set(found);
}

function resolve(
  table: QualifiedName,
  using: Using,
  catalog: Catalog,
): { target: QualifiedName; mapping: Mapping } | undefined {
  if ('manual_configuration' in using) {
    const { remote_table: target, column_mapping: mapping } = using.manual_configuration;
    return { target, mapping: Object.entries(mapping) };
  }
  const on = using.foreign_key_constraint_on;
  if (Array.isArray(on)) {
    const key = foreignKey(catalog, table, on);
    return key && { target: key.target, mapping: key.columns };
  }
  const key = foreignKey(catalog, on.table, on.columns);
  return key && { target: on.table, mapping: key.columns.map(([local, remote]) => [remote, local]) };
}
