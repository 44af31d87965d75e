/**
 * A role's GraphQL schema. Types are shells with names; their fields are made when something first looks
 * at them, so a role costs nothing for the tables its requests leave alone.
 *
 * Types say what may be asked (names, arguments, nullability). What a field *means* is the tag in
 * `meaning`, which `plan/` reads; nothing here knows of SQL.
 */

import type { PgType } from '#postgres/catalog.ts';
import type { ScalarReader } from '#values/scalar.ts';
import type { ActionMeaning } from './actions.ts';
import type { MutationInputMeaning, MutationMeaning } from './mutation-meaning.ts';
import type { ComparisonOperator, Operand } from './predicate.ts';
import type {
  Column,
  ComputedField,
  Relationship,
  RemoteRelationship,
  RemoteSelection,
  RootFunction,
  TableView,
} from './tracked.ts';

export type TypeRef = NamedRef | ListRef;
export interface NamedRef {
  readonly kind: 'named';
  readonly type: NamedType;
  readonly nullable: boolean;
}
/** `array`: read as one parameter of this type rather than item by item. */
export interface ListRef {
  readonly kind: 'list';
  readonly of: TypeRef;
  readonly array?: PgType;
  readonly nullable: boolean;
}

export type NamedType = ScalarType | EnumType | InputObjectType | ObjectType;
export type LeafType = ScalarType | EnumType;

export interface ScalarType {
  readonly kind: 'scalar';
  readonly name: string;
  readonly description: string | undefined;
  /** A PostgreSQL array, shown as a list of this scalar but read as one value. */
  readonly array: boolean;
  readonly read: ScalarReader;
}

export interface EnumValue {
  readonly name: string;
  readonly description: string | undefined;
  /** What choosing it means: a column, an order, a row of an enum table. */
  readonly value: unknown;
}

export interface EnumType {
  readonly kind: 'enum';
  readonly name: string;
  readonly description: string | undefined;
  readonly values: ReadonlyMap<string, EnumValue>;
  /** Their names as an error lists them. */
  readonly listed: () => readonly string[];
  /** Set for enum tables: the value goes into a statement as a parameter of this type. */
  readonly column: PgType | undefined;
}

export interface InputObjectType {
  readonly kind: 'input';
  readonly name: string;
  readonly description: string | undefined;
  readonly fields: ReadonlyMap<string, InputField>;
}

/** An argument, or a field of an input object. */
export interface InputField {
  readonly name: string;
  readonly description: string | undefined;
  readonly type: TypeRef;
  /**
   * May be left out, and is then absent rather than null; shown as nullable, although a null is an error
   * where `type` is not nullable (`{_eq: null}`).
   */
  readonly optional: boolean;
  /** JSON value where left out; shown in introspection. */
  readonly default?: unknown;
  readonly meaning: InputMeaning;
}

export interface ObjectType {
  readonly kind: 'object';
  readonly name: string;
  readonly description: string | undefined;
  readonly fields: ReadonlyMap<string, OutputField>;
}

export interface OutputField {
  readonly name: string;
  readonly description: string | undefined;
  readonly arguments: ReadonlyMap<string, InputField>;
  readonly type: TypeRef;
  readonly meaning: OutputMeaning;
}

export type OutputMeaning =
  // root fields
  | { readonly kind: 'select'; readonly view: TableView }
  | { readonly kind: 'select-by-pk'; readonly view: TableView }
  | { readonly kind: 'select-aggregate'; readonly view: TableView }
  | { readonly kind: 'select-stream'; readonly view: TableView }
  | {
      readonly kind: 'function';
      readonly function: RootFunction;
      readonly view: TableView;
      readonly aggregate: boolean;
    }
  | { readonly kind: 'namespace' }
  /** The answer is known beforehand. */
  | { readonly kind: 'json'; readonly json: string }
  // a table's row
  | { readonly kind: 'column'; readonly column: Column; readonly view: TableView }
  | {
      readonly kind: 'relationship';
      readonly relationship: Relationship;
      readonly from: TableView;
      readonly view: TableView;
    }
  | {
      readonly kind: 'relationship-aggregate';
      readonly relationship: Relationship;
      readonly from: TableView;
      readonly view: TableView;
    }
  | {
      readonly kind: 'remote-relationship';
      readonly relationship: RemoteRelationship;
      readonly selects: RemoteSelection;
      /** Of the other source. */
      readonly view: TableView;
    }
  | {
      readonly kind: 'computed-scalar';
      readonly field: ComputedField;
      readonly type: PgType;
      readonly view: TableView;
    }
  | { readonly kind: 'computed-table'; readonly field: ComputedField; readonly view: TableView }
  // aggregates
  | { readonly kind: 'nodes'; readonly view: TableView }
  | { readonly kind: 'aggregate' }
  | { readonly kind: 'count' }
  | { readonly kind: 'aggregate-operator'; readonly operator: string }
  // introspection, and what others answer
  | { readonly kind: 'introspection'; readonly of: 'schema' | 'type' }
  | { readonly kind: 'mutation'; readonly mutation: MutationMeaning }
  | { readonly kind: 'action'; readonly action: ActionMeaning };

export type TableArgument =
  | 'where'
  | 'order_by'
  | 'limit'
  | 'offset'
  | 'distinct_on'
  | 'args'
  | 'batch_size'
  | 'cursor';

export type InputMeaning =
  | { readonly kind: 'argument' }
  /** An argument of a selection whose name depends on the naming convention. */
  | { readonly kind: 'table-argument'; readonly argument: TableArgument }
  | { readonly kind: 'and' | 'or' | 'not' }
  /** A comparison that holds for every row where its value is null. */
  | { readonly kind: 'collapsing'; readonly meaning: InputMeaning }
  | { readonly kind: 'operand'; readonly operand: Operand }
  /** `arguments`: of an operator whose right side is an object, in the order of its SQL function. */
  | {
      readonly kind: 'operator';
      readonly operator: ComparisonOperator;
      readonly arguments?: readonly (readonly [name: string, type: PgType])[];
    }
  | { readonly kind: 'is-null' }
  | { readonly kind: 'cast'; readonly type?: PgType }
  | { readonly kind: 'relationship'; readonly relationship: Relationship; readonly view: TableView }
  | { readonly kind: 'relationship-aggregate'; readonly relationship: Relationship; readonly view: TableView }
  | { readonly kind: 'aggregate-predicate'; readonly function: string; readonly returns: PgType }
  | { readonly kind: 'computed-table'; readonly field: ComputedField; readonly view: TableView }
  | { readonly kind: 'count' }
  | { readonly kind: 'aggregate-operator'; readonly operator: string }
  | { readonly kind: 'column'; readonly column: Column }
  | { readonly kind: 'function-input'; readonly position: number; readonly type: PgType }
  | { readonly kind: 'mutation'; readonly mutation: MutationInputMeaning };

export interface RoleSchema {
  readonly role: string;
  readonly query: ObjectType;
  readonly mutation: ObjectType | undefined;
  readonly subscription: ObjectType | undefined;
}
