import type { CompiledField, QueryBatch } from '#execute/prepare/compile.ts';
import type { ActionNode } from '#ir/actions.ts';

/** The answer's `data`, in the order of the selection. */
export function writeData(
  fields: readonly CompiledField[],
  rowOf: (batch: QueryBatch) => readonly (string | null)[],
  answerOf: (action: ActionNode) => string,
): string {
  const written = fields.map((field) => {
    const key = JSON.stringify(field.alias);
    if (field.kind === 'json') return `${key}:${field.json}`;
    if (field.kind === 'object') return `${key}:${writeData(field.fields, rowOf, answerOf)}`;
    if (field.kind === 'action') return `${key}:${answerOf(field.action)}`;
    return `${key}:${rowOf(field.batch)[field.column] ?? 'null'}`;
  });
  return `{${written.join(',')}}`;
}
