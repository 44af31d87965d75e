/**
 * A client's input, checked against its type: what arguments look like to the planners. Leaves are
 * parameters wherever the planner need not know the value.
 */
import type { PgType } from '#postgres/catalog.ts';
import type { Raw } from '#values/scalar.ts';
import type { Path } from './path.ts';
import type { PlainRows } from './plain-rows.ts';
import type { Param } from './predicate.ts';
import type { EnumValue, InputField, InputObjectType, LeafType } from './schema.ts';

export type Input = NullInput | ObjectInput | ListInput | RowsInput | ParamInput | ValueInput | EnumInput;

export interface NullInput {
  readonly kind: 'null';
  readonly at: Path | undefined;
}
export interface ObjectInput {
  readonly kind: 'object';
  readonly type: InputObjectType;
  /** In the order they were written; left-out optional fields are missing. */
  readonly fields: readonly { readonly field: InputField; readonly value: Input }[];
  readonly at: Path | undefined;
}
export interface ListInput {
  readonly kind: 'list';
  readonly items: readonly Input[];
  readonly at: Path | undefined;
}
/** A list of rows to insert that were read column by column. */
export interface RowsInput {
  readonly kind: 'rows';
  readonly rows: PlainRows;
  /** The same as any list. */
  readonly asList: () => readonly Input[];
  readonly at: Path | undefined;
}
/** A scalar for the statement. */
export interface ParamInput {
  readonly kind: 'param';
  readonly type: LeafType;
  /** What the parameter is cast to. */
  readonly pgType: PgType;
  readonly param: Param;
  /** As the client gave it. */
  readonly raw: Raw;
  readonly at: Path | undefined;
}
/** A scalar for the planner (a `now` reader's result). */
export interface ValueInput {
  readonly kind: 'value';
  readonly value: unknown;
  readonly at: Path | undefined;
}
export interface EnumInput {
  readonly kind: 'enum';
  readonly value: EnumValue;
  readonly at: Path | undefined;
}

/** The arguments of a field, by name. */
export type Arguments = ReadonlyMap<string, { readonly field: InputField; readonly value: Input }>;
