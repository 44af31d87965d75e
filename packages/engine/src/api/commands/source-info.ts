/** Reading the databases of sources: tables, columns, and relationships that could be. */
import { z } from 'zod';
import { type Commands, command } from '#api/command.ts';
import { findSource } from '#api/editing/find.ts';
import { suggestRelationships } from '#api/editing/suggest-relationships.ts';
import { EngineError } from '#base/errors.ts';
import { json, nonEmptyText, object } from '#metadata/primitives.ts';
import { qualifiedName } from '#metadata/types.ts';
import { type CatalogTable, tableKey } from '#postgres/catalog.ts';
import { readCatalog } from '#postgres/read-catalog.ts';

const listed = z.array(z.object({ schema: z.string(), name: z.string() }));

/** Tables and views; partitions are seen through the table they are parts of. */
const ALL_TABLES = `
  SELECT t.table_schema AS schema, t.table_name AS name FROM information_schema.tables AS t
  WHERE t.table_schema NOT IN ('information_schema', 'pg_catalog', 'hdb_catalog', '_timescaledb_internal')
    AND t.table_name NOT IN (
      SELECT c.relname FROM pg_catalog.pg_inherits AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid)
  ORDER BY 1, 2`;

/** Under the prefix `pg_`. */
export const sourceInfoCommands: Commands = {
  get_source_tables: command(object({ source: nonEmptyText }), async ({ source }, { draft, builder }) => {
    const { rows } = await builder.pool(findSource(draft.state.metadata, source)).query(ALL_TABLES);
    return listed.parse(rows);
  }),
  get_source_trackables: command(object({ source: nonEmptyText }), () => {
    throw new EngineError('unexpected', 'listAllTrackables not supported by Postgres', { status: 500 });
  }),
  get_table_info: command(
    object({ source: nonEmptyText, table: qualifiedName }),
    async ({ source, table }, { draft, builder }) => {
      const catalog = await readCatalog(builder.pool(findSource(draft.state.metadata, source)));
      const found = catalog.tables.get(tableKey(table));
      return found === undefined ? null : describe(found);
    },
  ),
  suggest_relationships: command(
    object({
      source: nonEmptyText.default('default'),
      tables: z.array(qualifiedName).optional(),
      omit_tracked: z.boolean().default(false),
    }),
    async ({ source: name, tables, omit_tracked: omitTracked }, { draft }) => {
      const source = draft.state.metadata.sources.find((one) => one.name === name);
      const catalog = source && (await draft.catalog(source));
      if (source === undefined || catalog === undefined)
        throw new EngineError('unexpected', "Couldn't find any schema source information", { status: 500 });
      return { relationships: suggestRelationships(source, catalog, tables, omitTracked) };
    },
  ),
  test_connection_template: command(
    object({
      source_name: nonEmptyText.default('default'),
      request_context: json,
      connection_template: json.optional(),
    }),
    ({ source_name: source }, { draft }) => {
      findSource(draft.state.metadata, source);
      throw new EngineError('not-supported', 'Connection templating feature is enterprise edition only');
    },
  ),
};

function describe(table: CatalogTable) {
  const views = table.kind === 'view' || table.kind === 'materialized view';
  const foreignKeys = table.foreignKeys.map(({ name, columns, target }) => [
    name,
    { foreign_table: plain(target), column_mapping: Object.fromEntries(columns) },
  ]);
  return {
    name: plain(table.name),
    type: views ? 'view' : 'table',
    columns: table.columns.map((column) => {
      const writable = !column.generated && column.identity !== 'always';
      const { name, type, nullable, description } = column;
      return {
        name,
        type: type.name,
        nullable,
        ...(description === undefined ? {} : { description }),
        insertable: writable,
        updatable: writable,
      };
    }),
    ...(table.primaryKey === undefined ? {} : { primary_key: table.primaryKey.columns }),
    ...(foreignKeys.length === 0 ? {} : { foreign_keys: Object.fromEntries(foreignKeys) }),
    insertable: table.writable.insert,
    updatable: table.writable.update,
    deletable: table.writable.delete,
  };
}

const plain = ({ name, schema }: { readonly name: string; readonly schema: string }) => ({ name, schema });

/** Kinds of sources as Hasura knows them; only the first is here. */
const KINDS = ['pg', 'citus', 'cockroach', 'mssql', 'bigquery'];

/** Without a prefix. */
export const sourceKindCommands: Commands = {
  list_source_kinds: command(z.unknown(), () => ({
    sources: KINDS.map((kind) => ({ kind, builtin: true, available: kind === 'pg', display_name: kind })),
  })),
  get_source_kind_capabilities: command(object({ name: nonEmptyText }), ({ name }) => {
    const isBuiltIn = name === 'postgres' || KINDS.includes(name);
    throw new EngineError(
      'data-connector-error',
      isBuiltIn ? `${name} does not support Capabilities` : `Source Kind ${name} was not found`,
    );
  }),
  /** Of data connectors; sources of PostgreSQL have `pg_get_table_info`. */
  get_table_info: command(object({ source: nonEmptyText, table: json }), ({ source }, { draft }) => {
    if (!draft.state.metadata.sources.some(({ name }) => name === source))
      throw new EngineError('data-connector-error', `Source '${source}' not found`);
    throw new EngineError('unexpected', "Schema fetching is not supported for 'postgres'", { status: 500 });
  }),
};
