/**
 * An operation's variables. Which of them only became parameters, and which the shape of the plan depends
 * on, is noted while planning: a plan is good for every request that agrees on the latter.
 */
import type { ConstValueNode, TypeNode, ValueNode, VariableDefinitionNode } from 'graphql';
import { EngineError } from '#base/errors.ts';
import { print } from '#base/graphql.ts';
import { NumberLiteral, type Raw } from './scalar.ts';

export interface Variable {
  readonly name: string;
  readonly type: TypeNode;
  readonly typeText: string;
  readonly nullable: boolean;
  /** Not `null`: lets a nullable variable stand where null may not. */
  readonly hasDefault: boolean;
  readonly value: Raw | undefined;
}

const MAX_INPUT_VALUES = 1_000_000;

export interface Variables {
  get(name: string): Variable | undefined;
  /** The plan now depends on this variable's value. */
  depend(name: string): void;
  /** Counts values that are part of the plan: one variable may stand in thousands of places. @throws {EngineError} */
  spend(values: number): void;
  readonly dependencies: ReadonlySet<string>;
}

/**
 * Checks `values` against the definitions. Throws `validation-failed` for a missing required variable and
 * for null where it may not be; `parse-failed` for a name defined twice.
 */
export function readVariables(
  definitions: readonly VariableDefinitionNode[],
  values: Readonly<Record<string, unknown>>,
): Variables {
  const variables = new Map<string, Variable>();
  for (const definition of definitions) {
    const name = definition.variable.name.value;
    if (variables.has(name))
      throw new EngineError('parse-failed', `multiple definitions for variable "${name}"`);
    variables.set(name, readVariable(name, definition, values));
  }
  const dependencies = new Set<string>();
  let left = MAX_INPUT_VALUES;
  return {
    get: (name) => variables.get(name),
    depend: (name) => dependencies.add(name),
    spend(values) {
      left -= values;
      if (left < 0)
        throw new EngineError(
          'validation-failed',
          `the arguments hold more than ${MAX_INPUT_VALUES} values; send fewer at a time`,
        );
    },
    dependencies,
  };
}

function readVariable(
  name: string,
  definition: VariableDefinitionNode,
  values: Readonly<Record<string, unknown>>,
): Variable {
  const nullable = definition.type.kind !== 'NonNullType';
  const typeText = print(definition.type);
  const fallback: ConstValueNode | undefined = definition.defaultValue;
  const given = Object.hasOwn(values, name) ? values[name] : undefined;
  if (given === null && !nullable)
    throw new EngineError('validation-failed', `null value found for non-nullable type: "${typeText}"`);
  if (given === undefined && fallback === undefined && !nullable)
    throw new EngineError('validation-failed', `expecting a value for non-nullable variable: "${name}"`);
  return {
    name,
    type: definition.type,
    typeText,
    nullable,
    hasDefault: fallback !== undefined && fallback.kind !== 'NullValue',
    value:
      given !== undefined
        ? { kind: 'json', value: given }
        : fallback !== undefined
          ? { kind: 'literal', node: fallback }
          : undefined,
  };
}

/** JSON of a raw value; variables inside are resolved, and the plan depends on them. */
export function toJson(raw: Raw, variables: Variables): unknown {
  return raw.kind === 'json' ? raw.value : literalToJson(raw.node, variables);
}

function literalToJson(node: ValueNode, variables: Variables): unknown {
  switch (node.kind) {
    case 'NullValue':
      return null;
    case 'IntValue':
    case 'FloatValue':
      return new NumberLiteral(node.value);
    case 'StringValue':
    case 'BooleanValue':
    case 'EnumValue':
      return node.value;
    case 'ListValue':
      return node.values.map((item) => literalToJson(item, variables));
    case 'ObjectValue':
      return Object.fromEntries(
        node.fields.map((field) => [field.name.value, literalToJson(field.value, variables)]),
      );
    case 'Variable': {
      variables.depend(node.name.value);
      const value = variables.get(node.name.value)?.value;
      return value === undefined ? null : toJson(value, variables);
    }
  }
}

/** Whether a literal mentions a variable anywhere. */
export function mentionsVariables(node: ValueNode): boolean {
  if (node.kind === 'Variable') return true;
  if (node.kind === 'ListValue') return node.values.some(mentionsVariables);
  return node.kind === 'ObjectValue' && node.fields.some((field) => mentionsVariables(field.value));
}
