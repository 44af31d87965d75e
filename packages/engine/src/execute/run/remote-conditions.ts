/** What permissions need of other sources, asked before a statement runs. */

import { type ExecutionSources, sourceOf } from '#execute/sources.ts';
import type { RemoteCondition } from '#ir/predicate.ts';
import { TEXT } from '#postgres/pg-type.ts';
import { compileRemoteCondition } from '#sql/remote-join.ts';
import { writeArray } from '#values/column-reader.ts';
import { type Bindings, bindParam } from './bind.ts';
import { runStatement } from './statement.ts';

/** @throws {EngineError} where a source cannot be asked, or a session variable is missing */
export async function fetchRemoteConditions(
  conditions: readonly RemoteCondition[],
  sources: ExecutionSources,
  bindings: Bindings,
): Promise<Bindings> {
  if (conditions.length === 0) return bindings;
  const remote = new Map<RemoteCondition, string>();
  await Promise.all(
    conditions.map(async (condition) => {
      const { pool, options } = sourceOf(sources, condition.source);
      const { text, params } = compileRemoteCondition(condition, options);
      const values = params.map((param) => bindParam(param, bindings));
      const keys = (await runStatement(pool, text, values)).map(([key]) => key ?? null);
      // Without any, nothing is known to be in it: neither that a row is allowed nor that it is not.
      remote.set(condition, writeArray(keys.length === 0 ? [null] : keys, TEXT));
    }),
  );
  return { ...bindings, remote };
}
