/** INSERT, with the rows in the shape that PostgreSQL takes fastest. */

import type { Assignment, ConflictRule, InsertSet, TypedColumn } from '#ir/mutation.ts';
import type { PlainRows } from '#ir/plain-rows.ts';
import type { Param } from '#ir/predicate.ts';
import { ident, qualified } from '#postgres/quote.ts';
import { CHECK, ROW, ROW_SCOPE } from './mutation-write.ts';
import { writePredicate } from './predicate.ts';
import { fromText, type Writer, writeTexts } from './writer.ts';

/** One row's values by column. A column that is missing takes its default. */
export type RowValues = ReadonlyMap<string, Assignment>;

/** PostgreSQL's limit is 65,535 parameters a statement; presets, checks and conflicts need a few. */
const MAX_VALUES = 60_000;

/**
 * `INSERT … RETURNING *, <check>` for rows of `set`'s table.
 *
 * @param rows what {@link writeRows} or {@link writePlainRows} wrote
 */
export function writeInsert(set: InsertSet, rows: string, writer: Writer, returning: string): string {
  return [
    `INSERT INTO ${qualified(set.table)} AS ${ROW}`,
    rows,
    ...(set.conflict === undefined ? [] : [writeConflict(set.conflict, writer)]),
    `RETURNING ${returning}, ${writeCheck(set, writer)} AS ${CHECK}`,
  ].join(' ');
}

/** @param resolve a parameter's text, needed where many rows share one array parameter */
export function writeRows(
  set: InsertSet,
  rows: readonly RowValues[],
  writer: Writer,
  resolve: (param: Param) => string | null,
): string {
  const used = new Map<string, Assignment>();
  for (const row of rows) for (const [name, value] of row) used.set(name, value);
  const columns = set.columns.flatMap(({ name }) => used.get(name) ?? []);
  if (columns.length === 0) return `VALUES ${rows.map(() => '(DEFAULT)').join(', ')}`;

  const names = columns.map(({ name }) => ident(name)).join(', ');
  const uniform = rows.every((row) => row.size === columns.length);
  // Not where rows differ in columns: only VALUES knows DEFAULT.
  if (uniform && rows.length > 1)
    return writeArrays(columns, ({ name }) => rows.map((row) => resolveCell(row.get(name), resolve)), writer);

  const cells = rows.reduce((count, row) => count + row.size, 0);
  const tuples = rows.map((row) => {
    const write = cells > MAX_VALUES ? rowArray(columns, row, writer, resolve) : cellWriter(row, writer);
    return `(${columns.map(({ name }) => write(name)).join(', ')})`;
  });
  return `(${names}) VALUES ${tuples.join(', ')}`;
}

/** Presets win over the client, as with other rows. */
export function writePlainRows(
  set: InsertSet,
  { columns, count }: PlainRows,
  writer: Writer,
  resolve: (param: Param) => string | null,
): string {
  const values = new Map(columns.map(({ column, values }) => [column.name, values]));
  for (const { name, param } of set.presets)
    values.set(name, new Array<string | null>(count).fill(resolve(param)));
  return writeArrays(
    set.columns.filter(({ name }) => values.has(name)),
    ({ name }) => values.get(name) ?? [],
    writer,
  );
}

/**
 * One array per column: the statement is the same for any number of rows, and several times as fast as a
 * parameter per value.
 */
function writeArrays(
  columns: readonly TypedColumn[],
  valuesOf: (column: TypedColumn) => readonly (string | null)[],
  writer: Writer,
): string {
  const names = columns.map(({ name }) => ident(name)).join(', ');
  const arrays = columns.map((column) => writeTexts(writer, valuesOf(column)));
  const values = columns.map(({ name, type }) => fromText(`"v".${ident(name)}`, type));
  return `(${names}) SELECT ${values.join(', ')} FROM unnest(${arrays.join(', ')}) AS "v"(${names})`;
}

function cellWriter(row: RowValues, writer: Writer): (name: string) => string {
  return (name) => {
    const value = row.get(name);
    return value === undefined ? 'DEFAULT' : writer.param(value.param, value.type);
  };
}

/** A whole row in one parameter, for more values than a statement may have parameters. */
function rowArray(
  columns: readonly Assignment[],
  row: RowValues,
  writer: Writer,
  resolve: (param: Param) => string | null,
): (name: string) => string {
  const present = columns.filter(({ name }) => row.has(name));
  const values = present.map(({ name }) => resolveCell(row.get(name), resolve));
  const place = writeTexts(writer, values);
  const written = new Map(
    present.map(({ name, type }, index) => [name, fromText(`(${place})[${index + 1}]`, type)]),
  );
  return (name) => written.get(name) ?? 'DEFAULT';
}

function resolveCell(value: Assignment | undefined, resolve: (param: Param) => string | null): string | null {
  return value === undefined ? null : resolve(value.param);
}

function writeTarget(target: ConflictRule['target']): string {
  if (target === undefined) return '';
  return 'constraint' in target
    ? ` ON CONSTRAINT ${ident(target.constraint)}`
    : ` (${target.columns.map(ident).join(', ')})`;
}

function writeConflict(rule: ConflictRule, writer: Writer): string {
  const target = `ON CONFLICT${writeTarget(rule.target)}`;
  if (rule.update.length === 0) return `${target} DO NOTHING`;
  const preset = new Set(rule.presets.map(({ name }) => name));
  const set = [
    ...[...new Set(rule.update)]
      .filter((name) => !preset.has(name))
      .map((name) => `${ident(name)} = EXCLUDED.${ident(name)}`),
    ...rule.presets.map((value) => `${ident(value.name)} = ${writer.param(value.param, value.type)}`),
  ];
  return `${target} DO UPDATE SET ${set.join(', ')} WHERE ${writePredicate(writer, rule.where, ROW_SCOPE)}`;
}

/** An upsert's updated rows (they have an xmax) answer to the update permission's check, where it has one. */
function writeCheck(set: InsertSet, writer: Writer): string {
  const check = `(${writePredicate(writer, set.check, ROW_SCOPE)})::boolean`;
  if (set.conflict === undefined || set.updateCheck === undefined) return check;
  const updateCheck = `(${writePredicate(writer, set.updateCheck, ROW_SCOPE)})::boolean`;
  return `CASE WHEN ${ROW}.xmax = 0 THEN ${check} ELSE ${updateCheck} END`;
}
