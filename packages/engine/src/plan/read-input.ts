/** Checked input, as planners take it apart. */
import type { Arguments, Input, ListInput, ObjectInput } from '#ir/input.ts';
import type { Operand } from '#ir/predicate.ts';
import type { EnumValue, TableArgument } from '#ir/schema.ts';

/** An argument by what it means: its name depends on the naming convention. */
export function tableArgument(given: Arguments, argument: TableArgument): Input | undefined {
  for (const { field, value } of given.values())
    if (field.meaning.kind === 'table-argument' && field.meaning.argument === argument) return value;
  return undefined;
}

/** The column that a value of a `…_select_column` enum names. */
export function enumColumn(value: EnumValue): Extract<Operand, { kind: 'column' }> {
  if (!isColumn(value.value)) throw new TypeError(`${value.name} names no column`);
  return value.value;
}

function isColumn(value: unknown): value is Extract<Operand, { kind: 'column' }> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'column';
}

export function asObject(input: Input): ObjectInput {
  if (input.kind !== 'object') throw new TypeError(`expected an object, found ${input.kind}`);
  return input;
}

export function asList(input: Input): ListInput {
  if (input.kind !== 'list') throw new TypeError(`expected a list, found ${input.kind}`);
  return input;
}
