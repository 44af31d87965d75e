/** Relationships to tables of other sources, made when all sources are tracked. */

import type { SourceDraft } from '#ir/draft.ts';
import type { Operand } from '#ir/predicate.ts';
import type { Column, RemoteRelationship, Table } from '#ir/tracked.ts';
import { inTable, Problem } from '#metadata/problem.ts';
import { type RemoteRelationship as Metadata, remoteSchemaOf, remoteTable } from '#metadata/types.ts';
import { displayName, tableKey } from '#postgres/catalog.ts';
import { checkName } from './fields.ts';

type Sources = ReadonlyMap<string, SourceDraft>;

/**
 * Adds the remote relationships of a source's tables; those that do not fit become inconsistencies.
 *
 * @param sources all of them, with columns and computed fields
 */
export function addRemoteRelationships({ input, tables, problems }: SourceDraft, sources: Sources): void {
  const source = input.source.name;
  for (const { metadata, table } of tables.values()) {
    const { name } = table;
    const made = new Map<string, RemoteRelationship>();
    const describe = (entry: Pick<Metadata, 'name'> & { readonly definition: unknown }) => ({
      type: 'remote_relationship',
      name: `remote_relationship ${entry.name} in table ${displayName(name)} in source ${source}`,
      definition: { definition: entry.definition, name: entry.name, source, table: name },
    });
    const contextOf = (entry: Pick<Metadata, 'name'>) =>
      `${inTable(name)}in remote relationship "${entry.name}": `;
    for (const entry of metadata.remote_schema_relationships) {
      problems.attempt({ ...describe(entry), context: contextOf(entry) }, () => {
        throw new Problem(
          `remote schema with name "${remoteSchemaOf(entry)}" not found: remote schemas are not supported by the embedded engine`,
        );
      });
    }
    for (const entry of metadata.remote_relationships) {
      const object = describe(entry);
      const context = contextOf(entry);
      const relationship = problems.attempt({ ...object, context }, () => track(entry, table, sources));
      if (relationship === undefined) continue;
      problems.attempt(object, () => {
        if (table.relationships.has(entry.name) || table.computedFields.has(entry.name))
          throw new Problem(`conflicting definitions for field "${entry.name}"`);
        checkName(table, [entry.name]);
        made.set(entry.name, relationship);
      });
    }
    table.remoteRelationships = made;
  }
}

function track(entry: Metadata, table: Table, sources: Sources): RemoteRelationship {
  const { source: sourceName, relationship_type: kind, field_mapping: mapping } = entry.definition.to_source;
  const source = sources.get(sourceName);
  if (source === undefined) throw new Problem(`source not found: "${sourceName}"`);
  const name = remoteTable(entry);
  const target = source.tables.get(tableKey(name))?.table;
  if (target === undefined)
    throw new Problem(`table "${displayName(name)}" does not exist in source: ${sourceName}`);
  const keys = Object.entries(mapping).map(([field, column]) => ({
    operand: localKey(table, field),
    column: remoteKey(target, column),
  }));
  return { name: entry.name, kind, source: sourceName, target: name, keys };
}

/** A column, or a computed field that takes nothing of the client. */
function localKey(table: Table, field: string): Operand {
  if (table.columnByName.has(field)) return { kind: 'column', column: field };
  const computed = table.computedFields.get(field);
  if (computed?.returns.kind === 'scalar' && computed.function.inputs.length === 0)
    return { kind: 'computed', function: computed.function };
  throw new Problem(`"${field}" does not exist`);
}

function remoteKey(target: Table, name: string): Column {
  const column = target.columnByName.get(name);
  if (column === undefined) throw new Problem(`"${name}" does not exist`);
  if (column.enum !== undefined) throw new Problem('relationships to enum fields are not supported yet');
  return column;
}
