/** What the permissions in a plan need of other sources. */
import { EngineError } from '#base/errors.ts';
import type { RemoteCondition } from '#ir/predicate.ts';
import type { OperationPlan } from '#plan/operation.ts';

/**
 * What the permissions in a plan need of other sources.
 * @throws {EngineError} `not-supported` for a subscription where they need anything
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
