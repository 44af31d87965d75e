/** Which rows: FROM, WHERE, ORDER BY and LIMIT. */
import type { Param } from '#ir/predicate.ts';
import type { Join, OrderItem, OrderKey, Select } from '#ir/select.ts';
import { BIGINT } from '#postgres/pg-type.ts';
import { qualified } from '#postgres/quote.ts';
import { writeSource } from './call.ts';
import { allOf, writeJoin, writeOperand, writePredicate } from './predicate.ts';
import type { Scope, Writer } from './writer.ts';

/** How the rows of a query belong to a row of the query around it. */
export interface OuterRow {
  readonly scope: Scope;
  readonly join: Join;
}

/** `SELECT <list> FROM … WHERE … ORDER BY … LIMIT … OFFSET …`; `list` is written for the row's scope. */
export function writeSelect(
  writer: Writer,
  select: Select,
  outer: OuterRow | undefined,
  list: (scope: Scope) => string,
  { withMaximum = true, withTies = false }: { withMaximum?: boolean; withTies?: boolean } = {},
): string {
  const source = writeSource(writer, select.from, outer?.scope);
  const alias = writer.alias();
  const scope: Scope = { row: alias, root: alias };
  const distinct = new Map(
    select.distinctOn.map((operand) => [operand.column, writeOperand(writer, operand, scope)]),
  );
  const columns = list(scope);
  const conditions = [
    ...(outer === undefined || outer.join.length === 0 ? [] : [writeJoin(outer.join, scope, outer.scope)]),
    writePredicate(writer, select.where, scope),
  ].filter((condition) => condition !== 'TRUE');
  return [
    `SELECT ${distinct.size === 0 ? '' : `DISTINCT ON (${[...distinct.values()].join(', ')}) `}${columns}`,
    `FROM ${source} AS ${alias}`,
    ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join(' AND ')}`]),
    ...(select.orderBy.length === 0
      ? []
      : [`ORDER BY ${writeOrderBy(writer, select.orderBy, scope, distinct)}`]),
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
export function writeCount(
  writer: Writer,
  wanted: Param | undefined,
  maximum: number | undefined,
): string | undefined {
  const limit = wanted === undefined ? undefined : writer.param(wanted, BIGINT);
  if (limit !== undefined && maximum !== undefined) return `least(${limit}, ${maximum})`;
  return limit ?? maximum?.toString();
}

/**
 * @param distinct what is in `DISTINCT ON`: PostgreSQL wants it to be sorted by the very same expressions, and one that is
 *   written again (a column that a role sees in some rows) has parameters of its own
 */
function writeOrderBy(
  writer: Writer,
  items: readonly OrderItem[],
  scope: Scope,
  distinct: ReadonlyMap<string, string>,
): string {
  return items
    .map(({ by, direction, nulls }) => {
      const same =
        by.kind === 'operand' && by.operand.kind === 'column' ? distinct.get(by.operand.column) : undefined;
      return `${same ?? writeOrderKey(writer, by, scope)} ${direction} NULLS ${nulls}`;
    })
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
