/** What the statements of all mutations share, and UPDATE and DELETE themselves. */

import type {
  DeleteMutation,
  MutationOutput,
  MutationTarget,
  ResponseField,
  UpdateBatch,
  UpdateItem,
  UpdateMutation,
} from '#ir/mutation.ts';
import type { RowField, RowsNode } from '#ir/select.ts';
import { allRows } from '#ir/select.ts';
import { INTEGER, TEXT } from '#postgres/pg-type.ts';
import { ident, literal, qualified } from '#postgres/quote.ts';
import { writePredicate } from './predicate.ts';
import { writeRow, writeRows } from './rows.ts';
import { type Scope, type Writer, writeTexts } from './writer.ts';

/** The row being written, to checks and filters. */
export const ROW = '"row"';
export const ROW_SCOPE: Scope = { row: ROW, root: ROW };
/** The column that tells whether a written row satisfies the permission's check. */
export const CHECK = '"check__constraint"';
const WRITTEN = 'written';

export function writeUpdate(
  update: UpdateMutation,
  batch: UpdateBatch,
  writer: Writer,
  returning: string,
): string {
  const set = batch.set.map((item) => `${ident(item.name)} = ${writeItem(item, writer)}`).join(', ');
  const where = writePredicate(writer, batch.where, ROW_SCOPE);
  const check = writePredicate(writer, update.check, ROW_SCOPE);
  return (
    `UPDATE ${qualified(update.table)} AS ${ROW} SET ${set} WHERE ${where} ` +
    `RETURNING ${returning}, (${check})::boolean AS ${CHECK}`
  );
}

function writeItem(item: UpdateItem, writer: Writer): string {
  const column = `${ROW}.${ident(item.name)}`;
  if (item.operator === 'delete_at_path') {
    return `${column} #- ARRAY[${item.params.map((param) => writer.param(param, TEXT)).join(', ')}]::text[]`;
  }
  if (item.operator === 'default') return 'DEFAULT';
  const [param] = item.params;
  if (param === undefined) throw new TypeError(`no value to ${item.operator} ${item.name} with`);
  switch (item.operator) {
    case 'set':
      return writer.param(param, item.type);
    case 'inc':
      return `${column} + ${writer.param(param, item.type)}`;
    case 'mul':
      return `${column} * ${writer.param(param, item.type)}`;
    case 'append':
      return `${column} || ${writer.param(param, item.type)}`;
    case 'prepend':
      return `${writer.param(param, item.type)} || ${column}`;
    case 'delete_key':
      return `${column} - ${writer.param(param, TEXT)}`;
    case 'delete_elem':
      return `${column} - ${writer.param(param, INTEGER)}`;
  }
}

export function writeDelete(mutation: DeleteMutation, writer: Writer, returning: string): string {
  const where = writePredicate(writer, mutation.where, ROW_SCOPE);
  return `DELETE FROM ${qualified(mutation.table)} AS ${ROW} WHERE ${where} RETURNING ${returning}`;
}

/** Columns of the written row as text, to be read back and given to {@link readBack}. */
export function columnsAsText(target: MutationTarget): string {
  return target.columns.map(({ name }) => `${ROW}.${ident(name)}::text AS ${ident(name)}`).join(', ');
}

/**
 * One statement that writes and answers: two columns, the output as JSON text and whether all rows
 * satisfied the check. As in Hasura a check that is null (neither true nor false) counts as satisfied.
 */
export function writeAndAnswer(
  write: string,
  target: MutationTarget,
  output: MutationOutput,
  hasCheck: boolean,
  writer: Writer,
): string {
  const columns = target.columns.map(({ name }) => ident(name)).join(', ');
  const check = hasCheck ? `coalesce((SELECT bool_and(${CHECK}) FROM "mutated"), true)` : 'true';
  return (
    `WITH "mutated" AS (${write}), ${ident(WRITTEN)} AS (SELECT ${columns} FROM "mutated") ` +
    `SELECT (${writeOutput(target, output, undefined, writer)})::text, ${check}`
  );
}

/**
 * The answer from rows written by an earlier statement of the transaction, the texts of each column:
 * relationships then show the state after the write.
 */
export function readBack(
  target: MutationTarget,
  arrays: readonly (readonly (string | null)[])[],
  output: MutationOutput,
  affectedRows: number,
  writer: Writer,
): string {
  const names = target.columns.map(({ name }) => ident(name)).join(', ');
  const values = target.columns.map(
    ({ name, type }) => `("v".${ident(name)})::${type.sql} AS ${ident(name)}`,
  );
  const places = arrays.map((items) => writeTexts(writer, items));
  return (
    `WITH ${ident(WRITTEN)} AS (SELECT ${values.join(', ')} FROM unnest(${places.join(', ')}) AS "v"(${names})) ` +
    `SELECT (${writeOutput(target, output, affectedRows, writer)})::text`
  );
}

function writeOutput(
  target: MutationTarget,
  output: MutationOutput,
  affectedRows: number | undefined,
  writer: Writer,
): string {
  if (output.kind === 'row') return `(${writeRow(writer, writtenRows(target, output.fields))})`;
  const pairs = output.fields.map(
    ({ alias, value }) => `${literal(alias)}, ${writeResponse(target, value, affectedRows, writer)}`,
  );
  return `json_build_object(${pairs.join(', ')})`;
}

function writeResponse(
  target: MutationTarget,
  value: ResponseField['value'],
  affectedRows: number | undefined,
  writer: Writer,
): string {
  switch (value.kind) {
    case 'text':
      return literal(value.text);
    case 'affected-rows':
      return affectedRows?.toString() ?? `(SELECT count(*) FROM ${ident(WRITTEN)})`;
    case 'returning':
      return `(${writeRows(writer, writtenRows(target, value.fields))})`;
  }
}

function writtenRows(target: MutationTarget, fields: readonly RowField[]): RowsNode {
  return {
    select: allRows({ kind: 'cte', name: WRITTEN, table: target.table }),
    fields,
  };
}
