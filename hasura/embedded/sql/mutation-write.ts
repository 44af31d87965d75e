/** What the statements of all mutations share, and UPDATE and DELETE themselves. */
import type {
  Assignment,
  DeleteMutation,
  MutationOutput,
  MutationTarget,
  ResponseField,
  UpdateBatch,
  UpdateItem,
  UpdateMutation,
} from '../plan/mutation-types.ts';
import { ALWAYS } from '../plan/predicate.ts';
import type { RowField, RowsNode } from '../plan/types.ts';
import { writePredicate } from './predicate.ts';
import { writeRows } from './select.ts';
import { ident, literal, type Params, qualified } from './text.ts';

/** The row being written, to checks and filters. */
export const ROW = '"row"';
/** The column that tells whether a written row satisfies the permission's check. */
export const CHECK = '"check__constraint"';
const WRITTEN = 'written';

export function cast(value: Assignment, params: Params): string {
  return `(${params.add(value.param)})::${value.type.sql}`;
}

export function writeUpdate(
  update: UpdateMutation,
  batch: UpdateBatch,
  params: Params,
  returning: string,
): string {
  const set = batch.set.map((item) => `${ident(item.name)} = ${writeItem(item, params)}`).join(', ');
  const where = writePredicate(batch.where, ROW, params);
  const check = writePredicate(update.check, ROW, params);
  return (
    `UPDATE ${qualified(update.table)} AS ${ROW} SET ${set} WHERE ${where} ` +
    `RETURNING ${returning}, (${check})::boolean AS ${CHECK}`
  );
}

function writeItem(item: UpdateItem, params: Params): string {
  const column = `${ROW}.${ident(item.name)}`;
  const [first] = item.params;
  if (item.operator === 'delete_at_path') {
    return `${column} #- ARRAY[${item.params.map((param) => params.add(param)).join(', ')}]::text[]`;
  }
  if (first === undefined) throw new TypeError(`no value to ${item.operator} ${item.name} with`);
  const place = params.add(first);
  switch (item.operator) {
    case 'set':
      return `(${place})::${item.type.sql}`;
    case 'inc':
      return `${column} + (${place})::${item.type.sql}`;
    case 'append':
      return `${column} || (${place})::jsonb`;
    case 'prepend':
      return `(${place})::jsonb || ${column}`;
    case 'delete_key':
      return `${column} - (${place})::text`;
    case 'delete_elem':
      return `${column} - (${place})::integer`;
  }
}

export function writeDelete(mutation: DeleteMutation, params: Params, returning: string): string {
  const where = writePredicate(mutation.where, ROW, params);
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
  params: Params,
): string {
  const columns = target.columns.map(({ name }) => ident(name)).join(', ');
  const check = hasCheck ? `coalesce((SELECT bool_and(${CHECK}) FROM "mutated"), true)` : 'true';
  return (
    `WITH "mutated" AS (${write}), ${ident(WRITTEN)} AS (SELECT ${columns} FROM "mutated") ` +
    `SELECT (${writeOutput(target, output, undefined, params)})::text, ${check}`
  );
}

/**
 * The answer from rows written by an earlier statement of the transaction, one array of texts per column:
 * relationships then show the state after the write.
 */
export function readBack(
  target: MutationTarget,
  arrays: readonly string[],
  output: MutationOutput,
  affectedRows: number,
  params: Params,
): string {
  const names = target.columns.map(({ name }) => ident(name)).join(', ');
  const values = target.columns.map(
    ({ name, type }) => `("v".${ident(name)})::${type.sql} AS ${ident(name)}`,
  );
  const places = arrays.map((value) => `${params.add({ from: 'value', value })}::text[]`);
  return (
    `WITH ${ident(WRITTEN)} AS (SELECT ${values.join(', ')} FROM unnest(${places.join(', ')}) AS "v"(${names})) ` +
    `SELECT (${writeOutput(target, output, affectedRows, params)})::text`
  );
}

function writeOutput(
  target: MutationTarget,
  output: MutationOutput,
  affectedRows: number | undefined,
  params: Params,
): string {
  if (output.kind === 'row') return writeRows(writtenRows(target, output.fields), params, { single: true });
  const pairs = output.fields.map(
    ({ alias, value }) => `${literal(alias)}, ${writeResponse(target, value, affectedRows, params)}`,
  );
  return `json_build_object(${pairs.join(', ')})`;
}

function writeResponse(
  target: MutationTarget,
  value: ResponseField['value'],
  affectedRows: number | undefined,
  params: Params,
): string {
  switch (value.kind) {
    case 'text':
      return literal(value.text);
    case 'affected-rows':
      return affectedRows?.toString() ?? `(SELECT count(*) FROM ${ident(WRITTEN)})`;
    case 'returning':
      return writeRows(writtenRows(target, value.fields), params, { single: false });
  }
}

function writtenRows(target: MutationTarget, fields: readonly RowField[]): RowsNode {
  return {
    select: {
      from: { kind: 'cte', name: WRITTEN, table: target.table },
      where: ALWAYS,
      distinctOn: [],
      orderBy: [],
      limit: undefined,
      maximum: undefined,
      offset: undefined,
    },
    fields,
  };
}
