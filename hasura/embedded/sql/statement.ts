/** A root field as one statement. */
import type { RootNode } from '../plan/types.ts';
import { writeAggregate } from './aggregate.ts';
import { writeRow, writeRows } from './select.ts';
import { createParams, type Params, type Statement } from './text.ts';
import { createWriter, type SqlOptions } from './writer.ts';

export type QueryNode = Extract<RootNode, { kind: 'rows' | 'aggregate' }>;

/** One column of text: the JSON of the root field. No row at all stands for null. */
export function compileQuery(node: QueryNode, options: SqlOptions): Statement {
  const params = createParams();
  return { text: `SELECT (${writeQuery(node, options, params)})::text AS "json"`, params: params.list };
}

/** The query by itself: one column, at most one row, of JSON. */
export function writeQuery(node: QueryNode, options: SqlOptions, params: Params): string {
  const writer = createWriter(params, options);
  if (node.kind === 'aggregate') return writeAggregate(writer, node.node);
  return node.single ? writeRow(writer, node.rows) : writeRows(writer, node.rows);
}
