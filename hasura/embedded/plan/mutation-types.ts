/** What a mutation's root field becomes; written by `plan/mutation-*.ts`, read by `sql/mutation-*.ts`. */
import type { QualifiedName } from '../catalog/types.ts';

export interface Mutation {
  readonly table: QualifiedName;
}
