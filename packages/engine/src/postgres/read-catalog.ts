/** Reads {@link Catalog} from a database. */
import { z } from 'zod';
import type { Catalog, CatalogFunction, CatalogTable } from './catalog.ts';
import { tableKey } from './catalog.ts';
import { CATALOG_SQL } from './catalog-sql.ts';
import { buildTypes } from './read-types.ts';

/** The part of a `pg` client or pool that reading needs. */
export interface Queryable {
  query(text: string): Promise<{ rows: unknown[] }>;
}

const name = z.object({ schema: z.string(), name: z.string() });
const constraint = z.object({ name: z.string(), columns: z.array(z.string()) });
const text = z
  .string()
  .nullable()
  .transform((value) => value ?? undefined);

const tableRow = z.object({
  oid: z.number(),
  name,
  relkind: z.enum(['r', 'v', 'm', 'f', 'p']),
  columns: z.array(
    z.object({
      name: z.string(),
      position: z.number(),
      type: z.number(),
      nullable: z.boolean(),
      has_default: z.boolean(),
      identity: z.enum(['', 'a', 'd']),
      generated: z.boolean(),
      description: text,
    }),
  ),
  primary_key: constraint.nullable(),
  unique: z.array(constraint),
  foreign_keys: z.array(
    z.object({ name: z.string(), columns: z.array(z.tuple([z.string(), z.string()])), target: name }),
  ),
  events: z.number(),
  description: text,
});

const functionRow = z.object({
  oid: z.number(),
  name,
  volatility: z.enum(['i', 's', 'v']),
  variadic: z.boolean(),
  argument_types: z.array(z.number()),
  argument_names: z.array(z.string()),
  defaults: z.number(),
  return_type: z.number(),
  returns_set: z.boolean(),
  returns_table: name.nullable(),
  description: text,
});

const row = z.object({
  catalog: z.object({
    version: z.number(),
    types: z.array(
      z.object({
        oid: z.number(),
        schema: z.string(),
        name: z.string(),
        sql: z.string(),
        kind: z.string(),
        category: z.string(),
        element: z.number(),
        base: z.number(),
      }),
    ),
    tables: z.array(tableRow),
    functions: z.array(functionRow),
  }),
});

const KINDS = {
  r: 'table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  p: 'partitioned table',
} as const;
const VOLATILITY = { i: 'immutable', s: 'stable', v: 'volatile' } as const;
const IDENTITY = { '': undefined, a: 'always', d: 'by default' } as const;
/** Bits of `pg_relation_is_updatable`. */
const EVENTS = { update: 4, insert: 8, delete: 16 } as const;

/** All tables and functions outside the system's own schemas, in one round trip. */
export async function readCatalog(database: Queryable): Promise<Catalog> {
  const { rows } = await database.query(CATALOG_SQL);
  const { catalog } = row.parse(rows[0]);
  const types = buildTypes(catalog.types);

  const tables = new Map<string, CatalogTable>();
  for (const table of catalog.tables) {
    // Tables can always be written to, materialized views never; PostgreSQL tells it of views.
    const can = (event: number) =>
      table.relkind === 'v' ? (table.events & event) !== 0 : table.relkind !== 'm';
    tables.set(tableKey(table.name), {
      oid: table.oid,
      name: table.name,
      kind: KINDS[table.relkind],
      columns: table.columns.map((column) => ({
        name: column.name,
        position: column.position,
        type: types(column.type),
        nullable: column.nullable,
        hasDefault: column.has_default,
        identity: IDENTITY[column.identity],
        generated: column.generated,
        description: column.description,
      })),
      primaryKey: table.primary_key ?? undefined,
      uniqueConstraints: table.unique,
      foreignKeys: table.foreign_keys,
      writable: {
        insert: can(EVENTS.insert),
        update: can(EVENTS.update),
        delete: can(EVENTS.delete),
      },
      description: table.description,
    });
  }

  const functions = new Map<string, CatalogFunction[]>();
  for (const fn of catalog.functions) {
    const withoutDefault = fn.argument_types.length - fn.defaults;
    const entry: CatalogFunction = {
      oid: fn.oid,
      name: fn.name,
      volatility: VOLATILITY[fn.volatility],
      variadic: fn.variadic,
      arguments: fn.argument_types.map((type, index) => ({
        name: fn.argument_names[index] || undefined,
        type: types(type),
        hasDefault: index >= withoutDefault,
      })),
      returnType: types(fn.return_type),
      returnsSet: fn.returns_set,
      returnsTable: fn.returns_table ?? undefined,
      description: fn.description,
    };
    const key = tableKey(fn.name);
    functions.set(key, [...(functions.get(key) ?? []), entry]);
  }
  return { serverVersion: catalog.version, tables, functions };
}
