/** What is selected of tables: rows, related rows and aggregates. Here permissions meet the client's wishes. */
import type { SelectionNode } from 'graphql';
import type { ObjectType, TableArgument, TableView } from '#schema/types.ts';
import type { Param } from '#sql/text.ts';
import { planAggregateFields } from './aggregate.ts';
import type { Selecting } from './collect.ts';
import { invalid } from './fail.ts';
import { type CheckedField, objectOf, selectFields } from './field.ts';
import { planFunctionCall } from './function-call.ts';
import type { Arguments, Input } from './input.ts';
import { parseJsonPath } from './json-path.ts';
import { planOrderBy } from './order-by.ts';
import { at, type Path } from './path.ts';
import { all, type Operand, type Predicate } from './predicate.ts';
import { joinBySelected, planRemoteJoin } from './remote-join.ts';
import type { AggregateNode, Join, RowField, RowsNode, RowValue, Select, Source } from './types.ts';
import { asList, enumColumn, planWhere } from './where.ts';

/** An argument by what it means: its name depends on the naming convention. */
export function tableArgument(given: Arguments, argument: TableArgument): Input | undefined {
  for (const { field, value } of given.values())
    if (field.meaning.kind === 'table-argument' && field.meaning.argument === argument) return value;
  return undefined;
}

/**
 * Which rows of `source`, in which order: the role's filter and limit together with the arguments.
 * `path` leads to the arguments.
 */
function planSelect(source: Source, view: TableView, given: Arguments, path: Path | undefined): Select {
  const orderBy = planOrderBy(tableArgument(given, 'order_by'));
  const distinctOn = planDistinct(tableArgument(given, 'distinct_on'));
  if (distinctOn.length > 0 && orderBy.length > 0 && !startsWith(orderBy, distinctOn))
    throw invalid('"distinct_on" columns must match initial "order_by" columns', path);
  return {
    from: source,
    where: all([view.access.filter, planWhere(tableArgument(given, 'where'))]),
    distinctOn,
    orderBy,
    limit: asParam(tableArgument(given, 'limit')),
    maximum: view.access.limit,
    offset: asParam(tableArgument(given, 'offset')),
  };
}

/** The initial items must sort by exactly the distinct columns, in any order. */
function startsWith(orderBy: Select['orderBy'], distinctOn: readonly Operand[]): boolean {
  const columns = orderBy
    .slice(0, distinctOn.length)
    .map(({ by }) => (by.kind === 'operand' && by.operand.kind === 'column' ? by.operand.column : undefined));
  return (
    columns.length === distinctOn.length &&
    !columns.includes(undefined) &&
    distinctOn.every((operand) => operand.kind === 'column' && columns.includes(operand.column))
  );
}

function planDistinct(input: Input | undefined): Operand[] {
  if (input === undefined || input.kind === 'null') return [];
  return asList(input).items.flatMap((item) => (item.kind === 'enum' ? [enumColumn(item.value)] : []));
}

function asParam(input: Input | undefined): Param | undefined {
  return input?.kind === 'param' ? input.param : undefined;
}

/** Rows of a table, as a root field or a relationship selects them. */
export function planRows(
  source: Source,
  view: TableView,
  checked: CheckedField,
  context: Selecting,
): RowsNode {
  return {
    select: planSelect(source, view, checked.arguments, at(checked.path, 'args')),
    fields: planRowFields(objectOf(checked.field), checked.selections, context, checked.path),
  };
}

/** One row at most: no arguments, and the permission's limit does not count. */
export function planSingle(
  source: Source,
  where: Predicate,
  checked: CheckedField,
  context: Selecting,
): RowsNode {
  return {
    select: {
      from: source,
      where,
      distinctOn: [],
      orderBy: [],
      limit: undefined,
      maximum: 1,
      offset: undefined,
    },
    fields: planRowFields(objectOf(checked.field), checked.selections, context, checked.path),
  };
}

export function planAggregate(
  source: Source,
  view: TableView,
  checked: CheckedField,
  context: Selecting,
): AggregateNode {
  return {
    select: planSelect(source, view, checked.arguments, at(checked.path, 'args')),
    fields: planAggregateFields(objectOf(checked.field), checked.selections, context, checked.path),
  };
}

/** The keys of a row's JSON. `path` leads to the object. */
export function planRowFields(
  type: ObjectType,
  selections: readonly SelectionNode[],
  context: Selecting,
  path: Path | undefined,
): readonly RowField[] {
  const fields: RowField[] = [];
  for (const selection of selectFields(type, selections, context, path)) {
    const value: RowValue =
      selection.kind === 'typename' ? { kind: 'text', text: type.name } : planRowValue(selection, context);
    fields.push({ alias: selection.alias, value });
  }
  return joinBySelected(fields);
}

function planRowValue(checked: CheckedField, context: Selecting): RowValue {
  const { meaning } = checked.field;
  switch (meaning.kind) {
    case 'column': {
      const { column, view } = meaning;
      const operand: Operand = {
        kind: 'column',
        column: column.name,
        visible: view.access.columns.get(column.name),
      };
      return {
        kind: 'scalar',
        operand,
        type: column.type,
        isEnum: column.enum !== undefined,
        ...jsonPath(checked),
      };
    }
    case 'computed-scalar': {
      const { field, view } = meaning;
      const operand: Operand = {
        kind: 'computed',
        function: field.function,
        visible: view.access.computedFields.get(field.name),
      };
      const call = planFunctionCall(field.function, checked);
      return { kind: 'scalar', operand, type: meaning.type, isEnum: false, call, ...jsonPath(checked) };
    }
    case 'computed-table': {
      const call = planFunctionCall(meaning.field.function, checked);
      return {
        kind: 'array',
        join: [],
        rows: planRows({ kind: 'function', call }, meaning.view, checked, context),
      };
    }
    case 'relationship': {
      const { relationship, view } = meaning;
      const source: Source = { kind: 'table', table: relationship.target };
      const join: Join = relationship.mapping;
      return relationship.kind === 'object'
        ? { kind: 'object', join, rows: planSingle(source, view.access.filter, checked, context) }
        : { kind: 'array', join, rows: planRows(source, view, checked, context) };
    }
    case 'relationship-aggregate': {
      const { relationship, view } = meaning;
      const source: Source = { kind: 'table', table: relationship.target };
      return {
        kind: 'aggregate',
        join: relationship.mapping,
        node: planAggregate(source, view, checked, context),
      };
    }
    case 'remote-relationship': {
      const { relationship, selects, view } = meaning;
      const { keys } = relationship;
      const columns = keys.map(({ column }) => column);
      const join = planRemoteJoin({ columns, selects, view }, checked, context);
      return { kind: 'remote', join, keys: keys.map(({ operand }) => operand) };
    }
    default:
      throw new TypeError(`${checked.field.name} is no part of a row`);
  }
}

function jsonPath(checked: CheckedField): { path?: readonly Param[] } {
  const input = checked.arguments.get('path')?.value;
  if (input?.kind !== 'value' || typeof input.value !== 'string') return {};
  const steps = parseJsonPath(input.value, input.at);
  return steps.length === 0 ? {} : { path: steps.map((value): Param => ({ from: 'value', value })) };
}
