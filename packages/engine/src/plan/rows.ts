/** What is selected of tables: rows, related rows and aggregates, in this source and in others. */
import type { SelectionNode } from 'graphql';
import { at, type Path } from '#ir/path.ts';
import type { Operand, Param, Predicate } from '#ir/predicate.ts';
import type { ObjectType } from '#ir/schema.ts';
import type { AggregateNode, Join, RemoteJoin, RowField, RowsNode, RowValue, Source } from '#ir/select.ts';
import type { Column, RemoteSelection, TableView } from '#ir/tracked.ts';
import { planAggregateFields } from './aggregate.ts';
import type { SelectionContext } from './collect-fields.ts';
import { type CheckedField, objectOf, selectFields } from './field.ts';
import { planFunctionCall } from './function-call.ts';
import { joinBySelected } from './join-keys.ts';
import { parseJsonPath } from './json-path.ts';
import { planSelect } from './select.ts';

/** Rows of a table, as a root field or a relationship selects them. */
export function planRows(
  source: Source,
  view: TableView,
  checked: CheckedField,
  context: SelectionContext,
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
  context: SelectionContext,
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
  context: SelectionContext,
): AggregateNode {
  return {
    select: planSelect(source, view, checked.arguments, at(checked.path, 'args')),
    fields: planAggregateFields(
      objectOf(checked.field),
      checked.selections,
      context,
      checked.path,
      planRowFields,
    ),
  };
}

/** The keys of a row's JSON. `path` leads to the object. */
export function planRowFields(
  type: ObjectType,
  selections: readonly SelectionNode[],
  context: SelectionContext,
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

function planRowValue(checked: CheckedField, context: SelectionContext): RowValue {
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

export interface RemoteTarget {
  readonly view: TableView;
  /** The columns of the other table, in the order of the keys. */
  readonly columns: readonly Column[];
  readonly selects: RemoteSelection;
}

/**
 * Rows of another source that are related to these rows. The statement writes a placeholder with the keys where they
 * go; `execute/run/remote-joins.ts` asks the other source for all of them at once and replaces the placeholders.
 *
 * @returns the number of the join among those of the operation
 */
export function planRemoteJoin(
  { view, columns, selects }: RemoteTarget,
  checked: CheckedField,
  context: SelectionContext,
): number {
  const { name: table, source } = view.table;
  const from: Source = { kind: 'table', table };
  const rows: RemoteJoin['rows'] =
    selects === 'aggregate'
      ? { kind: 'aggregate', node: planAggregate(from, view, checked, context) }
      : selects === 'object'
        ? { kind: 'object', rows: planSingle(from, view.access.filter, checked, context) }
        : { kind: 'array', rows: planRows(from, view, checked, context) };
  return context.remoteJoins.push({ source, columns, rows }) - 1;
}
