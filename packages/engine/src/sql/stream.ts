/** The next batch of a streaming subscription. */
import type { Cursor } from '#ir/operation.ts';
import type { RowsNode, Select } from '#ir/select.ts';
import { writeFields } from './rows.ts';
import { writeCount, writeSelect } from './select.ts';
import { column, type Scope, type Writer } from './writer.ts';

/**
 * The next batch of a stream: one text, the furthest value of the cursor as a line of JSON before the rows;
 * null where there is nothing new. Rows that tie with the last of the batch come along, because the next
 * batch begins behind them.
 */
export function writeStream(writer: Writer, node: RowsNode, cursor: Cursor): string {
  const alias = writer.alias();
  const list = (scope: Scope) => {
    const row = writeFields(writer, node.fields, scope);
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
