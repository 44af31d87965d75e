/** Fills in a Kriti template. */
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '#values/json.ts';
import { FUNCTIONS, isJsonObject } from './functions.ts';
import { parseKriti } from './parse.ts';
import { KritiError, type Node, type Span } from './tree.ts';

export interface Scope {
  readonly variables: ReadonlyMap<string, Json>;
  /** For `getSessionVariable("x-hasura-…")`. */
  readonly sessionVariables: Readonly<Record<string, string>> | undefined;
}

/** @throws {KritiError} for a template that is not well formed or does not fit the values */
export function renderKriti(template: string, scope: Scope): Json {
  return evaluate(parseKriti(template), scope);
}

function evaluate(node: Node, scope: Scope): Json {
  switch (node.kind) {
    case 'literal':
      return node.value;
    case 'array':
      return node.items.map((item) => evaluate(item, scope));
    case 'object':
      return Object.fromEntries(node.fields.map(([key, value]) => [key, evaluate(value, scope)]));
    case 'text':
      return node.parts.map((part) => asText(evaluate(part, scope))).join('');
    case 'variable': {
      const value = scope.variables.get(node.name);
      if (value === undefined) throw notInScope(node.name, node.span);
      return value;
    }
    case 'member':
      return member(node, scope);
    case 'call':
      return call(node, scope);
    case 'operator':
      return operate(node, scope);
    case 'if':
      return evaluate(truth(evaluate(node.condition, scope)) ? node.then : node.otherwise, scope);
    case 'range':
      return range(node, scope);
  }
}

function member(node: Node & { kind: 'member' }, scope: Scope): Json {
  const of = evaluate(node.of, scope);
  const key = evaluate(node.key, scope);
  const found = lookUp(of, key);
  if (found !== undefined) return found;
  if (node.optional) return null;
  const name = typeof key === 'string' ? key : JSON.stringify(key);
  // The spelling is Hasura's.
  throw new KritiError('Attribute Error', `'${typeName(of)}' has no attritubte '${name}'.`, node.span);
}

function lookUp(of: Json, key: Json): Json | undefined {
  if (Array.isArray(of)) return typeof key === 'number' ? of[key] : undefined;
  if (!isJsonObject(of) || typeof key !== 'string') return undefined;
  return Object.hasOwn(of, key) ? of[key] : undefined;
}

function call(node: Node & { kind: 'call' }, scope: Scope): Json {
  const { name, argumentSpan } = node;
  const known = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (known === undefined && name !== 'getSessionVariable') throw notInScope(name, node.span);
  const argument = evaluate(node.argument, scope);
  try {
    return known === undefined ? sessionVariable(argument, scope) : known(argument);
  } catch (error) {
    if (!(error instanceof KritiError) || error.span !== undefined) throw error;
    throw new KritiError(error.code, error.message, argumentSpan);
  }
}

function sessionVariable(name: Json, scope: Scope): Json {
  const key = typeof name === 'string' ? name.toLowerCase() : '';
  const value = scope.sessionVariables?.[key];
  if (value === undefined) {
    throw new KritiError('Function Error', `Session variable ${JSON.stringify(name)} not found`);
  }
  return value;
}

function notInScope(name: string, span: Span): KritiError {
  return new KritiError('Name Error', `Variable '${name}' not in scope`, span);
}

function typeName(value: Json): string {
  if (value === null) return 'Null';
  if (Array.isArray(value)) return 'Array';
  return { string: 'String', number: 'Number', boolean: 'Boolean' }[String(typeof value)] ?? 'Object';
}

function operate(node: Node & { kind: 'operator' }, scope: Scope): Json {
  const left = evaluate(node.left, scope);
  if (node.operator === '??') return left ?? evaluate(node.right, scope);
  if (node.operator === '&&') return truth(left) && truth(evaluate(node.right, scope));
  if (node.operator === '||') return truth(left) || truth(evaluate(node.right, scope));
  const right = evaluate(node.right, scope);
  switch (node.operator) {
    case '==':
      return isDeepStrictEqual(left, right);
    case '!=':
      return !isDeepStrictEqual(left, right);
    case 'in':
      return contains(right, left);
    case '<':
      return compare(left, right) < 0;
    case '<=':
      return compare(left, right) <= 0;
    case '>':
      return compare(left, right) > 0;
    case '>=':
      return compare(left, right) >= 0;
  }
}

function contains(container: Json, value: Json): boolean {
  if (Array.isArray(container)) return container.some((item) => isDeepStrictEqual(item, value));
  if (isJsonObject(container)) return typeof value === 'string' && Object.hasOwn(container, value);
  throw new KritiError('Type Error', 'the right side of "in" must be an array or an object');
}

function compare(left: Json, right: Json): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0;
  throw new KritiError('Type Error', 'only two numbers or two strings can be compared');
}

function truth(value: Json): boolean {
  if (typeof value !== 'boolean') throw new KritiError('Type Error', 'a condition must be true or false');
  return value;
}

function range(node: Node & { kind: 'range' }, scope: Scope): Json {
  const over = evaluate(node.over, scope);
  if (!Array.isArray(over)) throw new KritiError('Type Error', 'range goes over an array only');
  return over.map((item, index) => {
    const variables = new Map(scope.variables).set(node.item, item);
    if (node.index !== undefined) variables.set(node.index, index);
    return evaluate(node.body, { ...scope, variables });
  });
}

function asText(value: Json): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null) {
    throw new KritiError('Type Error', 'only strings, numbers, booleans and null can stand within a string');
  }
  return String(value);
}
