/** Rows and aggregates as queries that answer one JSON value each. */

import type { AggregateNode, RowField, RowsNode, RowValue } from '#ir/select.ts';
import { TEXT } from '#postgres/pg-type.ts';
import { aggregateQuery } from './aggregate.ts';
import {
  canBeColumns,
  type Entry,
  jsonObject,
  jsonValue,
  rowJson,
  selectList,
  typenameText,
} from './json.ts';
import { writePlaceholder } from './placeholder.ts';
import { writeOperand } from './predicate.ts';
import { type OuterRow, writeSelect } from './select.ts';
import type { Scope, Writer } from './writer.ts';

/** A query of one column and one row: the rows as a JSON array. */
export function writeRows(writer: Writer, node: RowsNode, outer?: OuterRow): string {
  const { query, item, alias } = writeItems(writer, node, outer);
  return `SELECT coalesce(json_agg(${item}), '[]') FROM (${query}) AS ${alias}`;
}

/** A query of one column and at most one row: the row as a JSON object. */
export function writeRow(writer: Writer, node: RowsNode, outer?: OuterRow): string {
  const { query, item, alias } = writeItems(writer, node, outer);
  return `SELECT to_json(${item}) FROM (${query}) AS ${alias}`;
}

/** A query of one column and one row: aggregates over rows, and rows themselves, as a JSON object. */
export function writeAggregate(writer: Writer, node: AggregateNode, outer?: OuterRow): string {
  return aggregateQuery(writer, node, writeFields, outer);
}

/** A whole row's JSON as one expression. */
export function writeFields(writer: Writer, fields: readonly RowField[], scope: Scope): string {
  return rowJson(writer, rowEntries(writer, fields, scope));
}

/** The rows, and the expression that is a whole row's JSON. */
function writeItems(
  writer: Writer,
  node: RowsNode,
  outer: OuterRow | undefined,
): { query: string; item: string; alias: string } {
  const alias = writer.alias();
  let item = alias;
  const query = writeSelect(writer, node.select, outer, (scope) => {
    const entries = rowEntries(writer, node.fields, scope);
    if (canBeColumns(entries)) return selectList(entries);
    item = `${alias}."json"`;
    return `${jsonObject(entries)} AS "json"`;
  });
  return { query, item, alias };
}

/** The keys and values of a row's JSON. */
function rowEntries(writer: Writer, fields: readonly RowField[], scope: Scope): Entry[] {
  return fields.map(({ alias, value }) => ({ key: alias, value: writeValue(writer, value, scope) }));
}

function writeValue(writer: Writer, value: RowValue, scope: Scope): string {
  switch (value.kind) {
    case 'text':
      return typenameText(value.text);
    case 'scalar': {
      const expression = writeOperand(writer, value.operand, scope, value.call);
      const steps = (value.path ?? []).map((step) => writer.param(step, TEXT));
      const part = steps.length === 0 ? expression : `(${expression} #> ARRAY[${steps.join(', ')}])`;
      return jsonValue(writer, part, value.type, value.isEnum);
    }
    case 'object':
      return `(${writeRow(writer, value.rows, { scope, join: value.join })})`;
    case 'array':
      return `(${writeRows(writer, value.rows, { scope, join: value.join })})`;
    case 'aggregate':
      return `(${writeAggregate(writer, value.node, { scope, join: value.join })})`;
    case 'remote':
      return writePlaceholder(writer, value.join, value.keys, scope);
  }
}
