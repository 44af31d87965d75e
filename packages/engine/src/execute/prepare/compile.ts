/** A plan's queries put together: one statement for the root fields of one source. */

import { type ExecutionSources, sourceOf } from '#execute/sources.ts';
import type { ActionNode } from '#ir/actions.ts';
import type { QueryNode, RootField } from '#ir/operation.ts';
import type { OperationPlan } from '#plan/operation.ts';
import type { Statement } from '#sql/params.ts';
import { compileRemoteJoin } from '#sql/remote-join.ts';
import { compileMultiplexed, compileQueries } from '#sql/statement.ts';

/** Where the JSON of a root field comes from. */
export type CompiledField =
  | { readonly alias: string; readonly kind: 'json'; readonly json: string }
  | { readonly alias: string; readonly kind: 'object'; readonly fields: readonly CompiledField[] }
  | { readonly alias: string; readonly kind: 'action'; readonly action: ActionNode }
  /** A column of a source's statement. */
  | {
      readonly alias: string;
      readonly kind: 'column';
      readonly batch: QueryBatch;
      readonly column: number;
      readonly node: QueryNode;
    };

/** Queries of one operation on one source. */
export interface QueryBatch {
  readonly source: string;
  readonly statement: Statement;
}

/** PostgreSQL takes some 1,600; fewer keep a statement readable. */
const MAX_COLUMNS = 100;

/** Queries and subscriptions; a mutation's fields run one after another and have no batches. */
export function compileFields(
  { kind, fields }: OperationPlan,
  sources: ExecutionSources,
): readonly CompiledField[] {
  if (kind === 'mutation') return [];
  const nodes = new Map<string, QueryNode[]>();
  collect(fields, nodes);
  const compile = kind === 'subscription' ? compileMultiplexed : compileQueries;
  const batches = new Map<string, QueryBatch[]>();
  for (const [source, queries] of nodes) {
    const { options } = sourceOf(sources, source);
    const parts = Array.from({ length: Math.ceil(queries.length / MAX_COLUMNS) }, (_, index) =>
      queries.slice(index * MAX_COLUMNS, (index + 1) * MAX_COLUMNS),
    );
    batches.set(
      source,
      parts.map((part) => ({ source, statement: compile(part, options) })),
    );
  }
  return place(fields, batches, new Map());
}

function collect(fields: readonly RootField[], nodes: Map<string, QueryNode[]>): void {
  for (const { node } of fields) {
    if (node.kind === 'namespace') collect(node.fields, nodes);
    else if (node.kind !== 'json' && node.kind !== 'mutation' && node.kind !== 'action')
      nodes.set(node.source, [...(nodes.get(node.source) ?? []), node]);
  }
}

function place(
  fields: readonly RootField[],
  batches: ReadonlyMap<string, readonly QueryBatch[]>,
  next: Map<string, number>,
): CompiledField[] {
  return fields.map(({ alias, node }): CompiledField => {
    if (node.kind === 'json') return { alias, kind: 'json', json: node.json };
    if (node.kind === 'namespace')
      return { alias, kind: 'object', fields: place(node.fields, batches, next) };
    if (node.kind === 'action') return { alias, kind: 'action', action: node.action };
    if (node.kind === 'mutation') throw new TypeError('a mutation among queries');
    const number = next.get(node.source) ?? 0;
    next.set(node.source, number + 1);
    const batch = batches.get(node.source)?.[Math.floor(number / MAX_COLUMNS)];
    if (batch === undefined) throw new TypeError(`no batch for source ${node.source}`);
    return { alias, kind: 'column', batch, column: number % MAX_COLUMNS, node };
  });
}

export function batchesOf(fields: readonly CompiledField[]): QueryBatch[] {
  const batches = new Set<QueryBatch>();
  const look = (list: readonly CompiledField[]) => {
    for (const field of list) {
      if (field.kind === 'column') batches.add(field.batch);
      if (field.kind === 'object') look(field.fields);
    }
  };
  look(fields);
  return [...batches];
}

export interface CompiledJoin {
  readonly source: string;
  readonly statement: Statement;
}

/** @returns one per join of the plan, by its number */
export function compileJoins(
  { remoteJoins }: OperationPlan,
  sources: ExecutionSources,
): readonly CompiledJoin[] {
  return remoteJoins.map((join) => {
    const { options } = sourceOf(sources, join.source);
    return { source: join.source, statement: compileRemoteJoin(join, options) };
  });
}
