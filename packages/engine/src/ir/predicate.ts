/**
 * Conditions on rows: what `where` arguments and permissions become, and what `sql/predicate.ts` writes; and the
 * parameters that stand in them for values.
 */
import type { PgType, QualifiedName } from '#postgres/catalog.ts';
import type { TrackedFunction } from './function.ts';

/**
 * Where a parameter's value comes from when the statement runs.
 * - `value`: known when the plan was made (a literal of the query, a preset, a permission's constant)
 * - `variable`: a GraphQL variable, encoded by `encode` at run time (throws Hasura's error for a bad value)
 * - `session`: one session variable (lower-case name), as text; missing is an error
 * - `session-all`: all session variables as one JSON object
 * - `remote`: keys of rows of another source, which is asked for them before anything is bound
 * - `keys`: what a join between sources looks for, as JSON; known when the other source has answered
 */
export type Param =
  | { readonly from: 'value'; readonly value: string | null }
  | {
      readonly from: 'variable';
      readonly name: string;
      /** The variable's JSON value (never null) to PostgreSQL's text form. */
      readonly encode: (value: unknown) => string | null;
    }
  | { readonly from: 'session'; readonly name: string; readonly encode?: (value: string) => string }
  | { readonly from: 'session-all' }
  /** One array of text: a column's values, row by row. */
  | { readonly from: 'texts'; readonly items: readonly (string | null)[] }
  | { readonly from: 'keys' }
  | { readonly from: 'remote'; readonly condition: RemoteCondition }
  /** Where a streaming subscription goes on from; `initial` at first. */
  | { readonly from: 'cursor'; readonly initial: Param };

export const NULL_PARAM: Param = { from: 'value', value: null };

export type ComparisonOperator =
  | '='
  | '<>'
  | '>'
  | '<'
  | '>='
  | '<='
  | 'in'
  | 'not in'
  | 'LIKE'
  | 'NOT LIKE'
  | 'ILIKE'
  | 'NOT ILIKE'
  | 'SIMILAR TO'
  | 'NOT SIMILAR TO'
  | '~'
  | '~*'
  | '!~'
  | '!~*'
  | '@>'
  | '<@'
  | '?'
  | '?|'
  | '?&'
  | '@'
  | 'ST_Contains'
  | 'ST_Crosses'
  | 'ST_Equals'
  | 'ST_Intersects'
  | 'ST_3DIntersects'
  | 'ST_Overlaps'
  | 'ST_Touches'
  | 'ST_Within'
  | 'ST_DWithin'
  | 'ST_3DDWithin';

/** The left side of a comparison: something of the current row. */
export type Operand =
  /** `visible`: an inherited role's condition for seeing the column; else it counts as null. */
  | { readonly kind: 'column'; readonly column: string; readonly visible?: Predicate | undefined }
  | {
      readonly kind: 'computed';
      readonly function: TrackedFunction;
      readonly visible?: Predicate | undefined;
    }
  /** A value of the inner query of an aggregate predicate. */
  | { readonly kind: 'aggregate' }
  | { readonly kind: 'cast'; readonly of: Operand; readonly type: PgType };

/** The right side. */
export type Comparand =
  | { readonly kind: 'param'; readonly param: Param; readonly type: PgType }
  /** A column of the current row, or of the row that the whole permission is about. */
  | { readonly kind: 'column'; readonly column: string; readonly of: 'row' | 'root' };

export type Predicate =
  | { readonly kind: 'and'; readonly items: readonly Predicate[] }
  | { readonly kind: 'or'; readonly items: readonly Predicate[] }
  | { readonly kind: 'not'; readonly item: Predicate }
  /**
   * `nullSafe`: equality in permissions, where a null on the right side matches a null on the left;
   * `more`: further arguments of a spatial function.
   */
  | {
      readonly kind: 'compare';
      readonly left: Operand;
      readonly operator: ComparisonOperator;
      readonly right: Comparand;
      readonly nullSafe?: boolean;
      readonly more?: readonly Comparand[];
    }
  | { readonly kind: 'is-null'; readonly left: Operand; readonly negated: boolean }
  /**
   * Some related row satisfies `permission` (what the role may read of the target; its own root) and
   * `where`.
   */
  | {
      readonly kind: 'related';
      readonly target: QualifiedName;
      readonly mapping: readonly (readonly [local: string, remote: string])[];
      readonly permission: Predicate;
      readonly where: Predicate;
    }
  /** Some row of an unrelated table satisfies `where`. */
  | { readonly kind: 'exists'; readonly table: QualifiedName; readonly where: Predicate }
  /** Some row of those a computed field returns satisfies `where`. */
  | {
      readonly kind: 'computed-rows';
      readonly function: TrackedFunction;
      readonly permission: Predicate;
      readonly where: Predicate;
    }
  /** An aggregate over related rows satisfies `having` (conditions on the operand `aggregate`). */
  | {
      readonly kind: 'related-aggregate';
      readonly target: QualifiedName;
      readonly mapping: readonly (readonly [local: string, remote: string])[];
      readonly permission: Predicate;
      readonly where: Predicate;
      readonly function: string;
      /** Columns; none is `*`. */
      readonly arguments: readonly Operand[];
      readonly having: Predicate;
    };

/** What a permission asks of another source: the values of a column in the rows that satisfy `where`. */
export interface RemoteCondition {
  readonly source: string;
  readonly table: QualifiedName;
  readonly column: string;
  readonly where: Predicate;
}

export const ALWAYS: Predicate = { kind: 'and', items: [] };
export const NEVER: Predicate = { kind: 'or', items: [] };

/** All of `items`, flattened; without trivial ones. */
export function all(items: readonly Predicate[]): Predicate {
  const flat = items.flatMap((item) => (item.kind === 'and' ? item.items : [item]));
  const [only] = flat;
  return flat.length === 1 && only !== undefined ? only : { kind: 'and', items: flat };
}
