/** `users_stream`: the streaming subscription's field and its cursor. */

import { LIMIT_SCALAR } from '#ir/scalars.ts';
import type { InputObjectType, OutputField } from '#ir/schema.ts';
import type { TableView } from '#ir/tracked.ts';
import { displayName, tableKey } from '#postgres/catalog.ts';
import { tableArguments } from './arguments.ts';
import {
  ARGUMENT,
  argumentsOf,
  type Builder,
  enumType,
  inputType,
  mandatory,
  nullable,
  optional,
  required,
  requiredList,
} from './builder.ts';
import { columnRef } from './column-types.ts';
import { visibleColumns } from './columns.ts';
import { rootFieldDescription, rootFieldName } from './root-field.ts';
import { rowType } from './row-type.ts';

export function streamField(builder: Builder, view: TableView): OutputField | undefined {
  const { table } = view;
  if (visibleColumns(view).length === 0) return undefined;
  const { names } = builder;
  return {
    name: rootFieldName(builder, table, 'select_stream', (name) => names.field(name, 'stream')),
    description: rootFieldDescription(
      table,
      'select_stream',
      `fetch data from the table in a streaming manner: "${displayName(table.name)}"`,
    ),
    get arguments() {
      const where = tableArguments(builder, view).filter((argument) => argument.name === 'where');
      return argumentsOf(
        ...where,
        mandatory(
          'cursor',
          { kind: 'list', of: nullable(cursorType(builder, view)), nullable: false },
          { kind: 'table-argument', argument: 'cursor' },
          'cursor to stream the results returned by the query',
        ),
        mandatory(
          names.fieldCase('batch_size'),
          required(LIMIT_SCALAR),
          { kind: 'table-argument', argument: 'batch_size' },
          'maximum number of rows returned in a single batch',
        ),
      );
    },
    type: requiredList(rowType(builder, view)),
    meaning: { kind: 'select-stream', view },
  };
}

function cursorType(builder: Builder, view: TableView): InputObjectType {
  const { names } = builder;
  const { identifier, name } = view.table;
  return builder.once(`stream_cursor ${tableKey(name)}`, () => {
    const ordering = builder.once('cursor_ordering', () =>
      enumType(names.type('cursor_ordering'), 'ordering argument of a cursor', [
        { name: 'ASC', description: 'ascending ordering of the cursor', value: 'ASC' },
        { name: 'DESC', description: 'descending ordering of the cursor', value: 'DESC' },
      ]),
    );
    const values = inputType(
      names.type(identifier, 'stream_cursor_value_input'),
      'Initial value of the column from where the streaming should start',
      () =>
        visibleColumns(view).map((column) =>
          optional(
            column.field,
            columnRef(builder, column, column.nullable),
            { kind: 'column', column },
            column.description,
          ),
        ),
    );
    return inputType(
      names.type(identifier, 'stream_cursor_input'),
      `Streaming cursor of the table "${identifier.map(({ text }) => text).join('_')}"`,
      () => [
        mandatory(
          names.fieldCase('initial_value'),
          required(values),
          ARGUMENT,
          'Stream column input with initial value',
        ),
        optional('ordering', required(ordering), ARGUMENT, 'cursor ordering'),
      ],
    );
  });
}
