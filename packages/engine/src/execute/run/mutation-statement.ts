/** One statement of a mutation, run inside the mutation's transaction. */
import type { ClientBase } from 'pg';
import { EngineError } from '#base/errors.ts';
import type { MutationTarget } from '#ir/mutation.ts';
import type { Param } from '#ir/predicate.ts';
import { databaseError } from '#postgres/database-error.ts';
import { statementName } from '#postgres/statement-name.ts';
import { TextArray } from '#postgres/text-array.ts';
import { columnsAsText } from '#sql/mutation-write.ts';
import { createParams } from '#sql/params.ts';
import { createWriter, type SqlOptions, type Writer } from '#sql/writer.ts';

/** A connection, and the way to a parameter's text (from variables and session). */
export interface MutationRun {
  readonly client: ClientBase;
  readonly resolve: (param: Param) => string | null;
  readonly options: SqlOptions;
}

/** Columns as text, in the table's order. */
/** Writes a statement that gives back `returning`. */
export type WriteStatement = (writer: Writer, returning: string) => string;

export type WrittenRow = readonly (string | null)[];

/** Writes, and gives back the written rows. */
export async function writeRowsBack(
  run: MutationRun,
  target: MutationTarget,
  hasCheck: boolean,
  path: string,
  write: WriteStatement,
): Promise<readonly WrittenRow[]> {
  const writer = createWriter(createParams(), run.options);
  const text = write(writer, columnsAsText(target));
  const rows = await query(run, text, writer.params.list, path);
  if (hasCheck && rows.some((row) => row[target.columns.length] === 'f')) throw checkFailed(path);
  return rows;
}

export function checkFailed(path: string): EngineError {
  return new EngineError('permission-error', 'check constraint of an insert/update permission has failed', {
    path,
  });
}

/** All values as PostgreSQL writes them: no number loses a digit, no JSON is parsed to be written again. */
const AS_TEXT = { getTypeParser: () => String };

export async function query(
  run: MutationRun,
  text: string,
  params: readonly Param[],
  path: string,
): Promise<readonly WrittenRow[]> {
  const values = params.map((param) =>
    param.from === 'texts' ? new TextArray(param.items) : run.resolve(param),
  );
  try {
    const result = await run.client.query<(string | null)[]>({
      name: statementName(text),
      text,
      values,
      rowMode: 'array',
      types: AS_TEXT,
    });
    return result.rows;
  } catch (error) {
    throw databaseError(error, text, path);
  }
}
