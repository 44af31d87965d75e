/**
 * One role's plans. A plan is good for every request with the same text whose variables agree on what its
 * shape depends on: which of them are given, which are null, and the values of those that are more than
 * parameters.
 */
import type { GraphqlRequest } from '../core.ts';
import { EngineError } from '../errors.ts';
import { createCache } from '../plan/cache.ts';
import type { ParsedOperation } from '../plan/document.ts';
import { writeJson } from '../plan/number.ts';
import { type OperationPlan, planOperation } from '../plan/operation.ts';
import { readVariables } from '../plan/variables.ts';
import type { RoleSchema } from '../schema/types.ts';
import { type CompiledField, compileFields } from './compile.ts';
import { type CompiledJoin, compileJoins } from './remote-joins.ts';
import type { ExecutionSources } from './sources.ts';

export interface Planned extends OperationPlan {
  readonly role: string;
  /** Equal for requests that this plan is good for. */
  readonly key: string;
  /** Its queries as statements. */
  readonly compiled: readonly CompiledField[];
  readonly joins: readonly CompiledJoin[];
}

export interface Planner {
  readonly schema: RoleSchema;
  /** @throws {EngineError} for a request that does not fit the role's schema */
  plan(
    request: GraphqlRequest,
    operation: ParsedOperation,
    variables: Readonly<Record<string, unknown>>,
  ): Planned;
}

const MAX_TEXTS = 1000;
/** Plans of one text: beyond that its variables shape it anew each time. */
const MAX_SHAPES = 50;

interface KnownText {
  /** Variables that the shape depends on, as far as is known. */
  readonly dependencies: ReadonlySet<string>;
  readonly plans: ReturnType<typeof createCache<Planned>>;
}

export function createPlanner(schema: RoleSchema, sources: ExecutionSources): Planner {
  const texts = createCache<KnownText>(MAX_TEXTS);
  return {
    schema,
    plan(request, operation, values) {
      const text = `${request.operationName ?? ''}\n${request.query}`;
      const definitions = operation.definition.variableDefinitions ?? [];
      const known = texts.get(text);
      if (known !== undefined) {
        const found = known.plans.get(shapeOf(values, known.dependencies));
        if (found !== undefined) return found;
      }
      const variables = readVariables(definitions, values);
      checkUse(operation, values, new Set(definitions.map(({ variable }) => variable.name.value)));
      const { plan, compiled, joins } = withinStack(() => {
        const made = planOperation(schema, operation, variables);
        return { plan: made, compiled: compileFields(made, sources), joins: compileJoins(made, sources) };
      });
      const identity = { role: schema.role, compiled, joins };
      // The rows of a mutation as good as never come twice: their plans would only fill the memory.
      if (plan.kind === 'mutation' && variables.dependencies.size > 0)
        return { ...plan, ...identity, key: text };
      const isCovered = known !== undefined && variables.dependencies.isSubsetOf(known.dependencies);
      const entry: KnownText = isCovered
        ? known
        : {
            dependencies: variables.dependencies.union(known?.dependencies ?? new Set<string>()),
            plans: createCache(MAX_SHAPES),
          };
      if (!isCovered) texts.set(text, entry);
      const shape = shapeOf(values, entry.dependencies);
      const planned: Planned = {
        ...plan,
        ...identity,
        key: `${schema.role}\n${text}\n${shape}`,
      };
      entry.plans.set(shape, planned);
      return planned;
    },
  };
}

/** Selections and conditions nest as deep as a client likes; the stack does not. */
function withinStack<Made>(make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new EngineError('validation-failed', 'the query is nested too deep', { cause: error });
  }
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
      `unexpected variables in variableValues: ${unexpected.join(', ')}`,
    );
}
