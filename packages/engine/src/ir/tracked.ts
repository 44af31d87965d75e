/**
 * One source as it is tracked: the catalogue's tables and functions with what the metadata says of them,
 * names resolved, permissions checked and turned into predicates. Made once per metadata version.
 *
 * Glossary: a *field* is what GraphQL calls it, a *column* what the database calls it; *access* is what
 * one role may see of one table.
 */

import type { ROOT_FIELDS } from '#metadata/types.ts';
import type { CatalogTable, PgType, QualifiedName } from '#postgres/catalog.ts';
import type { TrackedFunction } from './function.ts';
import type { Identifier, Names } from './naming.ts';
import type { Operand, Param, Predicate } from './predicate.ts';
import type { InputHook } from './validation.ts';

/** The rows of a table that is tracked as an enum; they are the values of columns that reference it. */
export interface EnumTable {
  readonly table: QualifiedName;
  readonly typeName: string;
  readonly values: readonly { readonly name: string; readonly comment: string | undefined }[];
}

export interface Column {
  /** In the database. */
  readonly name: string;
  /** In GraphQL. */
  readonly field: string;
  readonly type: PgType;
  readonly nullable: boolean;
  readonly hasDefault: boolean;
  readonly identity: 'always' | 'by default' | undefined;
  readonly generated: boolean;
  readonly description: string | undefined;
  /** Set where a foreign key leads to a table tracked as enum. */
  readonly enum: EnumTable | undefined;
}

export interface Relationship {
  readonly name: string;
  readonly kind: 'object' | 'array';
  readonly target: QualifiedName;
  /** Pairs of (column here, column there). */
  readonly mapping: readonly (readonly [local: string, remote: string])[];
  readonly manual: boolean;
  /** An object relationship over a foreign key of this table. */
  readonly forward: boolean;
  /** Nested inserts: whether the target's row goes in before this table's. */
  readonly insertBefore: boolean;
  readonly nullable: boolean;
}

/** To a table of another source (or of the same one): joined by the engine, not by a database. */
export interface RemoteRelationship {
  readonly name: string;
  readonly kind: 'object' | 'array';
  readonly source: string;
  readonly target: QualifiedName;
  /** What of the row here is equal to which column there. */
  readonly keys: readonly { readonly operand: Operand; readonly column: Column }[];
}

export interface ComputedField {
  readonly name: string;
  readonly function: TrackedFunction;
  readonly returns:
    | { readonly kind: 'scalar'; readonly type: PgType }
    | { readonly kind: 'table'; readonly table: QualifiedName };
  readonly description: string | undefined;
}

/** What a role may read of one table. */
export interface SelectAccess {
  /** Visible columns; the predicate, where there is one, says in which rows (else the value is null). */
  readonly columns: ReadonlyMap<string, Predicate | undefined>;
  readonly computedFields: ReadonlyMap<string, Predicate | undefined>;
  readonly filter: Predicate;
  readonly limit: number | undefined;
  readonly aggregations: boolean;
  /** Root fields the role has; undefined is all of them. */
  readonly queryRootFields: ReadonlySet<string> | undefined;
  readonly subscriptionRootFields: ReadonlySet<string> | undefined;
}

/** A preset: a constant of the metadata or a session variable. */
export interface Preset {
  readonly column: string;
  readonly type: PgType;
  readonly param: Param;
}

export interface InsertAccess {
  readonly columns: ReadonlySet<string>;
  readonly check: Predicate;
  readonly presets: readonly Preset[];
  readonly backendOnly: boolean;
  readonly inputHook?: InputHook | undefined;
}

export interface UpdateAccess {
  readonly columns: ReadonlySet<string>;
  readonly filter: Predicate;
  readonly check: Predicate | undefined;
  readonly presets: readonly Preset[];
  readonly backendOnly: boolean;
  readonly inputHook?: InputHook | undefined;
}

export interface DeleteAccess {
  readonly filter: Predicate;
  readonly backendOnly: boolean;
  readonly inputHook?: InputHook | undefined;
}

export type RootFieldKind = (typeof ROOT_FIELDS)[number];

export interface Table {
  readonly source: string;
  readonly name: QualifiedName;
  readonly catalog: CatalogTable;
  /** The words of its name in GraphQL before prefixes and naming conventions are applied. */
  readonly identifier: Identifier;
  /** Whether GraphQL can name it; where not, it is there for `/v1/query` and event triggers alone. */
  readonly inGraphql: boolean;
  readonly description: string | undefined;
  readonly columns: readonly Column[];
  readonly columnByName: ReadonlyMap<string, Column>;
  readonly columnByField: ReadonlyMap<string, Column>;
  /** Undefined without a primary key. */
  readonly primaryKey: readonly Column[] | undefined;
  readonly relationships: ReadonlyMap<string, Relationship>;
  readonly computedFields: ReadonlyMap<string, ComputedField>;
  readonly remoteRelationships: ReadonlyMap<string, RemoteRelationship>;
  readonly enumValues: EnumTable | undefined;
  readonly rootFields: ReadonlyMap<
    RootFieldKind,
    { readonly name: string | undefined; readonly comment: string | undefined }
  >;
  /** Admin's access included. Undefined: none. */
  selectAccess(role: string): SelectAccess | undefined;
  insertAccess(role: string): InsertAccess | undefined;
  updateAccess(role: string): UpdateAccess | undefined;
  deleteAccess(role: string): DeleteAccess | undefined;
}

export interface RootFunction {
  readonly source: string;
  readonly function: TrackedFunction;
  readonly returns: QualifiedName;
  readonly exposedAs: 'query' | 'mutation';
  readonly fieldName: string;
  readonly aggregateFieldName: string;
  readonly argumentsTypeName: string;
  readonly comment: string | undefined;
  /** Whether `role` may call it, apart from what it may read of the returned table. */
  allows(role: string): boolean;
}

export interface TrackedSource {
  readonly name: string;
  readonly names: Names;
  /** By `tableKey`; consistent ones only. */
  readonly tables: ReadonlyMap<string, Table>;
  readonly functions: readonly RootFunction[];
}

/** A table as one role sees it. */
export interface TableView {
  readonly table: Table;
  readonly access: SelectAccess;
}

/** What is selected through a relationship to another source. */
export type RemoteSelection = 'object' | 'array' | 'aggregate';
