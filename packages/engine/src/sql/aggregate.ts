/** `users_aggregate`: aggregates over rows, and the rows themselves, as one JSON object. */
import type { AggregateField, AggregateNode, AggregateValue, RowField } from '#ir/select.ts';
import { ident } from '#postgres/quote.ts';
import { type Entry, jsonObject, jsonValue, typenameText } from './json.ts';
import { writeOperand } from './predicate.ts';
import { type OuterRow, writeSelect } from './select.ts';
import type { Scope, Writer } from './writer.ts';

/** Writes a whole row's JSON as one expression: rows hold aggregates, and aggregates rows. */
export type WriteRow = (writer: Writer, fields: readonly RowField[], scope: Scope) => string;

/** A query of one column and one row. */
export function aggregateQuery(
  writer: Writer,
  node: AggregateNode,
  writeRow: WriteRow,
  outer: OuterRow | undefined,
): string {
  const { maximum } = node.select;
  const rows = writer.alias();
  // A permission's limit bounds the rows that are shown, not those that are counted. And since PostgreSQL 16 a
  // distinct count sorts the rows for all aggregates beside it: those that are shown are sorted back.
  const sortsBack = countsDistinct(node);
  const shown: Shown | undefined =
    maximum === undefined && !sortsBack ? undefined : { number: `${rows}."n"`, maximum, sortsBack };
  const inner = createColumns(rows);
  let fields: Entry[] = [];
  const query = writeSelect(
    writer,
    node.select,
    outer,
    (scope) => {
      fields = node.fields.map((field) => ({
        key: field.alias,
        value: writeField(writer, field, scope, inner, shown, writeRow),
      }));
      return inner.list();
    },
    { withMaximum: false },
  );
  const numbered = shown !== undefined ? numberRows(writer, query) : query;
  return `SELECT ${jsonObject(fields)} FROM (${numbered}) AS ${rows}`;
}

/** How rows are picked out of those that are counted, and in which order. */
interface Shown {
  readonly number: string;
  readonly maximum: number | undefined;
  readonly sortsBack: boolean;
}

function countsDistinct({ fields }: AggregateNode): boolean {
  return (
    fields.some(({ value }) => value.kind === 'nodes') &&
    fields.some(
      ({ value }) =>
        value.kind === 'aggregate' &&
        value.fields.some((field) => field.value.kind === 'count' && field.value.distinct),
    )
  );
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
  shown: Shown | undefined,
  writeRow: WriteRow,
): string {
  switch (value.kind) {
    case 'text':
      return typenameText(value.text);
    case 'nodes': {
      const item = inner.add(writeRow(writer, value.fields, scope));
      const order = shown?.sortsBack === true ? ` ORDER BY ${shown.number}` : '';
      const filter =
        shown?.maximum === undefined ? '' : ` FILTER (WHERE ${shown.number} <= ${shown.maximum})`;
      return `coalesce(json_agg(${item}${order})${filter}, '[]')`;
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
