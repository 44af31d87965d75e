/** What a table has besides columns: relationships and computed fields, and that no two share a name. */

import type { TableDraft } from '#ir/draft.ts';
import type { Relationship, Table } from '#ir/tracked.ts';
import { exportUsing } from '#metadata/export-table.ts';
import { inTable, type MetadataObject, Problem, type Problems } from '#metadata/problem.ts';
import type { ArrayRelationship, ObjectRelationship } from '#metadata/types.ts';
import type { Catalog, ForeignKey } from '#postgres/catalog.ts';
import { displayName, type QualifiedName, tableKey } from '#postgres/catalog.ts';
import { trackComputedField } from './computed-fields.ts';

type Drafts = ReadonlyMap<string, TableDraft>;

export function addFields(
  draft: TableDraft,
  drafts: Drafts,
  source: string,
  catalog: Catalog,
  problems: Problems,
): void {
  const { metadata, table } = draft;
  const name = displayName(table.name);
  const relationships = new Map<string, Relationship>();
  const relationship = (kind: 'object' | 'array', entry: ObjectRelationship | ArrayRelationship) => {
    const object: MetadataObject = {
      type: `${kind}_relation`,
      name: `${kind}_relation ${entry.name} in table ${name} in source ${source}`,
      definition: {
        comment: entry.comment ?? null,
        name: entry.name,
        source,
        table: table.name,
        using: qualifiedUsing(entry.using),
      },
    };
    const made = problems.attempt(
      { ...object, context: `${inTable(table.name)}in relationship "${entry.name}": ` },
      () => trackRelationship(kind, entry, draft, catalog, source),
    );
    if (made === undefined) return;
    problems.attempt(object, () => {
      if (!drafts.has(tableKey(made.target)))
        throw new Problem(`table "${displayName(made.target)}" is not tracked`);
      checkName(table, [entry.name, ...(kind === 'array' ? [`${entry.name}_aggregate`] : [])]);
      relationships.set(entry.name, made);
    });
  };
  for (const entry of metadata.object_relationships) relationship('object', entry);
  for (const entry of metadata.array_relationships) relationship('array', entry);
  table.relationships = relationships;

  const computed = new Map<string, ReturnType<typeof trackComputedField>>();
  for (const entry of metadata.computed_fields) {
    const object: MetadataObject = {
      type: 'computed_field',
      name: `computed_field ${entry.name} in table ${name} in source ${source}`,
      definition: {
        comment: entry.comment ?? null,
        definition: entry.definition,
        name: entry.name,
        source,
        table: table.name,
      },
    };
    const made = problems.attempt(
      { ...object, context: `${inTable(table.name)}in computed field "${entry.name}": ` },
      () => trackComputedField(entry, table.name, catalog, new Set(drafts.keys())),
    );
    if (made === undefined) continue;
    problems.attempt(object, () => {
      checkName(table, [entry.name]);
      if (relationships.has(entry.name))
        throw new Problem(`conflicting definitions for field "${entry.name}"`);
      computed.set(entry.name, made);
    });
  }
  table.computedFields = computed;
}

/** A field may not have the name of a column, nor that under which a column is shown. */
export function checkName(
  table: Pick<Table, 'columnByField' | 'columnByName'>,
  fields: readonly string[],
): void {
  for (const field of fields) {
    const column = table.columnByField.get(field);
    if (column !== undefined && column.name !== field)
      throw new Problem(
        `field definition conflicts with custom field name for postgres column "${column.name}"`,
      );
  }
  const [name] = fields;
  if (name !== undefined && table.columnByName.has(name))
    throw new Problem('field definition conflicts with postgres column');
}

function trackRelationship(
  kind: 'object' | 'array',
  { name, using }: ObjectRelationship | ArrayRelationship,
  { table }: TableDraft,
  catalog: Catalog,
  source: string,
): Relationship {
  if ('manual_configuration' in using) {
    const {
      remote_table: target,
      column_mapping: mapping,
      insertion_order: order,
    } = using.manual_configuration;
    const remote = catalog.tables.get(tableKey(target));
    if (remote === undefined)
      throw new Problem(`table "${displayName(target)}" does not exist in source: ${source}`);
    for (const [local, far] of Object.entries(mapping)) {
      checkColumn(table.catalog.columns, local, table.name);
      checkColumn(remote.columns, far, target);
    }
    return {
      name,
      kind,
      target,
      mapping: Object.entries(mapping),
      manual: true,
      forward: false,
      insertBefore: kind === 'object' && order !== 'after_parent',
      nullable: true,
    };
  }
  const on = using.foreign_key_constraint_on;
  if (Array.isArray(on)) {
    const key = requiredKey(table.catalog.foreignKeys, on);
    const isNullable = key.columns.some(([local]) => table.columnByName.get(local)?.nullable ?? true);
    return {
      name,
      kind,
      target: key.target,
      mapping: key.columns,
      manual: false,
      forward: true,
      insertBefore: true,
      nullable: isNullable,
    };
  }
  const remote = catalog.tables.get(tableKey(on.table));
  if (remote === undefined)
    throw new Problem(`table "${displayName(on.table)}" does not exist in source: ${source}`);
  const toUs = remote.foreignKeys.filter((key) => tableKey(key.target) === tableKey(table.name));
  const key = requiredKey(toUs, on.columns);
  return {
    name,
    kind,
    target: on.table,
    mapping: key.columns.map(([far, local]) => [local, far] as const),
    manual: false,
    forward: false,
    insertBefore: false,
    nullable: true,
  };
}

function checkColumn(
  columns: readonly { readonly name: string }[],
  name: string,
  table: QualifiedName,
): void {
  if (!columns.some((column) => column.name === name))
    throw new Problem(`column "${name}" does not exist in table "${displayName(table)}"`);
}

function requiredKey(keys: readonly ForeignKey[], columns: readonly string[]): ForeignKey {
  const wanted = columns.toSorted().join('\0');
  const found = keys.filter(
    (key) =>
      key.columns
        .map(([local]) => local)
        .toSorted()
        .join('\0') === wanted,
  );
  const [key] = found;
  if (key === undefined) throw new Problem('no foreign constraint exists on the given column(s)');
  if (found.length > 1)
    throw new Problem('more than one foreign key constraint exists on the given column(s)');
  return key;
}

function qualifiedUsing(using: ObjectRelationship['using']): unknown {
  if ('manual_configuration' in using) return exportUsing(using);
  const on = using.foreign_key_constraint_on;
  if (Array.isArray(on)) return exportUsing(using);
  const [column] = on.columns;
  return {
    foreign_key_constraint_on:
      on.columns.length === 1 ? { column, table: on.table } : { columns: on.columns, table: on.table },
  };
}
