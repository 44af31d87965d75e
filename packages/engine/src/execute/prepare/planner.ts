/**
 * One role's plans. A plan is good for every request with the same text whose variables agree on what its
 * shape depends on: which of them are given, which are null, and the values of those that are more than
 * parameters.
 */

import { LRUCache } from 'lru-cache';
import { EngineError } from '#base/errors.ts';
import { hashOrder } from '#base/hash-order.ts';
import type { GraphqlRequest } from '#execute/operation.ts';
import type { ExecutionSources } from '#execute/sources.ts';
import type { RemoteCondition } from '#ir/predicate.ts';
import type { RoleSchema } from '#ir/schema.ts';
import type { ParsedOperation } from '#plan/document.ts';
import { type OperationPlan, planOperation } from '#plan/operation.ts';
import { writeJson } from '#values/number.ts';
import { readVariables } from '#values/variables.ts';
import { batchesOf, type CompiledField, type CompiledJoin, compileFields, compileJoins } from './compile.ts';
import { conditionsOf } from './conditions.ts';

export interface PlannedOperation extends OperationPlan {
  readonly role: string;
  /** Equal for requests that this plan is good for. */
  readonly key: string;
  /** Its queries as statements. */
  readonly compiled: readonly CompiledField[];
  readonly joins: readonly CompiledJoin[];
  /** What its permissions ask of other sources. */
  readonly conditions: readonly RemoteCondition[];
}

export interface Planner {
  readonly schema: RoleSchema;
  /** @throws {EngineError} for a request that does not fit the role's schema */
  plan(
    request: GraphqlRequest,
    operation: ParsedOperation,
    variables: Readonly<Record<string, unknown>>,
  ): PlannedOperation;
}

/** In characters, of a role's texts. There is no `max` beside it: its memory is taken at once, for every role. */
const MAX_TEXTS_SIZE = 2_000_000;
/** What a short text counts for, so that there are not too many of them. */
const LEAST_TEXT_SIZE = 1000;
const MAX_PLANS = 5000;
/** In characters of texts, of the values that shape them and of SQL; a plan takes some ten bytes for each. */
const MAX_PLANS_SIZE = 8_000_000;

/** Plans by role, shape of the variables and text. */
export type Plans = LRUCache<string, PlannedOperation>;

/** Equal for equal requests only, whatever their parts hold. */
export function requestKey(operationName: string | undefined, query: string): string {
  return `${operationName === undefined ? '' : JSON.stringify(operationName)}\n${query}`;
}

/** The plans of all roles. */
export const createPlans = (): Plans =>
  new LRUCache({
    max: MAX_PLANS,
    maxSize: MAX_PLANS_SIZE,
    sizeCalculation: ({ compiled, joins, key }) =>
      [...batchesOf(compiled), ...joins].reduce(
        (sum, { statement }) => sum + statement.text.length,
        key.length,
      ),
  });

/**
 * @param name tells this planner's plans from those of others
 * @param plans see {@link createPlans}
 * @param hasRemote whether there are relationships between sources, for permissions to look through
 */
export function createPlanner(
  name: string,
  schema: RoleSchema,
  sources: ExecutionSources,
  plans: Plans,
  hasRemote: boolean,
): Planner {
  const mine = JSON.stringify(name);
  /** Variables that each text's shape depends on, as far as is known. */
  const dependenciesOf = new LRUCache<string, ReadonlySet<string>>({
    maxSize: MAX_TEXTS_SIZE,
    sizeCalculation: (_, text) => Math.max(text.length, LEAST_TEXT_SIZE),
  });
  return {
    schema,
    plan(request, operation, values) {
      const text = requestKey(request.operationName, request.query);
      const definitions = operation.definition.variableDefinitions ?? [];
      const known = dependenciesOf.get(text);
      if (known !== undefined) {
        const found = plans.get(`${mine}\n${shapeOf(values, known)}\n${text}`);
        if (found !== undefined) return found;
      }
      const variables = readVariables(definitions, values);
      checkUse(operation, values, new Set(definitions.map(({ variable }) => variable.name.value)));
      const plan = planOperation(schema, operation, variables);
      const compiled = compileFields(plan, sources);
      const joins = compileJoins(plan, sources);
      const conditions = hasRemote ? conditionsOf(plan) : [];
      const identity = { role: schema.role, compiled, joins, conditions };
      // The rows of a mutation as good as never come twice: their plans would only fill the memory.
      if (plan.kind === 'mutation' && variables.dependencies.size > 0)
        return { ...plan, ...identity, key: text };
      const dependencies = variables.dependencies.union(known ?? new Set<string>());
      if (dependencies.size !== known?.size) dependenciesOf.set(text, dependencies);
      const key = `${mine}\n${shapeOf(values, dependencies)}\n${text}`;
      const planned: PlannedOperation = { ...plan, ...identity, key };
      plans.set(key, planned);
      return planned;
    },
  };
}

/** What is given and what is null; of dependencies, everything. */
function shapeOf(values: Readonly<Record<string, unknown>>, dependencies: ReadonlySet<string>): string {
  return Object.keys(values)
    .sort()
    .map((name) => {
      const value = values[name];
      if (dependencies.has(name)) return `${JSON.stringify(name)}=${writeJson(value)}`;
      return `${JSON.stringify(name)}${value === null ? '=null' : ''}`;
    })
    .join(',');
}

function checkUse(
  { usedVariables }: ParsedOperation,
  values: Readonly<Record<string, unknown>>,
  defined: ReadonlySet<string>,
): void {
  const unbound = [...usedVariables].find((name) => !defined.has(name));
  if (unbound !== undefined) throw new EngineError('validation-failed', `unbound variable "${unbound}"`);
  const unexpected = Object.keys(values).filter((name) => !usedVariables.has(name));
  if (unexpected.length > 0)
    throw new EngineError(
      'validation-failed',
      `unexpected variables in variableValues: ${hashOrder(unexpected, (name) => name).join(', ')}`,
    );
}
