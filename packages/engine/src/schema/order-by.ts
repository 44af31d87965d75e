/** `users_order_by`: by columns, by columns of related rows, by aggregates of related rows. */

import { custom } from '#ir/naming.ts';
import type { EnumType, InputField, InputObjectType, TypeRef } from '#ir/schema.ts';
import type { Column, TableView } from '#ir/tracked.ts';
import { displayName, tableKey } from '#postgres/catalog.ts';
import { isComparable, isNumeric } from '#postgres/pg-type.ts';
import { type Builder, enumType, inputType, nullable, optional, required } from './builder.ts';
import { columnOperand, visibleColumns } from './columns.ts';

/** What a value of the `order_by` enum means. */
export interface Ordering {
  readonly direction: 'ASC' | 'DESC';
  readonly nulls: 'FIRST' | 'LAST';
}

const ORDERINGS: readonly (readonly [string, string, Ordering])[] = [
  ['asc', 'in ascending order, nulls last', { direction: 'ASC', nulls: 'LAST' }],
  ['asc_nulls_first', 'in ascending order, nulls first', { direction: 'ASC', nulls: 'FIRST' }],
  ['asc_nulls_last', 'in ascending order, nulls last', { direction: 'ASC', nulls: 'LAST' }],
  ['desc', 'in descending order, nulls first', { direction: 'DESC', nulls: 'FIRST' }],
  ['desc_nulls_first', 'in descending order, nulls first', { direction: 'DESC', nulls: 'FIRST' }],
  ['desc_nulls_last', 'in descending order, nulls last', { direction: 'DESC', nulls: 'LAST' }],
];

function orderingType(builder: Builder): EnumType {
  return builder.once('order_by', () =>
    enumType(
      builder.names.typeCase('order_by'),
      'column ordering options',
      ORDERINGS.map(([name, description, value]) => ({
        name: builder.names.enumValue(name),
        description,
        value,
      })),
    ),
  );
}

export function orderByType(builder: Builder, view: TableView): InputObjectType {
  const { table } = view;
  return builder.once(`order_by ${tableKey(table.name)}`, () =>
    inputType(
      builder.names.type(table.identifier, 'order_by'),
      `Ordering options when selecting data from "${displayName(table.name)}".`,
      () => [
        ...visibleColumns(view).map((column) =>
          optional(column.field, nullable(orderingType(builder)), {
            kind: 'operand',
            operand: columnOperand(view, column),
          }),
        ),
        ...relationshipFields(builder, view),
        ...computedFields(builder, view),
      ],
    ),
  );
}

function relationshipFields(builder: Builder, view: TableView): InputField[] {
  const fields: InputField[] = [];
  for (const relationship of view.table.relationships.values()) {
    const remote = builder.view(relationship.target);
    if (remote === undefined) continue;
    if (relationship.kind === 'object') {
      fields.push(
        optional(relationship.name, nullable(orderByType(builder, remote)), {
          kind: 'relationship',
          relationship,
          view: remote,
        }),
      );
    } else {
      fields.push(
        optional(
          builder.names.field(custom(relationship.name), 'aggregate'),
          nullable(aggregateOrderByType(builder, remote)),
          { kind: 'relationship-aggregate', relationship, view: remote },
        ),
      );
    }
  }
  return fields;
}

function computedFields(builder: Builder, view: TableView): InputField[] {
  const fields: InputField[] = [];
  for (const field of view.table.computedFields.values()) {
    if (field.function.inputs.length > 0) continue;
    if (field.returns.kind === 'scalar') {
      if (!view.access.computedFields.has(field.name)) continue;
      fields.push(
        optional(field.name, nullable(orderingType(builder)), {
          kind: 'operand',
          operand: {
            kind: 'computed',
            function: field.function,
            visible: view.access.computedFields.get(field.name),
          },
        }),
      );
      continue;
    }
    const remote = builder.view(field.returns.table);
    if (remote === undefined) continue;
    fields.push(
      optional(
        builder.names.field(custom(field.name), 'aggregate'),
        nullable(aggregateOrderByType(builder, remote)),
        { kind: 'computed-table', field, view: remote },
      ),
    );
  }
  return fields;
}

export const NUMERIC_AGGREGATES = [
  'sum',
  'avg',
  'stddev',
  'stddev_samp',
  'stddev_pop',
  'variance',
  'var_samp',
  'var_pop',
] as const;
export const COMPARISON_AGGREGATES = ['max', 'min'] as const;

/** Visible columns that `operator` applies to. */
export function aggregateColumns(view: TableView, operator: string): Column[] {
  const applies = COMPARISON_AGGREGATES.some((name) => name === operator) ? isComparable : isNumeric;
  return visibleColumns(view).filter((column) => column.enum === undefined && applies(column.type));
}

function aggregateOrderByType(builder: Builder, view: TableView): InputObjectType {
  const { names } = builder;
  const { identifier, name } = view.table;
  return builder.once(`aggregate_order_by ${tableKey(name)}`, () =>
    inputType(
      names.type(identifier, 'aggregate_order_by'),
      `order by aggregate values of table "${displayName(name)}"`,
      () => [
        optional('count', nullable(orderingType(builder)), { kind: 'count' }),
        ...[...NUMERIC_AGGREGATES, ...COMPARISON_AGGREGATES].flatMap((operator) => {
          const columns = aggregateColumns(view, operator);
          if (columns.length === 0) return [];
          const operatorName = names.field(operator);
          const type = inputType(
            names.type(identifier, operator, 'order_by'),
            `order by ${operatorName}() on columns of table "${displayName(name)}"`,
            () => columns.map((column) => aggregateColumn(view, column, nullable(orderingType(builder)))),
          );
          return [optional(operatorName, required(type), { kind: 'aggregate-operator', operator })];
        }),
      ],
    ),
  );
}

function aggregateColumn(view: TableView, column: Column, type: TypeRef): InputField {
  return optional(
    column.field,
    type,
    {
      kind: 'operand',
      operand: columnOperand(view, column),
    },
    column.description,
  );
}
