/** `users_stream`: rows beyond a cursor, a batch at a time. */

import type { Input } from '#ir/input.ts';
import type { QueryNode } from '#ir/operation.ts';
import { at } from '#ir/path.ts';
import type { Param } from '#ir/predicate.ts';
import { all, NULL_PARAM, type Operand } from '#ir/predicate.ts';
import type { Column, TableView } from '#ir/tracked.ts';
import type { SelectionContext } from './collect-fields.ts';
import { invalid } from './errors.ts';
import { type CheckedField, objectOf } from './field.ts';
import { asList, asObject, tableArgument } from './read-input.ts';
import { planRowFields } from './rows.ts';
import { planWhere } from './where.ts';

export function planStream(view: TableView, checked: CheckedField, context: SelectionContext): QueryNode {
  const items = cursorItems(tableArgument(checked.arguments, 'cursor'));
  const path = at(checked.path, 'args');
  const [item, second] = items;
  if (item === undefined) throw invalid('one streaming column field is expected', path);
  if (second !== undefined) throw invalid('multiple column cursors are not supported yet', path);
  const { column, direction, initial } = item;
  const operand: Operand = {
    kind: 'column',
    column: column.name,
    visible: view.access.columns.get(column.name),
  };
  const batch = tableArgument(checked.arguments, 'batch_size');
  return {
    kind: 'stream',
    source: view.table.source,
    rows: {
      select: {
        from: { kind: 'table', table: view.table.name },
        where: all([
          view.access.filter,
          planWhere(tableArgument(checked.arguments, 'where')),
          {
            kind: 'compare',
            left: operand,
            operator: direction === 'ASC' ? '>' : '<',
            right: { kind: 'param', param: { from: 'cursor', initial }, type: column.type },
          },
        ]),
        distinctOn: [],
        orderBy: [
          { by: { kind: 'operand', operand }, direction, nulls: direction === 'ASC' ? 'LAST' : 'FIRST' },
        ],
        limit: batch?.kind === 'param' ? batch.param : undefined,
        maximum: view.access.limit,
        offset: undefined,
      },
      fields: planRowFields(objectOf(checked.field), checked.selections, context, checked.path),
    },
    cursor: { column: column.name, field: column.field, type: column.type, direction },
  };
}

interface Item {
  readonly column: Column;
  readonly direction: 'ASC' | 'DESC';
  readonly initial: Param;
}

function cursorItems(input: Input | undefined): Item[] {
  if (input === undefined) return [];
  return asList(input).items.flatMap((item) => {
    if (item.kind === 'null') return [];
    const { fields } = asObject(item);
    const ordering = fields.find(({ value }) => value.kind === 'enum')?.value;
    const direction = ordering?.kind === 'enum' && ordering.value.value === 'DESC' ? 'DESC' : 'ASC';
    const values = fields.find(({ value }) => value.kind === 'object')?.value;
    if (values === undefined) return [];
    return asObject(values).fields.flatMap(({ field, value }): Item[] => {
      if (field.meaning.kind !== 'column') return [];
      const initial = value.kind === 'param' ? value.param : NULL_PARAM;
      return [{ column: field.meaning.column, direction, initial }];
    });
  });
}
