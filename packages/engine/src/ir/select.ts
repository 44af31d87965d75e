/** Reading: where rows come from, which of them, in what order, and what of each goes into the answer. */
import type { PgType, QualifiedName } from '#postgres/catalog.ts';
import type { TrackedFunction } from './function.ts';
import { ALWAYS, type Operand, type Param, type Predicate } from './predicate.ts';

/** Where rows come from. */
export type Source =
  | { readonly kind: 'table'; readonly table: QualifiedName }
  | { readonly kind: 'function'; readonly call: FunctionCall }
  /** A common table expression of the same statement: the rows a mutation wrote. */
  | { readonly kind: 'cte'; readonly name: string; readonly table: QualifiedName };

export interface FunctionCall {
  readonly function: TrackedFunction;
  /** By position; left out from some position on where PostgreSQL has defaults. */
  readonly inputs: ReadonlyMap<number, { readonly param: Param; readonly type: PgType }>;
  /** Hasura leaves the session out too where a client leaves out all of a function's arguments. */
  readonly withoutSession?: boolean;
}

export interface Select {
  readonly from: Source;
  readonly where: Predicate;
  readonly distinctOn: readonly Extract<Operand, { kind: 'column' }>[];
  readonly orderBy: readonly OrderItem[];
  readonly limit: Param | undefined;
  /** The permission's limit, which also holds without a `limit` of the client's. */
  readonly maximum: number | undefined;
  readonly offset: Param | undefined;
}

export interface OrderItem {
  readonly by: OrderKey;
  readonly direction: 'ASC' | 'DESC';
  readonly nulls: 'FIRST' | 'LAST';
}

export type OrderKey =
  | { readonly kind: 'operand'; readonly operand: Operand }
  /** By something of the one related row that the role may see. */
  | {
      readonly kind: 'related';
      readonly target: QualifiedName;
      readonly mapping: readonly (readonly [local: string, remote: string])[];
      readonly permission: Predicate;
      readonly by: OrderKey;
    }
  /** By an aggregate over related rows; no operand is `count(*)`. */
  | {
      readonly kind: 'related-aggregate';
      readonly from:
        | {
            readonly target: QualifiedName;
            readonly mapping: readonly (readonly [local: string, remote: string])[];
          }
        | { readonly function: TrackedFunction };
      readonly permission: Predicate;
      readonly function: string;
      readonly operand: Operand | undefined;
    };

/** Rows as JSON. */
export interface RowsNode {
  readonly select: Select;
  readonly fields: readonly RowField[];
}

/** One key of a row's JSON, in the order of the client's selection. */
export interface RowField {
  readonly alias: string;
  readonly value: RowValue;
}

export type RowValue =
  /** `__typename` */
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'scalar';
      readonly operand: Operand;
      readonly type: PgType;
      /** A reference to an enum table: written the way the naming convention writes enum values. */
      readonly isEnum: boolean;
      /** Arguments of a computed field. */
      readonly call?: FunctionCall;
      /** JSON path (`path: "$.a[0]"`), as parameters of text. */
      readonly path?: readonly Param[];
    }
  | { readonly kind: 'object'; readonly join: Join; readonly rows: RowsNode }
  | { readonly kind: 'array'; readonly join: Join; readonly rows: RowsNode }
  | { readonly kind: 'aggregate'; readonly join: Join; readonly node: AggregateNode }
  /** A placeholder for what a {@link RemoteJoin} finds by these keys; null where one of them is. */
  | { readonly kind: 'remote'; readonly join: number; readonly keys: readonly Operand[] };

/** Rows of another source, found by the keys in the placeholders of an answer. */
export interface RemoteJoin {
  readonly source: string;
  /** What each key is equal to. */
  readonly columns: readonly { readonly name: string; readonly type: PgType }[];
  readonly rows:
    | { readonly kind: 'object' | 'array'; readonly rows: RowsNode }
    | { readonly kind: 'aggregate'; readonly node: AggregateNode };
}

/** How related rows are found; empty where the source itself (a function on the row) finds them. */
export type Join = readonly (readonly [local: string, remote: string])[];

export interface AggregateNode {
  readonly select: Select;
  readonly fields: readonly AggregateField[];
}

export interface AggregateField {
  readonly alias: string;
  readonly value:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'nodes'; readonly fields: readonly RowField[] }
    | { readonly kind: 'aggregate'; readonly fields: readonly AggregateValue[] };
}

export interface AggregateValue {
  readonly alias: string;
  readonly value:
    | { readonly kind: 'text'; readonly text: string }
    | {
        readonly kind: 'count';
        readonly distinct: boolean;
        readonly operands: readonly Operand[] | undefined;
      }
    | {
        readonly kind: 'operator';
        readonly operator: string;
        readonly fields: readonly AggregateColumn[];
      };
}

export interface AggregateColumn {
  readonly alias: string;
  readonly value:
    | { readonly kind: 'text'; readonly text: string }
    | {
        readonly kind: 'operand';
        readonly operand: Operand;
        readonly type: PgType;
        readonly call?: FunctionCall;
      };
}

/** All rows of `from` that satisfy `where`, in no order; without it, all there are. */
export function allRows(from: Source, where: Predicate = ALWAYS): Select {
  return {
    from,
    where,
    distinctOn: [],
    orderBy: [],
    limit: undefined,
    maximum: undefined,
    offset: undefined,
  };
}
