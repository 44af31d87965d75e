/** Root fields as statements. */
import type { QueryNode } from '#ir/operation.ts';
import type { Param } from '#ir/predicate.ts';
import { createParams, type Params, type Statement } from './params.ts';
import { writeAggregate, writeRow, writeRows } from './rows.ts';
import { writeStream } from './stream.ts';
import { createWriter, type SqlOptions, type Writer } from './writer.ts';

/** One row with a column of JSON text for each root field; null stands for null. */
export function compileQueries(nodes: readonly QueryNode[], options: SqlOptions): Statement {
  const params = createParams();
  const writer = createWriter(params, options);
  const columns = nodes.map((node) => `(${write(writer, node)})::text`);
  return { text: `SELECT ${columns.join(', ')}`, params: params.list };
}

/**
 * The same for many clients at once. `$1` is an array of JSON arrays, one per client, each with the values
 * of `params`; a row comes back for each client, its number (from 1) first. A stream's column is an object
 * of its rows and the furthest value of its cursor.
 */
export function compileMultiplexed(nodes: readonly QueryNode[], options: SqlOptions): Statement {
  const params = createParams((index: number, _param: Param) => `"t.clients"."values" ->> ${index}`);
  const writer = createWriter(params, options);
  const columns = nodes.map((node) => `(${write(writer, node)})::text`);
  const text =
    `SELECT "t.clients"."number"::integer, ${columns.join(', ')} ` +
    `FROM unnest(($1)::json[]) WITH ORDINALITY AS "t.clients"("values", "number")`;
  return { text, params: params.list };
}

/** A query by itself, as part of a statement that is written elsewhere. */
export function writeQuery(node: QueryNode, options: SqlOptions, params: Params): string {
  return write(createWriter(params, options), node);
}

function write(writer: Writer, node: QueryNode): string {
  switch (node.kind) {
    case 'aggregate':
      return writeAggregate(writer, node.node);
    case 'stream':
      return writeStream(writer, node.rows, node.cursor);
    case 'rows':
      return node.single ? writeRow(writer, node.rows) : writeRows(writer, node.rows);
  }
}
