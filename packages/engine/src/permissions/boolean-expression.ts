/**
 * Boolean expressions, whatever language they are written in: a permission's filter and the old query API's `where`
 * are JSON, a client's `where` is checked input. What `and`, `or` and `not` come to is decided here for all of them.
 */
import { at, type Path } from '#ir/path.ts';
import { all, NEVER, type Predicate } from '#ir/predicate.ts';
import { isPlainObject } from '#values/json.ts';

/** What one entry of an expression is. */
export type Clause<Expression> =
  | { readonly kind: 'and' | 'or'; readonly items: readonly Expression[] }
  | { readonly kind: 'not'; readonly item: Expression }
  | { readonly kind: 'condition'; readonly predicate: Predicate };

export interface Language<Expression, Entry> {
  /** All of an expression's entries hold. */
  entriesOf(expression: Expression): readonly Entry[];
  /** Read one after the other, so that the first mistake is the one that is told. */
  read(entry: Entry): Clause<Expression>;
}

export function planExpression<Expression, Entry>(
  expression: Expression,
  language: Language<Expression, Entry>,
): Predicate {
  return all(language.entriesOf(expression).map((entry) => planClause(language.read(entry), language)));
}

function planClause<Expression, Entry>(
  clause: Clause<Expression>,
  language: Language<Expression, Entry>,
): Predicate {
  const plan = (inner: Expression) => planExpression(inner, language);
  switch (clause.kind) {
    case 'and':
      return all(clause.items.map(plan));
    case 'or':
      return clause.items.length === 0 ? NEVER : { kind: 'or', items: clause.items.map(plan) };
    case 'not':
      return { kind: 'not', item: plan(clause.item) };
    case 'condition':
      return clause.predicate;
  }
}

/** What a JSON language has of its own: its conditions, and the words and paths of its errors. */
export interface JsonLanguage {
  /** An entry that is neither `_and`, `_or` nor `_not`. */
  condition(key: string, value: unknown, path: Path | undefined): Predicate;
  notAnObject(value: unknown, path: Path | undefined): Error;
  notAList(key: string, value: unknown, path: Path | undefined): Error;
}

/** `_and`, `_or` and `_not` of expressions in JSON; with a `$` in the older style. */
const LOGICAL: Readonly<Record<string, 'and' | 'or' | 'not'>> = {
  _and: 'and',
  $and: 'and',
  _or: 'or',
  $or: 'or',
  _not: 'not',
  $not: 'not',
};

/** Whether an entry of this key holds expressions. */
export function isLogical(key: string): boolean {
  return Object.hasOwn(LOGICAL, key);
}

interface JsonExpression {
  readonly value: unknown;
  readonly path: Path | undefined;
}

/** @param path leads to the expression, for errors */
export function planJsonExpression(
  value: unknown,
  language: JsonLanguage,
  path: Path | undefined = undefined,
): Predicate {
  return planExpression<JsonExpression, readonly [key: string, value: unknown, path: Path | undefined]>(
    { value, path },
    {
      entriesOf(expression) {
        if (!isPlainObject(expression.value)) throw language.notAnObject(expression.value, expression.path);
        return Object.entries(expression.value).map(([key, item]) => [key, item, expression.path]);
      },
      read([key, item, outer]) {
        const here = at(outer, key);
        const kind = isLogical(key) ? LOGICAL[key] : undefined;
        if (kind === undefined) return { kind: 'condition', predicate: language.condition(key, item, here) };
        if (kind === 'not') return { kind, item: { value: item, path: here } };
        if (!Array.isArray(item)) throw language.notAList(key, item, here);
        return { kind, items: item.map((one: unknown, index) => ({ value: one, path: at(here, index) })) };
      },
    },
  );
}
