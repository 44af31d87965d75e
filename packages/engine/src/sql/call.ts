/** Functions and tables as expressions and as sources of rows. */
import type { FunctionCall, Source } from '#ir/select.ts';
import { baseType } from '#postgres/pg-type.ts';
import { ident, qualified } from '#postgres/quote.ts';
import type { Scope, Writer } from './writer.ts';

const JSON_TYPE = baseType('json');

/** A function call; `scope` is the row for those that take one. */
export function writeCall(writer: Writer, call: FunctionCall, scope: Scope | undefined): string {
  const { function: fn, inputs } = call;
  const written: string[] = [];
  let byName = false;
  for (const [position, argument] of fn.catalog.arguments.entries()) {
    const value = argumentValue(writer, call, position, scope);
    if (value === undefined) {
      byName = true;
    } else {
      const prefix = byName && argument.name !== undefined ? `${ident(argument.name)} => ` : '';
      written.push(`${prefix}${value}`);
    }
  }
  if (inputs.size > fn.catalog.arguments.length) throw new TypeError('more inputs than arguments');
  return `${qualified(fn.name)}(${written.join(', ')})`;
}

function argumentValue(
  writer: Writer,
  { function: fn, inputs, withoutSession }: FunctionCall,
  position: number,
  scope: Scope | undefined,
): string | undefined {
  if (position === fn.rowArgument) {
    if (scope === undefined) throw new TypeError(`${fn.name.name} needs a row`);
    return `${scope.row}.*`;
  }
  if (position === fn.sessionArgument) {
    if (withoutSession === true) return undefined;
    const { type } = fn.catalog.arguments[position] ?? { type: JSON_TYPE };
    return writer.param({ from: 'session-all' }, type);
  }
  const input = inputs.get(position);
  return input === undefined ? undefined : writer.param(input.param, input.type);
}

/** What follows FROM, without the alias. `outer` is the row that a function on a row is called with. */
export function writeSource(writer: Writer, source: Source, outer: Scope | undefined): string {
  switch (source.kind) {
    case 'table':
      return qualified(source.table);
    case 'function':
      return writeCall(writer, source.call, outer);
    case 'cte':
      return ident(source.name);
  }
}
