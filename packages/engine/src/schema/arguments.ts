/** The arguments of everything that selects rows. */

import type { TrackedFunction } from '#ir/function.ts';
import { LIMIT_SCALAR, OFFSET_SCALAR } from '#ir/scalars.ts';
import type { InputField } from '#ir/schema.ts';
import type { TableView } from '#ir/tracked.ts';
import { boolExpType } from './bool-exp.ts';
import { argumentsOf, type Builder, inputType, nullable, optional, required } from './builder.ts';
import { columnScalar } from './column-types.ts';
import { columnEnum } from './columns.ts';
import { orderByType } from './order-by.ts';

/** `where`, `order_by`, `limit`, `offset`, `distinct_on`. */
export function tableArguments(builder: Builder, view: TableView): InputField[] {
  const { names } = builder;
  const columns = columnEnum(builder, view);
  return [
    optional(
      'where',
      nullable(boolExpType(builder, view)),
      { kind: 'table-argument', argument: 'where' },
      'filter the rows returned',
    ),
    optional(
      names.fieldCase('order_by'),
      { kind: 'list', of: required(orderByType(builder, view)), nullable: true },
      { kind: 'table-argument', argument: 'order_by' },
      'sort the rows by one or more columns',
    ),
    optional(
      'limit',
      nullable(LIMIT_SCALAR),
      { kind: 'table-argument', argument: 'limit' },
      'limit the number of rows returned',
    ),
    optional(
      'offset',
      nullable(OFFSET_SCALAR),
      { kind: 'table-argument', argument: 'offset' },
      'skip the first n rows. Use only with order_by',
    ),
    ...(columns === undefined
      ? []
      : [
          optional(
            names.fieldCase('distinct_on'),
            { kind: 'list', of: required(columns), nullable: true },
            { kind: 'table-argument', argument: 'distinct_on' },
            'distinct select on columns',
          ),
        ]),
  ];
}

/** `args`: what a function takes of the client; empty where it takes nothing. */
export function functionArguments(
  builder: Builder,
  fn: TrackedFunction,
  typeName: string,
  description: string,
): InputField[] {
  if (fn.inputs.length === 0) return [];
  const type = inputType(typeName, undefined, () =>
    fn.inputs.map(({ field, position, argument }) =>
      optional(builder.names.fieldCase(field), nullable(columnScalar(builder, argument.type)), {
        kind: 'function-input',
        position,
        type: argument.type,
      }),
    ),
  );
  const isOptional = fn.inputs.every(({ argument }) => argument.hasDefault);
  return [
    {
      name: 'args',
      description,
      type: required(type),
      optional: isOptional,
      meaning: { kind: 'table-argument', argument: 'args' },
    },
  ];
}

export function rootArguments(builder: Builder, view: TableView): ReadonlyMap<string, InputField> {
  return argumentsOf(...tableArguments(builder, view));
}
