import type { CatalogFunction, FunctionArgument, QualifiedName } from '#postgres/catalog.ts';

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
