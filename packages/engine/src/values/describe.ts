/** What kind of value something is, in the words of Hasura's messages. */
import { isNumber } from './number.ts';
import type { Raw } from './scalar.ts';
import type { Variables } from './variables.ts';

const LITERALS = {
  IntValue: 'an integer',
  FloatValue: 'a float',
  StringValue: 'a string',
  BooleanValue: 'a boolean',
  NullValue: 'null',
  EnumValue: 'an enum value',
  ListValue: 'a list',
  ObjectValue: 'an object',
} as const;

export function describeRaw(raw: Raw, variables: Variables): string {
  if (raw.kind === 'json') return describeJson(raw.value);
  if (raw.node.kind !== 'Variable') return LITERALS[raw.node.kind];
  const name = raw.node.name.value;
  const value = variables.get(name)?.value;
  return value === undefined ? `no value specified for variable '${name}'` : describeRaw(value, variables);
}

function describeJson(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (isNumber(value)) return 'a number';
  if (typeof value === 'boolean') return 'a boolean';
  return typeof value === 'string' ? 'a string' : 'an object';
}

export function isNullRaw(raw: Raw): boolean {
  return raw.kind === 'json' ? raw.value === null : raw.node.kind === 'NullValue';
}
