/**
 * What an operation becomes: a tree of nodes per root field, permissions folded in, ready to be written as
 * one statement. Values of the client and the session are parameters throughout.
 */
import type { PgType } from '#postgres/catalog.ts';
import type { ActionNode } from './actions.ts';
import type { Mutation } from './mutation.ts';
import type { AggregateNode, RowsNode } from './select.ts';
import type { InputValidation } from './validation.ts';

/** One key of an operation's `data`. */
export interface RootField {
  readonly alias: string;
  readonly node: RootNode;
}

export type RootNode =
  /** JSON that needs no database: `__typename`, introspection. */
  | { readonly kind: 'json'; readonly json: string }
  /** Root fields under a source's namespace. */
  | { readonly kind: 'namespace'; readonly fields: readonly RootField[] }
  | QueryNode
  | {
      readonly kind: 'mutation';
      readonly source: string;
      readonly mutation: Mutation;
      /** To be done before anything of the operation is written. */
      readonly validations: readonly InputValidation[];
    }
  | { readonly kind: 'action'; readonly action: ActionNode };

/** What one query answers. */
export type QueryNode =
  | {
      readonly kind: 'rows';
      readonly source: string;
      readonly rows: RowsNode;
      /** One row at most, as an object or null. */
      readonly single: boolean;
    }
  | { readonly kind: 'aggregate'; readonly source: string; readonly node: AggregateNode }
  | {
      readonly kind: 'stream';
      readonly source: string;
      readonly rows: RowsNode;
      readonly cursor: Cursor;
    };

/** What a streaming subscription moves along. */
export interface Cursor {
  readonly column: string;
  readonly field: string;
  readonly type: PgType;
  readonly direction: 'ASC' | 'DESC';
}
