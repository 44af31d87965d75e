/** Conditions of the old query API. Unlike a permission's filter they hold only what the role may read. */

import { at, type Path } from '#ir/path.ts';
import { all, type Operand, type Predicate } from '#ir/predicate.ts';
import type { SelectAccess, Table } from '#ir/tracked.ts';
import { Problem } from '#metadata/problem.ts';
import { planJsonExpression } from '#permissions/boolean-expression.ts';
import type { Lookup } from '#permissions/filter-context.ts';
import { planColumnFilter } from '#permissions/filter-operators.ts';
import { isPlainObject, type Json } from '#values/json.ts';
import { ScalarError } from '#values/scalar.ts';
import { type DmlContext, dmlError, dmlTable, quote, relatedAccess, visibleColumn } from './lookup.ts';

/** Conditions on one column lead nowhere. */
const NO_TABLES: Lookup = { table: () => undefined, elsewhere: () => undefined };

/** A table, and what the role may read of it. */
export interface DmlView {
  readonly table: Table;
  readonly access: SelectAccess;
}

/** @throws {EngineError} for what does not exist, is not understood or may not be read */
export function planDmlWhere(
  context: DmlContext,
  view: DmlView,
  where: unknown,
  path: Path | undefined,
): Predicate {
  return planExpression({ ...context, root: view }, view, where, path);
}

interface WhereContext extends DmlContext {
  readonly root: DmlView;
}

function planExpression(
  context: WhereContext,
  view: DmlView,
  where: unknown,
  path: Path | undefined,
): Predicate {
  const language = {
    condition: (name: string, value: unknown, here: Path | undefined) =>
      planField(context, view, name, value, here),
    notAnObject: (_: unknown, here: Path | undefined) =>
      dmlError('parse-failed', 'expected a boolean expression', here),
    notAList: (_key: string, _: unknown, here: Path | undefined) =>
      dmlError('parse-failed', 'expected a list of boolean expressions', here),
  };
  return planJsonExpression(where, language, path);
}

function planField(
  context: WhereContext,
  view: DmlView,
  name: string,
  value: unknown,
  path: Path | undefined,
): Predicate {
  const { table, access } = view;
  const relationship = table.relationships.get(name);
  if (relationship !== undefined) {
    const target = dmlTable(context, relationship.target, path);
    const inner: DmlView = { table: target, access: relatedAccess(context, name, target, path) };
    return {
      kind: 'related',
      target: relationship.target,
      mapping: relationship.mapping,
      permission: inner.access.filter,
      where: planExpression(context, inner, value, path),
    };
  }
  if (!table.columnByName.has(name)) {
    throw dmlError('not-exists', `${quote(name)} does not exist`, path);
  }
  const column = visibleColumn(context, table, access.columns, name, path);
  const operand: Operand = { kind: 'column', column: name, visible: access.columns.get(name) };
  const compare = (operators: unknown, where: Path | undefined) =>
    attempt(where, () =>
      planColumnFilter(
        operand,
        column.type,
        operators,
        { root: context.root, table: view, lookup: NO_TABLES },
        quote(name),
      ),
    );
  if (!isPlainObject(value)) return compare(value, path);
  return all(
    Object.entries(value).map(([operator, side]) =>
      compare({ [operator]: side as Json }, at(path, operator)),
    ),
  );
}

function attempt(path: Path | undefined, plan: () => Predicate): Predicate {
  try {
    return plan();
  } catch (error) {
    if (error instanceof ScalarError)
      throw dmlError(error.code, error.message, error.index === undefined ? path : at(path, error.index));
    if (error instanceof Problem) throw dmlError('unexpected-payload', error.message, path);
    throw error;
  }
}
