/** Relationships to tables of other sources, made when all sources are tracked. */
import { displayName, tableKey } from '../catalog/types.ts';
import { type RemoteRelationship as Metadata, remoteTable, type Source } from '../metadata/types.ts';
import type { Operand } from '../plan/predicate.ts';
import { checkName } from './fields.ts';
import { createProblems, inTable, Problem } from './problem.ts';
import type { Tracked } from './track.ts';
import type { Column, RemoteRelationship, Table, TrackedSource } from './tracked.ts';

/**
 * Adds the remote relationships of all `sources`; those that do not fit become inconsistencies.
 *
 * @param tracked what of each source fits its database, in the order of `sources`
 */
export function addRemoteRelationships(
  sources: readonly Source[],
  tracked: readonly Tracked[],
): readonly Tracked[] {
  const byName = new Map(tracked.map(({ source }) => [source.name, source]));
  return tracked.map((entry) => {
    const metadata = sources.find(({ name }) => name === entry.source.name);
    const hasSome = metadata?.tables.some((table) => table.remote_relationships.length > 0);
    return metadata === undefined || hasSome !== true ? entry : addToSource(metadata, entry, byName);
  });
}

type Sources = ReadonlyMap<string, TrackedSource>;

function addToSource(metadata: Source, { source, inconsistencies }: Tracked, sources: Sources): Tracked {
  const problems = createProblems();
  const tables = new Map(source.tables);
  for (const { table: name, remote_relationships: entries } of metadata.tables) {
    const table = tables.get(tableKey(name));
    if (table === undefined || entries.length === 0) continue;
    const made = new Map<string, RemoteRelationship>();
    for (const entry of entries) {
      const object = {
        type: 'remote_relationship',
        name: `remote_relationship ${entry.name} in table ${displayName(name)} in source ${source.name}`,
        definition: { definition: entry.definition, name: entry.name, source: source.name, table: name },
      };
      const context = `${inTable(name)}in remote relationship "${entry.name}": `;
      const relationship = problems.attempt({ ...object, context }, () => track(entry, table, sources));
      if (relationship === undefined) continue;
      problems.attempt(object, () => {
        if (table.relationships.has(entry.name) || table.computedFields.has(entry.name))
          throw new Problem(`conflicting definitions for field "${entry.name}"`);
        checkName(table, [entry.name]);
        made.set(entry.name, relationship);
      });
    }
    tables.set(tableKey(name), { ...table, remoteRelationships: made });
  }
  return { source: { ...source, tables }, inconsistencies: [...inconsistencies, ...problems.list] };
}

function track(entry: Metadata, table: Table, sources: Sources): RemoteRelationship {
  const { source: sourceName, relationship_type: kind, field_mapping: mapping } = entry.definition.to_source;
  const source = sources.get(sourceName);
  if (source === undefined) throw new Problem(`source not found: "${sourceName}"`);
  const name = remoteTable(entry);
  const target = source.tables.get(tableKey(name));
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
