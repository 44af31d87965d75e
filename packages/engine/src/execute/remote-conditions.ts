/** What permissions ask of other sources than the one they are of, before a statement runs. */
import { TEXT } from '#catalog/pg-type.ts';
import { EngineError } from '#errors.ts';
import { writeArray } from '#plan/column-reader.ts';
import type { OperationPlan } from '#plan/operation.ts';
import type { RemoteCondition } from '#plan/predicate.ts';
import { type Bindings, bindParam } from '#sql/bind.ts';
import { compileRemoteCondition } from '#sql/remote-join.ts';
import { runStatement } from './run.ts';
import { type ExecutionSources, sourceOf } from './sources.ts';

/**
 * All that the permissions in a plan ask.
 * @throws {EngineError} `not-supported` for a subscription where they ask anything
 */
export function conditionsOf({ kind, fields, remoteJoins }: OperationPlan): readonly RemoteCondition[] {
  const conditions = findConditions([fields, remoteJoins]);
  if (kind === 'subscription' && conditions.length > 0)
    throw new EngineError('not-supported', 'subscriptions on this field is not supported');
  return conditions;
}

/** Wherever in a plan they are: permissions are part of all that reads or writes. */
export function findConditions(plan: unknown): readonly RemoteCondition[] {
  const found = new Set<RemoteCondition>();
  const seen = new Set<unknown>();
  const waiting: unknown[] = [plan];
  while (waiting.length > 0) {
    const part = waiting.pop();
    if (typeof part !== 'object' || part === null || seen.has(part)) continue;
    seen.add(part);
    if (isRemote(part)) found.add(part.condition);
    else waiting.push(...(part instanceof Map ? part.values() : Object.values(part)));
  }
  return [...found];
}

function isRemote(part: object): part is { from: 'remote'; condition: RemoteCondition } {
  return 'from' in part && part.from === 'remote';
}

/** @throws {EngineError} where a source cannot be asked, or a session variable is missing */
export async function askConditions(
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
