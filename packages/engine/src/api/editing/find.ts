/** Finding sources and tables in metadata, and metadata with one of them changed. */
import { EngineError } from '#base/errors.ts';
import type { Metadata, QualifiedName, Source, TableMetadata } from '#metadata/types.ts';
import { quoted } from './names.ts';

/** @throws {EngineError} `not-exists` */
export function findSource(metadata: Metadata, name: string): Source {
  const found = metadata.sources.find((source) => source.name === name);
  if (found === undefined) throw new EngineError('not-exists', `source with name "${name}" does not exist`);
  return found;
}

export const sameName = (a: QualifiedName, b: QualifiedName) => a.schema === b.schema && a.name === b.name;

/** @throws {EngineError} `not-exists` where the table is not tracked */
export function findTable(metadata: Metadata, source: string, table: QualifiedName): TableMetadata {
  const found = findSource(metadata, source).tables.find((entry) => sameName(entry.table, table));
  if (found === undefined) {
    throw new EngineError('not-exists', `table ${quoted(table)} does not exist in source: ${source}`);
  }
  return found;
}

export function withSource(metadata: Metadata, name: string, edit: (source: Source) => Source): Metadata {
  return {
    ...metadata,
    sources: metadata.sources.map((source) => (source.name === name ? edit(source) : source)),
  };
}

export function withTable(
  metadata: Metadata,
  source: string,
  table: QualifiedName,
  edit: (table: TableMetadata) => TableMetadata,
): Metadata {
  return withSource(metadata, source, (entry) => ({
    ...entry,
    tables: entry.tables.map((candidate) => (sameName(candidate.table, table) ? edit(candidate) : candidate)),
  }));
}
