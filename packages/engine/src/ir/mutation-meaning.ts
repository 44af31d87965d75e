/** What the fields and inputs of mutations mean; read by `plan/mutation-*.ts`. */
import type { UpdateOperator } from './mutation.ts';
import type { Relationship, Table } from './tracked.ts';

/** A table as one role may write to it; the role's permissions are looked up under its name. */
export interface WriteView {
  readonly table: Table;
  readonly role: string;
}

export type MutationMeaning =
  | { readonly kind: 'affected-rows' }
  | { readonly kind: 'returning' }
  | {
      readonly kind:
        | 'insert'
        | 'insert-one'
        | 'update'
        | 'update-by-pk'
        | 'update-many'
        | 'delete'
        | 'delete-by-pk';
      readonly view: WriteView;
    };

export type MutationInputMeaning =
  /** The rows to insert: `objects`, `object`, and `data` of a nested insert. */
  | { readonly kind: 'rows' }
  | { readonly kind: 'related-insert'; readonly relationship: Relationship; readonly view: WriteView }
  | { readonly kind: 'on-conflict' }
  | { readonly kind: 'constraint' }
  | { readonly kind: 'update-columns' }
  | { readonly kind: 'where' }
  | { readonly kind: 'pk-columns' }
  /** `_set`, `_inc` and the like. */
  | { readonly kind: 'update-operator'; readonly operator: UpdateOperator }
  /** The batches of `update_x_many`. */
  | { readonly kind: 'updates' };
