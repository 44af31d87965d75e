/**
 * What a mutation's root field becomes: written by `plan/mutation-*.ts`, made into statements by
 * `sql/mutation-*.ts` and run in order by `execute/run/mutation.ts`.
 *
 * Glossary: the *output* is what the client selected; a *check* is a permission's condition on rows as
 * they are after the write, a *filter* one on rows as they were before.
 */
import type { PgType, QualifiedName } from '#postgres/catalog.ts';
import type { Path } from './path.ts';
import type { PlainRows } from './plain-rows.ts';
import type { Param, Predicate } from './predicate.ts';
import type { RowField } from './select.ts';

export type Mutation = InsertMutation | UpdateMutation | DeleteMutation;

/** The table written to, with all its columns in the table's order. */
export interface MutationTarget {
  readonly table: QualifiedName;
  readonly columns: readonly TypedColumn[];
}

export interface TypedColumn {
  readonly name: string;
  readonly type: PgType;
}

/** A value for a column; typed, because the parameter is text until it is cast. */
export interface Assignment extends TypedColumn {
  readonly param: Param;
}

export type MutationOutput =
  /** `{affected_rows returning {…}}` */
  | { readonly kind: 'response'; readonly fields: readonly ResponseField[] }
  /** The row itself, or null. */
  | { readonly kind: 'row'; readonly fields: readonly RowField[] };

export interface ResponseField {
  readonly alias: string;
  readonly value:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'affected-rows' }
    | { readonly kind: 'returning'; readonly fields: readonly RowField[] };
}

export interface InsertMutation {
  readonly kind: 'insert';
  readonly insert: InsertSet;
  /** In place of the set's rows, which are none then. */
  readonly plain?: PlainRows | undefined;
  readonly output: MutationOutput;
}

/** Rows for one table, under one role's rules. */
export interface InsertSet extends MutationTarget {
  readonly rows: readonly InsertRow[];
  readonly presets: readonly Assignment[];
  readonly check: Predicate;
  /** For rows that an upsert updates; undefined: the role has no such check, and `check` holds for them too. */
  readonly updateCheck: Predicate | undefined;
  readonly conflict: ConflictRule | undefined;
  /** The list or object these rows came in: where an error of theirs is reported. */
  readonly at: Path | undefined;
  /** Whether `at` is a list, so that errors of one row name its index; as in Hasura `object` counts as one. */
  readonly isList: boolean;
}

export interface InsertRow {
  readonly values: readonly Assignment[];
  /** Inserts through relationships, in the order of the input. */
  readonly related: readonly RelatedInsert[];
}

export interface RelatedInsert {
  readonly relationship: string;
  readonly kind: 'object' | 'array';
  /** Pairs of (column of the current row, column of the related row). */
  readonly mapping: readonly (readonly [local: string, remote: string])[];
  /** Whether the related row goes first, and gives its key to this one. */
  readonly before: boolean;
  readonly insert: InsertSet;
}

export interface ConflictRule {
  /** A constraint by name, or the columns it is on; undefined: any conflict. */
  readonly target: { readonly constraint: string } | { readonly columns: readonly string[] } | undefined;
  /** Columns that take the incoming value; none is DO NOTHING. */
  readonly update: readonly string[];
  readonly presets: readonly Assignment[];
  /** The update permission's filter and the client's `where`. */
  readonly where: Predicate;
}

export interface UpdateMutation extends MutationTarget {
  readonly kind: 'update';
  readonly batches: readonly UpdateBatch[];
  /** `update_x_many`: a list of answers, one per batch. */
  readonly many: boolean;
  readonly check: Predicate;
  readonly output: MutationOutput;
}

export interface UpdateBatch {
  /** None: nothing is written and no row affected. */
  readonly set: readonly UpdateItem[];
  /** The permission's filter included. */
  readonly where: Predicate;
}

export type UpdateOperator =
  | 'set'
  | 'inc'
  | 'append'
  | 'prepend'
  | 'delete_key'
  | 'delete_elem'
  | 'delete_at_path'
  /** In the old query API only. */
  | 'mul'
  | 'default';

export interface UpdateItem extends TypedColumn {
  readonly operator: UpdateOperator;
  /** One; the steps of a path; or none, for the default. */
  readonly params: readonly Param[];
}

export interface DeleteMutation extends MutationTarget {
  readonly kind: 'delete';
  /** The permission's filter included. */
  readonly where: Predicate;
  readonly output: MutationOutput;
}
