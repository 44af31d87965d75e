/** Columns, computed fields and functions, as expressions and as sources of rows. */

import { baseType } from '#catalog/pg-type.ts';
import type { Operand } from '#plan/predicate.ts';
import type { FunctionCall, Source } from '#plan/types.ts';
import { writePredicate } from './predicate.ts';
import { ident, qualified } from './text.ts';
import { column, type Scope, type Writer } from './writer.ts';

/** @param call arguments of the client's, for a computed field that takes some */
export function writeOperand(writer: Writer, operand: Operand, scope: Scope, call?: FunctionCall): string {
  switch (operand.kind) {
    case 'column':
      return redact(writer, column(scope, operand.column), operand.visible, scope);
    case 'computed':
      return redact(
        writer,
        writeCall(writer, call ?? { function: operand.function, inputs: new Map() }, scope),
        operand.visible,
        scope,
      );
    case 'cast':
      return `(${writeOperand(writer, operand.of, scope)})::${operand.type.sql}`;
    case 'aggregate':
      return scope.row;
  }
}

/** Null in the rows where the role may not see the value. */
function redact(
  writer: Writer,
  expression: string,
  visible: Extract<Operand, { kind: 'column' }>['visible'],
  scope: Scope,
): string {
  if (visible === undefined) return expression;
  const condition = writePredicate(writer, visible, { row: scope.row, root: scope.row });
  return `(CASE WHEN ${condition} THEN ${expression} END)`;
}

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
