/** Runs one mutation's statements on a connection that is inside a transaction. */

import type {
  InsertMutation,
  Mutation,
  MutationOutput,
  MutationTarget,
  UpdateBatch,
  UpdateMutation,
} from '#ir/mutation.ts';
import { writePath } from '#ir/path.ts';
import { writeInsert, writePlainRows, writeRows } from '#sql/mutation-insert.ts';
import { readBack, writeAndAnswer, writeDelete, writeUpdate } from '#sql/mutation-write.ts';
import { createParams } from '#sql/params.ts';
import { createWriter } from '#sql/writer.ts';
import {
  checkFailed,
  type MutationRun,
  query,
  type WriteStatement,
  type WrittenRow,
  writeRowsBack,
} from './mutation-statement.ts';
import { insertWithRelated, plainRows } from './nested-insert.ts';

/**
 * @returns the root field's JSON text
 * @throws {EngineError} a violated constraint or permission; the transaction is then to be rolled back
 */
export async function runMutation(run: MutationRun, mutation: Mutation): Promise<string> {
  switch (mutation.kind) {
    case 'insert':
      return runInsert(run, mutation);
    case 'update':
      return runUpdate(run, mutation);
    case 'delete':
      return runWrite(run, mutation, mutation.output, false, '$', (writer, returning) =>
        writeDelete(mutation, writer, returning),
      );
  }
}

async function runInsert(run: MutationRun, { insert, plain, output }: InsertMutation): Promise<string> {
  const path = writePath(insert.at);
  if (plain !== undefined)
    return runWrite(run, insert, output, true, path, (writer, returning) =>
      writeInsert(insert, writePlainRows(insert, plain, writer, run.resolve), writer, returning),
    );
  if (insert.rows.length === 0) return emptyAnswer(output);
  if (insert.rows.some((row) => row.related.length > 0)) {
    const { affectedRows, rows } = await insertWithRelated(run, insert, new Map());
    return answerFrom(run, insert, rows, output, affectedRows, path);
  }
  const rows = plainRows(insert, new Map());
  return runWrite(run, insert, output, true, path, (writer, returning) =>
    writeInsert(insert, writeRows(insert, rows, writer, run.resolve), writer, returning),
  );
}

async function runUpdate(run: MutationRun, update: UpdateMutation): Promise<string> {
  if (update.batches.every((batch) => batch.set.length === 0)) {
    return update.many ? '[]' : emptyAnswer(update.output);
  }
  const answers: string[] = [];
  for (const batch of update.batches) answers.push(await runBatch(run, update, batch));
  return update.many ? `[${answers.join(',')}]` : (answers[0] ?? emptyAnswer(update.output));
}

async function runBatch(run: MutationRun, update: UpdateMutation, batch: UpdateBatch): Promise<string> {
  if (batch.set.length === 0) return emptyAnswer(update.output);
  return runWrite(run, update, update.output, true, '$', (writer, returning) =>
    writeUpdate(update, batch, writer, returning),
  );
}

/**
 * Writes and answers, in one statement where the output is of the written rows alone. Relationships are
 * read by a second one, because a statement does not see its own writes.
 */
async function runWrite(
  run: MutationRun,
  target: MutationTarget,
  output: MutationOutput,
  hasCheck: boolean,
  path: string,
  write: WriteStatement,
): Promise<string> {
  if (readsRelated(output)) {
    const rows = await writeRowsBack(run, target, hasCheck, path, write);
    return answerFrom(run, target, rows, output, rows.length, path);
  }
  const writer = createWriter(createParams(), run.options);
  const text = writeAndAnswer(write(writer, '*'), target, output, hasCheck, writer);
  const [row] = await query(run, text, writer.params.list, path);
  if (row?.[1] === 'f') throw checkFailed(path);
  return row?.[0] ?? 'null';
}

async function answerFrom(
  run: MutationRun,
  target: MutationTarget,
  rows: readonly WrittenRow[],
  output: MutationOutput,
  affectedRows: number,
  path: string,
): Promise<string> {
  const writer = createWriter(createParams(), run.options);
  const arrays = target.columns.map((_, index) => rows.map((row) => row[index] ?? null));
  const text = readBack(target, arrays, output, affectedRows, writer);
  const [row] = await query(run, text, writer.params.list, path);
  return row?.[0] ?? 'null';
}

function readsRelated(output: MutationOutput): boolean {
  const fields =
    output.kind === 'row'
      ? output.fields
      : output.fields.flatMap(({ value }) => (value.kind === 'returning' ? value.fields : []));
  return fields.some(({ value }) => {
    if (value.kind === 'text' || value.kind === 'scalar' || value.kind === 'remote') return false;
    // Rows of a computed field are no relationship to Hasura: they show the state before the write.
    const { select } = value.kind === 'aggregate' ? value.node : value.rows;
    return select.from.kind !== 'function';
  });
}

/** What a mutation without rows answers; nothing was written, and no row is there to be shown. */
function emptyAnswer(output: MutationOutput): string {
  if (output.kind === 'row') return '{}';
  const answer = output.fields.map(({ alias, value }) => {
    const json = value.kind === 'text' ? JSON.stringify(value.text) : value.kind === 'returning' ? '[]' : '0';
    return `${JSON.stringify(alias)}:${json}`;
  });
  return `{${answer.join(',')}}`;
}
