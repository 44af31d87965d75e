/**
 * One source as it is tracked: the catalogue's tables and functions with what the metadata says of them,
 * names resolved, permissions checked and turned into predicates. Made once per metadata version.
 *
 * Glossary: a *field* is what GraphQL calls it, a *column* what the database calls it; *access* is what
 * one role may see of one table.
 */
import type {
  CatalogFunction,
  CatalogTable,
  FunctionArgument,
  PgType,
  QualifiedName,
} from '#catalog/types.ts';
import type { Json, ROOT_FIELDS } from '#metadata/types.ts';
import type { Operand, Predicate } from '#plan/predicate.ts';
import type { Param } from '#sql/text.ts';
import type { InputHook } from '#webhook/validate-input.ts';
import type { Names } from './naming.ts';

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

/** How a function that reads a table's row, the session or a client's arguments is called. */
export interface TrackedFunction {
  readonly name: QualifiedName;
  readonly catalog: CatalogFunction;
  /** Position of the argument that takes the table's row (computed fields only). */
  readonly rowArgument: number | undefined;
  /** Position of the argument that takes the session variables as JSON. */
  readonly sessionArgument: number | undefined;
  /** What remains for the client, with names in GraphQL (`arg_1` for the nameless). */
  readonly inputs: readonly {
    readonly position: number;
    readonly field: string;
    readonly argument: FunctionArgument;
  }[];
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

/**
 * A name made of words, so that it can be written in snake_case, camelCase or PascalCase. A first
 * word that the user chose (`custom`) is never re-cased.
 */
export type Identifier = readonly { readonly text: string; readonly custom: boolean }[];

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

/** A part of the metadata that does not fit the database; the rest works without it. */
export interface InconsistentObject {
  /** Such as `table`, `object_relation`, `select_permission`. */
  readonly type: string;
  readonly name: string;
  readonly reason: string;
  /** Missing where it is no object of the metadata: a permission that could not be inherited. */
  readonly definition?: Json;
  readonly message?: Json;
  /** Of a permission that could not be inherited. */
  readonly entity?: Json;
}
