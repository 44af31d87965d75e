/** What the fields and inputs of mutations mean; read by `plan/mutation-*.ts`. */
import type { Table } from './tracked.ts';

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
      readonly table: Table;
    };

export type MutationInputMeaning = { readonly kind: 'none' };
