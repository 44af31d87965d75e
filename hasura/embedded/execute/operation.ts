/** A planned request, ready to run with its variables and session. */
import type { Operation, RunnableOperation } from '../core.ts';
import { type Bindings, bindParam } from '../sql/bind.ts';
import { runMutationFields } from '../sql/mutation-operation.ts';
import { batchesOf, type CompiledField, type QueryBatch } from './compile.ts';
import type { Planned } from './planner.ts';
import { runStatement } from './run.ts';
import { type ExecutionSources, sourceOf } from './sources.ts';
import { createSubscription } from './subscription.ts';

export function createOperation(planned: Planned, sources: ExecutionSources, bindings: Bindings): Operation {
  switch (planned.kind) {
    case 'query':
      return createQuery(planned, sources, bindings);
    case 'mutation':
      return {
        kind: 'mutation',
        name: planned.name,
        async run() {
          const data = await runMutationFields(planned.fields, {
            session: bindings.session,
            resolve: (param) => bindParam(param, bindings),
            source: (name) => sourceOf(sources, name),
          });
          return { body: `{"data":${data}}` };
        },
      };
    case 'subscription':
      return createSubscription(planned, sources, bindings);
  }
}

function createQuery(planned: Planned, sources: ExecutionSources, bindings: Bindings): RunnableOperation {
  const batches = batchesOf(planned.compiled);
  const values = new Map(
    batches.map((batch) => [batch, batch.statement.params.map((param) => bindParam(param, bindings))]),
  );
  return {
    kind: 'query',
    name: planned.name,
    async run() {
      const rows = new Map<QueryBatch, readonly (string | null)[]>();
      await Promise.all(
        batches.map(async (batch) => {
          const { pool } = sourceOf(sources, batch.source);
          const [row] = await runStatement(pool, batch.statement.text, values.get(batch) ?? []);
          rows.set(batch, row ?? []);
        }),
      );
      return { body: `{"data":${writeData(planned.compiled, (batch) => rows.get(batch) ?? [])}}` };
    },
  };
}

/** The answer's `data`, in the order of the selection. */
export function writeData(
  fields: readonly CompiledField[],
  rowOf: (batch: QueryBatch) => readonly (string | null)[],
): string {
  const written = fields.map((field) => {
    const key = JSON.stringify(field.alias);
    if (field.kind === 'json') return `${key}:${field.json}`;
    if (field.kind === 'object') return `${key}:${writeData(field.fields, rowOf)}`;
    return `${key}:${rowOf(field.batch)[field.column] ?? 'null'}`;
  });
  return `{${written.join(',')}}`;
}
