/**
 * The database as PostgreSQL's catalogue tells it, read once per source and never changed.
 *
 * Glossary: a *table* is anything with rows (table, view, materialized view, foreign or partitioned
 * table); a *type* is named the way Hasura names it (`integer`, `bigint`, `float8`, `bpchar`, `text[]`),
 * because permissions, comparison operators and messages speak those names.
 */

/** A table or function: its schema and its name, unquoted. */
export interface QualifiedName {
  readonly schema: string;
  readonly name: string;
}

export interface PgType {
  /** Hasura's name: `integer`, `timestamptz`, `text[]`, or the type's own name where Hasura has none. */
  readonly name: string;
  /** As PostgreSQL itself writes it in a cast, quoted and qualified where needed (`format_type`). */
  readonly sql: string;
  /** `domain` never appears: a column of a domain has the domain's base type, as in Hasura. */
  readonly kind: 'base' | 'array' | 'enum' | 'composite';
  /** The schema it is in; undefined for types that are known by name alone. */
  readonly schema?: string;
  /** Of an array: the type of its elements. */
  readonly element?: PgType;
}

export interface CatalogColumn {
  readonly name: string;
  /** Position in the table, from 1, gaps where columns were dropped. */
  readonly position: number;
  readonly type: PgType;
  readonly nullable: boolean;
  readonly hasDefault: boolean;
  /** `always` columns take no value from a client. */
  readonly identity: 'always' | 'by default' | undefined;
  /** GENERATED ALWAYS AS (…) STORED or VIRTUAL. */
  readonly generated: boolean;
  readonly description: string | undefined;
}

/** A primary key or unique constraint. */
export interface UniqueConstraint {
  readonly name: string;
  readonly columns: readonly string[];
}

export interface ForeignKey {
  readonly name: string;
  /** Pairs of (column here, column there), in the constraint's order. */
  readonly columns: readonly (readonly [local: string, remote: string])[];
  readonly target: QualifiedName;
}

export interface CatalogTable {
  readonly oid: number;
  readonly name: QualifiedName;
  readonly kind: 'table' | 'view' | 'materialized view' | 'foreign table' | 'partitioned table';
  readonly columns: readonly CatalogColumn[];
  readonly primaryKey: UniqueConstraint | undefined;
  /** Without the primary key. */
  readonly uniqueConstraints: readonly UniqueConstraint[];
  readonly foreignKeys: readonly ForeignKey[];
  /** What PostgreSQL lets one write to a view; all true for a table. */
  readonly writable: { readonly insert: boolean; readonly update: boolean; readonly delete: boolean };
  readonly description: string | undefined;
}

export interface FunctionArgument {
  /** Undefined for an argument without a name. */
  readonly name: string | undefined;
  readonly type: PgType;
  readonly hasDefault: boolean;
}

export interface CatalogFunction {
  readonly oid: number;
  readonly name: QualifiedName;
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  readonly variadic: boolean;
  /** Input arguments only. */
  readonly arguments: readonly FunctionArgument[];
  readonly returnType: PgType;
  readonly returnsSet: boolean;
  /** Set where the return type is the row type of a table. */
  readonly returnsTable: QualifiedName | undefined;
  readonly description: string | undefined;
}

export interface Catalog {
  /** `server_version_num`, such as 170002. */
  readonly serverVersion: number;
  /** By {@link tableKey}. */
  readonly tables: ReadonlyMap<string, CatalogTable>;
  /** By {@link tableKey}; several where the name is overloaded. */
  readonly functions: ReadonlyMap<string, readonly CatalogFunction[]>;
}

/** One string per name, for maps; no two names share one, whatever characters they hold. */
export function tableKey(name: QualifiedName): string {
  return JSON.stringify([name.schema, name.name]);
}

/** As Hasura writes a name in messages and descriptions: without the schema where it is `public`. */
export function displayName(name: QualifiedName): string {
  return name.schema === 'public' ? name.name : `${name.schema}.${name.name}`;
}
