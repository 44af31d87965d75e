/** Statements on one source for the rows of another: rows by keys, and keys for conditions. */
import type { RemoteCondition } from '#ir/predicate.ts';
import type { RemoteJoin } from '#ir/select.ts';
import { ident, qualified } from '#postgres/quote.ts';
import { keyName } from '#values/placeholder.ts';
import { createParams, type Statement } from './params.ts';
import { writePredicate } from './predicate.ts';
import { writeAggregate, writeRow, writeRows } from './rows.ts';
import type { OuterRow } from './select.ts';
import { createWriter, type SqlOptions, type Writer } from './writer.ts';

/** No other name in a statement has a dot in it, but for the writer's own, which are numbered. */
const KEYS = ident('t.keys');

/**
 * Its parameter `keys` is a JSON array of objects (`k0`, `k1`, …). One row comes back per object, in any
 * order: its number (from 1), and the JSON of what belongs to it.
 */
export function compileRemoteJoin({ columns, rows }: RemoteJoin, options: SqlOptions): Statement {
  const params = createParams();
  const writer = createWriter(params, options);
  const list = params.add({ from: 'keys' });
  const outer: OuterRow = {
    scope: { row: KEYS, root: KEYS },
    join: columns.map(({ name }, index) => [keyName(index), name] as const),
  };
  const names = columns.map((_, index) => ident(keyName(index)));
  const definitions = columns.map(({ type }, index) => `${ident(keyName(index))} ${type.sql}`);
  const text =
    `SELECT ${KEYS}."n", (${writeJoined(writer, rows, outer)})::text ` +
    `FROM ROWS FROM (pg_catalog.jsonb_to_recordset((${list})::jsonb) AS (${definitions.join(', ')})) ` +
    `WITH ORDINALITY AS ${KEYS}(${[...names, '"n"'].join(', ')})`;
  return { text, params: params.list };
}

/** One row per value of the column that rows of the condition have. */
export function compileRemoteCondition(condition: RemoteCondition, options: SqlOptions): Statement {
  const params = createParams();
  const writer = createWriter(params, options);
  const alias = writer.alias();
  const where = writePredicate(writer, condition.where, { row: alias, root: alias });
  const value = `${alias}.${ident(condition.column)}::text`;
  const text = `SELECT DISTINCT ${value} FROM ${qualified(condition.table)} AS ${alias} WHERE ${where}`;
  return { text, params: params.list };
}

function writeJoined(writer: Writer, rows: RemoteJoin['rows'], outer: OuterRow): string {
  switch (rows.kind) {
    case 'aggregate':
      return writeAggregate(writer, rows.node, outer);
    case 'object':
      return writeRow(writer, rows.rows, outer);
    case 'array':
      return writeRows(writer, rows.rows, outer);
  }
}
