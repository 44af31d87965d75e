/** A planned request, ready to run with its variables and session. */

import type { HeaderList } from '#base/headers.ts';
import type { Operation, RunnableOperation } from '#execute/operation.ts';
import { batchesOf, type QueryBatch } from '#execute/prepare/compile.ts';
import type { PlannedOperation } from '#execute/prepare/planner.ts';
import { type ExecutionSources, sourceOf } from '#execute/sources.ts';
import type { RootField } from '#ir/operation.ts';
import type { InputValidation } from '#ir/validation.ts';
import { validateInput } from '#webhook/validate-input.ts';
import {
  type ActionEnvironment,
  type ActionRunner,
  actionsOf,
  createActionRunner,
  runActions,
} from './actions.ts';
import { writeData } from './answer.ts';
import { type Bindings, bindParam, createBinder } from './bind.ts';
import { runMutationFields } from './mutation-fields.ts';
import { fetchRemoteConditions } from './remote-conditions.ts';
import { createPlaceholderFiller, type PlaceholderFiller } from './remote-joins.ts';
import { runStatement } from './statement.ts';
import { createSubscription } from './subscription.ts';

/** @param query the operation's text */
export function createOperation(
  planned: PlannedOperation,
  sources: ExecutionSources,
  bindings: Bindings,
  environment: ActionEnvironment,
  query: string,
): Operation {
  const actionRunner = (headers: HeaderList) =>
    createActionRunner(environment, bindings.session, headers, query);
  const fill = createPlaceholderFiller(planned.joins, sources, bindings);
  switch (planned.kind) {
    case 'query':
      return createQuery(planned, sources, bindings, actionRunner, fill);
    case 'mutation':
      return {
        kind: 'mutation',
        name: planned.name,
        async run({ headers }) {
          const { session } = bindings;
          // All webhooks agree before the first row is written, and before the first action is called.
          for (const { hook, input } of validationsOf(planned.fields))
            await validateInput(hook, input, { session, headers, env: environment.env });
          const actions = actionRunner(headers);
          const complete = await fetchRemoteConditions(planned.conditions, sources, bindings);
          const data = await runMutationFields(planned.fields, {
            session,
            resolve: (param) => bindParam(param, complete),
            source: (name) => sourceOf(sources, name),
            action: actions.run,
            ...(planned.joins.length === 0 ? {} : { fill: (json: string) => fill(json, complete) }),
          });
          return { body: `{"data":${data}}`, headers: actions.cookies };
        },
      };
    case 'subscription':
      return createSubscription(planned, sources, bindings, actionRunner([]).run);
  }
}

function validationsOf(fields: readonly RootField[]): InputValidation[] {
  return fields.flatMap(({ node }) => {
    if (node.kind === 'namespace') return validationsOf(node.fields);
    return node.kind === 'mutation' ? node.validations : [];
  });
}

function createQuery(
  planned: PlannedOperation,
  sources: ExecutionSources,
  bindings: Bindings,
  actionRunner: (headers: HeaderList) => ActionRunner,
  fill: PlaceholderFiller,
): RunnableOperation {
  const nodes = actionsOf(planned.compiled);
  const batches = batchesOf(planned.compiled);
  const bindAll = (complete: Bindings) => {
    const bind = createBinder(complete);
    return new Map(batches.map((batch) => [batch, bind(batch.statement.params)]));
  };
  const bound = planned.conditions.length === 0 ? bindAll(bindings) : undefined;
  return {
    kind: 'query',
    name: planned.name,
    async run({ headers }) {
      const rows = new Map<QueryBatch, readonly (string | null)[]>();
      const actions = actionRunner(headers);
      const complete =
        bound === undefined ? await fetchRemoteConditions(planned.conditions, sources, bindings) : bindings;
      const values = bound ?? bindAll(complete);
      const [answerOf] = await Promise.all([
        runActions(nodes, actions.run),
        ...batches.map(async (batch) => {
          const { pool } = sourceOf(sources, batch.source);
          const [row] = await runStatement(pool, batch.statement.text, values.get(batch) ?? []);
          rows.set(batch, row ?? []);
        }),
      ]);
      const data = writeData(planned.compiled, (batch) => rows.get(batch) ?? [], answerOf);
      return { body: `{"data":${await fill(data, complete)}}`, headers: actions.cookies };
    },
  };
}
