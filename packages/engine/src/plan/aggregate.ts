/** What is selected of an aggregate: nodes, counts, sums. */
import type { SelectionNode } from 'graphql';
import type { Path } from '#ir/path.ts';
import type { Operand } from '#ir/predicate.ts';
import type { ObjectType } from '#ir/schema.ts';
import type { AggregateColumn, AggregateField, AggregateValue, RowField } from '#ir/select.ts';
import type { SelectionContext } from './collect-fields.ts';
import { type CheckedField, objectOf, selectFields } from './field.ts';
import { planFunctionCall } from './function-call.ts';
import { asList, enumColumn } from './read-input.ts';

/** Plans the rows among an aggregate's fields: rows hold aggregates, and aggregates rows. */
export type PlanNodes = (
  type: ObjectType,
  selections: readonly SelectionNode[],
  context: SelectionContext,
  path: Path | undefined,
) => readonly RowField[];

export function planAggregateFields(
  type: ObjectType,
  selections: readonly SelectionNode[],
  context: SelectionContext,
  path: Path | undefined,
  planNodes: PlanNodes,
): AggregateField[] {
  const fields: AggregateField[] = [];
  for (const selection of selectFields(type, selections, context, path)) {
    const { alias } = selection;
    if (selection.kind === 'typename') {
      fields.push({ alias, value: { kind: 'text', text: type.name } });
      continue;
    }
    const inner = objectOf(selection.field);
    if (selection.field.meaning.kind === 'nodes') {
      const rows = planNodes(inner, selection.selections, context, selection.path);
      fields.push({ alias, value: { kind: 'nodes', fields: rows } });
    } else {
      fields.push({ alias, value: { kind: 'aggregate', fields: planValues(inner, selection, context) } });
    }
  }
  return fields;
}

function planValues(type: ObjectType, checked: CheckedField, context: SelectionContext): AggregateValue[] {
  const values: AggregateValue[] = [];
  for (const selection of selectFields(type, checked.selections, context, checked.path)) {
    const { alias } = selection;
    if (selection.kind === 'typename') {
      values.push({ alias, value: { kind: 'text', text: type.name } });
      continue;
    }
    const { meaning } = selection.field;
    if (meaning.kind === 'count') {
      const columns = selection.arguments.get('columns')?.value;
      const distinct = selection.arguments.get('distinct')?.value;
      values.push({
        alias,
        value: {
          kind: 'count',
          distinct: distinct?.kind === 'value' && distinct.value === true,
          operands:
            columns === undefined
              ? undefined
              : asList(columns).items.flatMap((item) =>
                  item.kind === 'enum' ? [enumColumn(item.value)] : [],
                ),
        },
      });
    } else if (meaning.kind === 'aggregate-operator') {
      const columns = planColumns(objectOf(selection.field), selection, context);
      values.push({ alias, value: { kind: 'operator', operator: meaning.operator, fields: columns } });
    } else {
      throw new TypeError(`${selection.field.name} is no aggregate`);
    }
  }
  return values;
}

function planColumns(type: ObjectType, checked: CheckedField, context: SelectionContext): AggregateColumn[] {
  const columns: AggregateColumn[] = [];
  for (const selection of selectFields(type, checked.selections, context, checked.path)) {
    const { alias } = selection;
    if (selection.kind === 'typename') {
      columns.push({ alias, value: { kind: 'text', text: type.name } });
      continue;
    }
    const { meaning } = selection.field;
    if (meaning.kind === 'column') {
      const { column, view } = meaning;
      const operand: Operand = {
        kind: 'column',
        column: column.name,
        visible: view.access.columns.get(column.name),
      };
      columns.push({ alias, value: { kind: 'operand', operand, type: column.type } });
    } else if (meaning.kind === 'computed-scalar') {
      const { field, view } = meaning;
      const operand: Operand = {
        kind: 'computed',
        function: field.function,
        visible: view.access.computedFields.get(field.name),
      };
      const call = planFunctionCall(field.function, selection);
      columns.push({ alias, value: { kind: 'operand', operand, type: meaning.type, call } });
    } else {
      throw new TypeError(`${selection.field.name} is nothing to aggregate`);
    }
  }
  return columns;
}
