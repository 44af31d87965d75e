/** The arguments a client gives a function. */
import type { TrackedFunction } from '#ir/function.ts';
import { at } from '#ir/path.ts';
import type { FunctionCall } from '#ir/select.ts';
import { notSupported } from './errors.ts';
import type { CheckedField } from './field.ts';
import { asObject, tableArgument } from './read-input.ts';

/**
 * Arguments may be left out where PostgreSQL has defaults; behind a left-out one they are passed by name,
 * so they need one.
 */
export function planFunctionCall(fn: TrackedFunction, checked: CheckedField): FunctionCall {
  const inputs = new Map<
    number,
    FunctionCall['inputs'] extends ReadonlyMap<number, infer Value> ? Value : never
  >();
  const given = tableArgument(checked.arguments, 'args');
  if (given !== undefined && given.kind !== 'null')
    for (const { field, value } of asObject(given).fields) {
      if (field.meaning.kind !== 'function-input') continue;
      const { position, type } = field.meaning;
      inputs.set(position, {
        param: value.kind === 'param' ? value.param : { from: 'value', value: null },
        type,
      });
    }
  const here = at(checked.path, 'args', 'args');
  let hasOmitted = false;
  for (const { position, argument } of fn.inputs) {
    if (!inputs.has(position)) {
      if (!argument.hasDefault) throw notSupported('Non default arguments cannot be omitted', here);
      hasOmitted = true;
    } else if (hasOmitted && argument.name === undefined) {
      throw notSupported('Only last set of positional arguments can be omitted', here);
    }
  }
  const isBare = given === undefined && fn.inputs.length > 0 && fn.rowArgument === undefined;
  return { function: fn, inputs, ...(isBare ? { withoutSession: true } : {}) };
}
