/**
 * Inserts through relationships, in Hasura's order: for each row first the objects it points to, then the
 * row, then what points to it.
 */

import { EngineError } from '#base/errors.ts';
import type { Assignment, InsertRow, InsertSet, RelatedInsert } from '#ir/mutation.ts';
import { at, type Path, writePath } from '#ir/path.ts';
import { displayName } from '#postgres/catalog.ts';
import { type RowValues, writeInsert, writeRows } from '#sql/mutation-insert.ts';
import { type MutationRun, type WrittenRow, writeRowsBack } from './mutation-statement.ts';

export interface InsertedRows {
  /** Of all tables. */
  readonly affectedRows: number;
  readonly rows: readonly WrittenRow[];
}

/** Rows without inserts through relationships, for one statement; presets win over the parent over the client. */
export function plainRows(set: InsertSet, given: RowValues, base = set.at): readonly RowValues[] {
  return set.rows.map((row, index) => {
    assertNoOverlap(row, rowPath(set, index, base), given);
    return new Map([...byName(row.values), ...given, ...byName(set.presets)]);
  });
}

/**
 * One row after the other, each with what is related to it.
 *
 * @param base where the rows stand, for errors: in a nested insert each row is told by its number, even alone
 */
export async function insertWithRelated(
  run: MutationRun,
  set: InsertSet,
  given: RowValues,
  base = set.at,
): Promise<InsertedRows> {
  let affectedRows = 0;
  const rows: WrittenRow[] = [];
  for (const [index, row] of set.rows.entries()) {
    const inserted = await insertRow(run, set, row, rowPath(set, index, base), given);
    affectedRows += inserted.affectedRows;
    rows.push(...inserted.rows);
  }
  return { affectedRows, rows };
}

async function insertRow(
  run: MutationRun,
  set: InsertSet,
  row: InsertRow,
  path: Path | undefined,
  given: RowValues,
): Promise<InsertedRows> {
  assertNoOverlap(row, path, given);
  let affectedRows = 0;
  const determined = new Map<string, Assignment>();
  for (const related of row.related.filter(({ before }) => before)) {
    const place = at(path, related.relationship);
    const inserted = await insertWithRelated(run, related.insert, new Map(), at(place, 'data'));
    affectedRows += inserted.affectedRows;
    const [target] = inserted.rows;
    if (target === undefined) throw nothingInserted('object relation', related, place);
    for (const value of keysFrom(related.insert, target, swap(related), set))
      determined.set(value.name, value);
  }

  const values = new Map([...given, ...determined, ...byName(row.values), ...byName(set.presets)]);
  const rows = await writeRowsBack(run, set, true, writePath(path), (writer, returning) =>
    writeInsert(set, writeRows(set, [values], writer, run.resolve), writer, returning),
  );
  affectedRows += rows.length;

  for (const related of row.related.filter(({ before }) => !before)) {
    const [parent] = rows;
    if (parent === undefined) throw noParent(set, writePath(path));
    const keys = byName(keysFrom(set, parent, related.mapping, related.insert));
    affectedRows += await insertAfter(run, related.insert, keys, at(path, related.relationship, 'data'));
  }
  return { affectedRows, rows };
}

async function insertAfter(
  run: MutationRun,
  set: InsertSet,
  keys: RowValues,
  base: Path | undefined,
): Promise<number> {
  if (set.rows.length === 0) return 0;
  if (set.rows.some((row) => row.related.length > 0)) {
    return (await insertWithRelated(run, set, keys, base)).affectedRows;
  }
  const values = plainRows(set, keys, base);
  const rows = await writeRowsBack(run, set, true, writePath(base), (writer, returning) =>
    writeInsert(set, writeRows(set, values, writer, run.resolve), writer, returning),
  );
  return rows.length;
}

/** The values of a written row that a related one takes over. */
function keysFrom(
  from: InsertSet,
  row: WrittenRow,
  mapping: RelatedInsert['mapping'],
  to: InsertSet,
): readonly Assignment[] {
  return mapping.flatMap(([source, target]) => {
    const index = from.columns.findIndex(({ name }) => name === source);
    const column = to.columns.find(({ name }) => name === target);
    if (column === undefined) return [];
    return { ...column, param: { from: 'value', value: row[index] ?? null } };
  });
}

const swap = ({ mapping }: RelatedInsert) => mapping.map(([local, remote]) => [remote, local] as const);

const byName = (values: readonly Assignment[]): RowValues =>
  new Map(values.map((value) => [value.name, value]));

/** Errors of a row that takes part in a nested insert name its place in the list. */
const rowPath = (set: InsertSet, index: number, base: Path | undefined) =>
  set.isList ? at(base, index) : base;

/** A column has one source: the client, the parent row, or the related object. */
function assertNoOverlap(row: InsertRow, path: Path | undefined, given: RowValues): void {
  const own = row.values.map(({ name }) => name);
  const twice = own.filter((name) => given.has(name));
  if (twice.length > 0) {
    throw new EngineError(
      'validation-failed',
      `cannot insert ${quoteList(twice)} columns as their values are already being determined by parent insert`,
      { path: writePath(path) },
    );
  }
  for (const related of row.related) {
    if (related.kind !== 'object' || !related.before) continue;
    const taken = related.mapping
      .map(([local]) => local)
      .filter((name) => given.has(name) || own.includes(name));
    if (taken.length === 0) continue;
    throw new EngineError(
      'validation-failed',
      `cannot insert object relationship ${JSON.stringify(related.relationship)} as ${quoteList(taken)} column values are already determined`,
      { path: writePath(at(path, related.relationship)) },
    );
  }
}

const quoteList = (names: readonly string[]) => names.map((name) => JSON.stringify(name)).join(', ');

function nothingInserted(what: string, related: RelatedInsert, place: Path | undefined): EngineError {
  const name = JSON.stringify(related.relationship);
  const table = JSON.stringify(displayName(related.insert.table));
  return new EngineError(
    'not-supported',
    `cannot proceed to insert ${what} ${name} since insert to table ${table} affects zero rows`,
    { path: writePath(place) },
  );
}

function noParent(set: InsertSet, path: string): EngineError {
  const table = JSON.stringify(displayName(set.table));
  return new EngineError(
    'not-supported',
    `cannot proceed to insert array relations since insert to table ${table} affects zero rows`,
    { path },
  );
}
