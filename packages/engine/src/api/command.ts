/** What a command of the metadata and query APIs is, and what it works with. */
import type { Pool } from 'pg';
import type { z } from 'zod';
import type { EngineConfig } from '#config.ts';
import { EngineError } from '#errors.ts';
import type { Logger } from '#log.ts';
import { parseWith } from '#metadata/parse.ts';
import type { Metadata, QualifiedName, Source, TableMetadata } from '#metadata/types.ts';
import type { Session } from '#session.ts';
import type { MetadataStore } from '#storage/metadata-store.ts';
import type { Draft } from './draft.ts';
import { quoted } from './names.ts';
import type { StateBuilder } from './state.ts';

export interface CommandContext {
  readonly draft: Draft;
  readonly session: Session;
  readonly config: EngineConfig;
  readonly store: MetadataStore;
  /** The database of `hdb_catalog`. */
  readonly metadataPool: Pool;
  readonly builder: StateBuilder;
  readonly log: Logger;
}

export interface Command {
  /**
   * Reads the arguments; what it returns runs the command.
   * @param at where in the request the arguments stand
   * @throws {EngineError} `parse-failed`
   */
  prepare(args: unknown, at: readonly PropertyKey[]): (context: CommandContext) => Promise<unknown>;
}

export type Commands = Readonly<Record<string, Command>>;

/** @param reader what Hasura calls its reader of the arguments, where it names it in complaints */
export function command<Args extends z.ZodType>(
  schema: Args,
  run: (args: z.output<Args>, context: CommandContext) => Promise<unknown> | unknown,
  reader?: string,
): Command {
  return {
    prepare(args, at) {
      const parsed = parseWith(schema, args, at, reader);
      return async (context) => run(parsed, context);
    },
  };
}

export const SUCCESS = { message: 'success' } as const;

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
