/** What an operation would run, and PostgreSQL's plan for it. */
import { EngineError } from '#base/errors.ts';
import { batchesOf } from '#execute/prepare/compile.ts';
import type { PlannedOperation } from '#execute/prepare/planner.ts';
import { type ExecutionSources, sourceOf } from '#execute/sources.ts';
import type { Param } from '#ir/predicate.ts';
import { compileQueries } from '#sql/statement.ts';
import { type Bindings, bindParam } from './bind.ts';
import { fetchRemoteConditions } from './remote-conditions.ts';
import { runStatement } from './statement.ts';

/**
 * A list with one entry per root field of a query; one object for a subscription.
 * @throws {EngineError} `invalid-params` for a mutation, and for a query that joins sources
 */
export async function explainOperation(
  planned: PlannedOperation,
  sources: ExecutionSources,
  bindings: Bindings,
): Promise<unknown> {
  if (planned.kind === 'mutation') throw new EngineError('invalid-params', 'only queries can be explained');
  if (planned.joins.length > 0)
    throw new EngineError('invalid-params', 'queries with remote relationships cannot be explained');
  if (planned.kind === 'subscription') return explainSubscription(planned, sources, bindings);
  const complete = await fetchRemoteConditions(planned.conditions, sources, bindings);
  const explained: unknown[] = [];
  for (const { alias, node } of planned.fields) {
    if (
      node.kind === 'json' ||
      node.kind === 'namespace' ||
      node.kind === 'mutation' ||
      node.kind === 'action'
    ) {
      explained.push({ field: alias, plan: null, sql: null });
      continue;
    }
    const source = sourceOf(sources, node.source);
    const { text, params } = compileQueries([node], source.options);
    const values = params.map((param) => bindParam(param, complete));
    const rows = await runStatement(source.pool, `EXPLAIN (FORMAT TEXT) ${text}`, values);
    explained.push({ field: alias, plan: rows.map(([line]) => line ?? ''), sql: text });
  }
  return explained;
}

async function explainSubscription(
  planned: PlannedOperation,
  sources: ExecutionSources,
  bindings: Bindings,
): Promise<unknown> {
  const [batch] = batchesOf(planned.compiled);
  if (batch === undefined) throw new EngineError('not-supported', 'nothing to explain');
  const { text, params } = batch.statement;
  const values = params.map((param) => bindParam(param, bindings));
  const clients = `{"${JSON.stringify(values).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"}`;
  const rows = await runStatement(sourceOf(sources, batch.source).pool, `EXPLAIN (FORMAT TEXT) ${text}`, [
    clients,
  ]);
  return {
    sql: text,
    plan: rows.map(([line]) => line ?? ''),
    variables: {
      cursor: {},
      query: {},
      session: sessionValues(params, bindings),
      synthetic: params.flatMap((param, index) =>
        param.from === 'value' || param.from === 'variable' ? [values[index] ?? null] : [],
      ),
    },
  };
}

function sessionValues(params: readonly Param[], bindings: Bindings): Record<string, string | undefined> {
  const names = params.flatMap((param) => (param.from === 'session' ? [param.name] : []));
  return Object.fromEntries(names.map((name) => [name, bindings.session.variables[name]]));
}
