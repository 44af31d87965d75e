/** Arguments of updates: the operators, each with the columns it works on. */

import type { UpdateOperator } from '#ir/mutation.ts';
import type { InputField, TypeRef } from '#ir/schema.ts';
import type { Column, Table } from '#ir/tracked.ts';
import { INTEGER, isNumeric, TEXT } from '#postgres/pg-type.ts';
import { type Builder, nullable, required, requiredList } from './builder.ts';
import { columnScalar } from './column-types.ts';
import { optionalArgument, quoted, tableInput, valueField } from './mutation-inputs.ts';
import { updatableColumns } from './mutation-insert.ts';

interface Operator {
  readonly operator: UpdateOperator;
  readonly description: string;
  readonly typeDescription: (table: Table) => string;
  readonly applies: (column: Column) => boolean;
  /** Of the value for one column; the column's own type unless told. */
  readonly valueRef?: (builder: Builder) => TypeRef;
}

const isJsonb = ({ type }: Column) => type.name === 'jsonb';

const json = (operator: UpdateOperator, description: string, valueRef?: Operator['valueRef']): Operator => ({
  operator,
  description,
  typeDescription: () => description,
  applies: isJsonb,
  ...(valueRef === undefined ? {} : { valueRef }),
});

const OPERATORS: readonly Operator[] = [
  {
    operator: 'set',
    description: 'sets the columns of the filtered rows to the given values',
    typeDescription: (table) => `input type for updating data in table ${quoted(table)}`,
    applies: () => true,
  },
  {
    operator: 'inc',
    description: 'increments the numeric columns with given value of the filtered values',
    typeDescription: (table) => `input type for incrementing numeric columns in table ${quoted(table)}`,
    applies: ({ type }) => isNumeric(type),
  },
  json('prepend', 'prepend existing jsonb value of filtered columns with new jsonb value'),
  json('append', 'append existing jsonb value of filtered columns with new jsonb value'),
  json(
    'delete_key',
    'delete key/value pair or string element. key/value pairs are matched based on their key value',
    (builder) => nullable(columnScalar(builder, TEXT)),
  ),
  json(
    'delete_elem',
    'delete the array element with specified index (negative integers count from the end). throws an error if top level container is not an array',
    (builder) => required(columnScalar(builder, INTEGER)),
  ),
  json(
    'delete_at_path',
    'delete the field or element with specified path (for JSON arrays, negative integers count from the end)',
    (builder) => requiredList(columnScalar(builder, TEXT)),
  ),
];

/** `_set`, `_inc` and the like; an operator that works on no column of the role's is not there. */
export function updateArguments(builder: Builder, table: Table): readonly InputField[] {
  const columns = updatableColumns(builder, table);
  return OPERATORS.flatMap((operator) =>
    operatorArgument(builder, table, operator, columns.filter(operator.applies)),
  );
}

function operatorArgument(
  builder: Builder,
  table: Table,
  { operator, description, typeDescription, valueRef }: Operator,
  columns: readonly Column[],
): readonly InputField[] {
  if (columns.length === 0) return [];
  const type = tableInput(builder, table, `${operator}_input`, typeDescription(table), () =>
    columns.map((column) => {
      const field = valueField(builder, column);
      return valueRef === undefined ? field : { ...field, type: valueRef(builder) };
    }),
  );
  const meaning = { kind: 'update-operator', operator } as const;
  return [optionalArgument(builder.names.field(`_${operator}`), description, required(type), meaning)];
}
