/** `users_aggregate`: aggregates over rows, and the rows themselves, as one JSON object. */
import type { AggregateField, AggregateNode, AggregateValue } from '../plan/types.ts';
import { writeOperand } from './operand.ts';
import { type Outer, rowEntries, rowJson, typenameText, writeSelect } from './select.ts';
import { ident } from './text.ts';
import { type Entry, jsonObject, jsonValue, type Scope, type Writer } from './writer.ts';

/** A query of one column and one row. */
export function writeAggregate(writer: Writer, node: AggregateNode, outer?: Outer): string {
  const { maximum } = node.select;
  // A permission's limit bounds the rows that are shown, not those that are counted.
  const isLimited = maximum !== undefined;
  const rows = writer.alias();
  const inner = createColumns(rows);
  let fields: Entry[] = [];
  const query = writeSelect(
    writer,
    node.select,
    outer,
    (scope) => {
      fields = node.fields.map((field) => ({
        key: field.alias,
        value: writeField(writer, field, scope, inner, isLimited ? `${rows}."n"` : undefined, maximum),
      }));
      return inner.list();
    },
    { withMaximum: false },
  );
  const numbered = isLimited ? numberRows(writer, query) : query;
  return `SELECT ${jsonObject(fields)} FROM (${numbered}) AS ${rows}`;
}

function numberRows(writer: Writer, query: string): string {
  const alias = writer.alias();
  return `SELECT ${alias}.*, row_number() OVER () AS "n" FROM (${query}) AS ${alias}`;
}

/** Expressions on the inner rows under names that the outer query can aggregate. */
interface Columns {
  add(expression: string): string;
  list(): string;
}

function createColumns(rows: string): Columns {
  const names = new Map<string, string>();
  return {
    add(expression) {
      const name = names.get(expression) ?? ident(`c${names.size}`);
      names.set(expression, name);
      return `${rows}.${name}`;
    },
    list: () =>
      Array.from(names, ([expression, name]) => `${expression} AS ${name}`).join(', ') || '1 AS "c"',
  };
}

function writeField(
  writer: Writer,
  { value }: AggregateField,
  scope: Scope,
  inner: Columns,
  rowNumber: string | undefined,
  maximum: number | undefined,
): string {
  switch (value.kind) {
    case 'text':
      return typenameText(value.text);
    case 'nodes': {
      const item = inner.add(rowJson(writer, rowEntries(writer, value.fields, scope)));
      const filter = rowNumber === undefined ? '' : ` FILTER (WHERE ${rowNumber} <= ${maximum})`;
      return `coalesce(json_agg(${item})${filter}, '[]')`;
    }
    case 'aggregate':
      return jsonObject(
        value.fields.map((field) => ({ key: field.alias, value: writeValue(writer, field, scope, inner) })),
      );
  }
}

function writeValue(writer: Writer, { value }: AggregateValue, scope: Scope, inner: Columns): string {
  switch (value.kind) {
    case 'text':
      return typenameText(value.text);
    case 'count': {
      if (value.operands === undefined) return 'count(*)';
      const columns = value.operands.map((operand) => inner.add(writeOperand(writer, operand, scope)));
      const [only] = columns;
      const argument = columns.length === 1 && only !== undefined ? only : `(${columns.join(', ')})`;
      return `count(${value.distinct ? 'DISTINCT ' : ''}${argument})`;
    }
    case 'operator':
      return jsonObject(
        value.fields.map((field) => ({
          key: field.alias,
          value:
            field.value.kind === 'text'
              ? typenameText(field.value.text)
              : jsonValue(
                  writer,
                  `${value.operator}(${inner.add(writeOperand(writer, field.value.operand, scope, field.value.call))})`,
                  field.value.type,
                  false,
                ),
        })),
      );
  }
}
