/** Rows and aggregates as queries that answer one JSON value each. */
import { BIGINT, TEXT } from '#catalog/pg-type.ts';
import type { Cursor, Join, OrderItem, OrderKey, RowField, RowsNode, RowValue, Select } from '#plan/types.ts';
import { writeAggregate } from './aggregate.ts';
import { writeGap } from './gap.ts';
import { writeOperand, writeSource } from './operand.ts';
import { allOf, writeJoin, writePredicate } from './predicate.ts';
import { literal, type Param, qualified } from './text.ts';
import {
  canBeColumns,
  column,
  type Entry,
  jsonObject,
  jsonValue,
  type Scope,
  selectList,
  type Writer,
} from './writer.ts';

/** How the rows of a query belong to a row of the query around it. */
export interface Outer {
  readonly scope: Scope;
  readonly join: Join;
}

/** A query of one column and one row: the rows as a JSON array. */
export function writeRows(writer: Writer, node: RowsNode, outer?: Outer): string {
  const { query, item, alias } = writeItems(writer, node, outer);
  return `SELECT coalesce(json_agg(${item}), '[]') FROM (${query}) AS ${alias}`;
}

/** A query of one column and at most one row: the row as a JSON object. */
export function writeRow(writer: Writer, node: RowsNode, outer?: Outer): string {
  const { query, item, alias } = writeItems(writer, node, outer);
  return `SELECT to_json(${item}) FROM (${query}) AS ${alias}`;
}

/**
 * The next batch of a stream: one text, the furthest value of the cursor as a line of JSON before the rows;
 * null where there is nothing new. Rows that tie with the last of the batch come along, because the next
 * batch begins behind them.
 */
export function writeStream(writer: Writer, node: RowsNode, cursor: Cursor): string {
  const alias = writer.alias();
  const list = (scope: Scope) => {
    const row = rowJson(writer, rowEntries(writer, node.fields, scope));
    return `${row} AS "json", ${column(scope, cursor.column)} AS "cursor"`;
  };
  const query = writer.options.hasWithTies
    ? writeSelect(writer, node.select, undefined, list, { withTies: true })
    : writeRanked(writer, node.select, cursor, list);
  const furthest = `to_json(${cursor.direction === 'ASC' ? 'max' : 'min'}(${alias}."cursor")::text)::text`;
  return `SELECT ${furthest} || E'\\n' || json_agg(${alias}."json")::text FROM (${query}) AS ${alias}`;
}

/** As WITH TIES does, for PostgreSQL 12, which has no such thing. */
function writeRanked(
  writer: Writer,
  select: Select,
  { column: name, direction }: Cursor,
  list: (scope: Scope) => string,
): string {
  const all: Select = { ...select, limit: undefined, maximum: undefined };
  const query = writeSelect(
    writer,
    all,
    undefined,
    (scope) => `${list(scope)}, rank() OVER (ORDER BY ${column(scope, name)} ${direction}) AS "rank"`,
  );
  const count = writeCount(writer, select.limit, select.maximum);
  const alias = writer.alias();
  return count === undefined
    ? query
    : `SELECT ${alias}.* FROM (${query}) AS ${alias} WHERE ${alias}."rank" <= ${count}`;
}

/** A row's JSON as one expression. */
export function rowJson(writer: Writer, entries: readonly Entry[]): string {
  if (!canBeColumns(entries)) return jsonObject(entries);
  const alias = writer.alias();
  return `(SELECT row_to_json(${alias}) FROM (SELECT ${selectList(entries)}) AS ${alias})`;
}

/** The rows, and the expression that is a whole row's JSON. */
function writeItems(
  writer: Writer,
  node: RowsNode,
  outer: Outer | undefined,
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

/** `SELECT <list> FROM … WHERE … ORDER BY … LIMIT … OFFSET …`; `list` is written for the row's scope. */
export function writeSelect(
  writer: Writer,
  select: Select,
  outer: Outer | undefined,
  list: (scope: Scope) => string,
  { withMaximum = true, withTies = false }: { withMaximum?: boolean; withTies?: boolean } = {},
): string {
  const source = writeSource(writer, select.from, outer?.scope);
  const alias = writer.alias();
  const scope: Scope = { row: alias, root: alias };
  const distinct = select.distinctOn.map((operand) => writeOperand(writer, operand, scope));
  const columns = list(scope);
  const conditions = [
    ...(outer === undefined || outer.join.length === 0 ? [] : [writeJoin(outer.join, scope, outer.scope)]),
    writePredicate(writer, select.where, scope),
  ].filter((condition) => condition !== 'TRUE');
  return [
    `SELECT ${distinct.length === 0 ? '' : `DISTINCT ON (${distinct.join(', ')}) `}${columns}`,
    `FROM ${source} AS ${alias}`,
    ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join(' AND ')}`]),
    ...(select.orderBy.length === 0 ? [] : [`ORDER BY ${writeOrderBy(writer, select.orderBy, scope)}`]),
    ...writeLimit(writer, select, withMaximum, withTies),
  ].join(' ');
}

function writeLimit(writer: Writer, select: Select, withMaximum: boolean, withTies: boolean): string[] {
  const count = writeCount(writer, select.limit, withMaximum ? select.maximum : undefined);
  const parts: string[] = [];
  if (count !== undefined) parts.push(withTies ? `FETCH FIRST (${count}) ROWS WITH TIES` : `LIMIT ${count}`);
  if (select.offset !== undefined) parts.push(`OFFSET ${writer.param(select.offset, BIGINT)}`);
  return parts;
}

/** How many rows there may be; undefined where that is not bounded. */
function writeCount(
  writer: Writer,
  wanted: Param | undefined,
  maximum: number | undefined,
): string | undefined {
  const limit = wanted === undefined ? undefined : writer.param(wanted, BIGINT);
  if (limit !== undefined && maximum !== undefined) return `least(${limit}, ${maximum})`;
  return limit ?? maximum?.toString();
}

function writeOrderBy(writer: Writer, items: readonly OrderItem[], scope: Scope): string {
  return items
    .map(({ by, direction, nulls }) => `${writeOrderKey(writer, by, scope)} ${direction} NULLS ${nulls}`)
    .join(', ');
}

function writeOrderKey(writer: Writer, key: OrderKey, scope: Scope): string {
  if (key.kind === 'operand') return writeOperand(writer, key.operand, scope);
  const isTable = key.kind === 'related' || 'target' in key.from;
  const from =
    key.kind === 'related'
      ? qualified(key.target)
      : 'target' in key.from
        ? qualified(key.from.target)
        : writeSource(
            writer,
            { kind: 'function', call: { function: key.from.function, inputs: new Map() } },
            scope,
          );
  const mapping = key.kind === 'related' ? key.mapping : 'target' in key.from ? key.from.mapping : [];
  const alias = writer.alias();
  const inner: Scope = { row: alias, root: alias };
  const permission = writePredicate(writer, key.permission, inner);
  const where = allOf(isTable ? writeJoin(mapping, inner, scope) : 'TRUE', permission);
  if (key.kind === 'related')
    return `(SELECT ${writeOrderKey(writer, key.by, inner)} FROM ${from} AS ${alias} WHERE ${where} LIMIT 1)`;
  const argument = key.operand === undefined ? '*' : writeOperand(writer, key.operand, inner);
  return `(SELECT ${key.function}(${argument}) FROM ${from} AS ${alias} WHERE ${where})`;
}

/** The keys and values of a row's JSON. */
export function rowEntries(writer: Writer, fields: readonly RowField[], scope: Scope): Entry[] {
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
      return writeGap(writer, value.join, value.keys, scope);
  }
}

/** The name of a type of the schema. */
export function typenameText(name: string): string {
  return `${literal(name)}::text`;
}
