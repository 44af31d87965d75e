/**
 * Conditions on rows: what `where` arguments and permissions become, and what `sql/predicate.ts` writes.
 */
import type { PgType, QualifiedName } from '#catalog/types.ts';
import type { TrackedFunction } from '#schema/tracked.ts';
import type { Param } from '#sql/text.ts';

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

/** The left side of a comparison: something of the row at hand. */
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
  /** A column of the row at hand, or of the row that the whole permission is about. */
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

/** All of `items`, flattened; trivial ones vanish. */
export function all(items: readonly Predicate[]): Predicate {
  const flat = items.flatMap((item) => (item.kind === 'and' ? item.items : [item]));
  const [only] = flat;
  return flat.length === 1 && only !== undefined ? only : { kind: 'and', items: flat };
}
