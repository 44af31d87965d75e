/** Predicates as SQL: where permissions and the client's conditions become text. */

import type { Comparand, Operand, Predicate } from '#ir/predicate.ts';
import type { FunctionCall } from '#ir/select.ts';
import { qualified } from '#postgres/quote.ts';
import { writeCall } from './call.ts';
import { column, type Scope, type Writer } from './writer.ts';

/** A boolean expression. */
export function writePredicate(writer: Writer, predicate: Predicate, scope: Scope): string {
  switch (predicate.kind) {
    case 'and':
      return join(writer, predicate.items, ' AND ', 'TRUE', scope);
    case 'or':
      return join(writer, predicate.items, ' OR ', 'FALSE', scope);
    case 'not':
      return `(NOT ${writePredicate(writer, predicate.item, scope)})`;
    case 'compare':
      return writeComparison(writer, predicate, scope);
    case 'is-null':
      return `(${writeOperand(writer, predicate.left, scope)} IS ${predicate.negated ? 'NOT NULL' : 'NULL'})`;
    case 'related': {
      const alias = writer.alias();
      const conditions = writeRelated(writer, predicate, alias, scope);
      return `EXISTS (SELECT 1 FROM ${qualified(predicate.target)} AS ${alias} WHERE ${conditions})`;
    }
    case 'exists': {
      const alias = writer.alias();
      const where = writePredicate(writer, predicate.where, { row: alias, root: scope.root });
      return `EXISTS (SELECT 1 FROM ${qualified(predicate.table)} AS ${alias} WHERE ${where})`;
    }
    case 'computed-rows': {
      const call = writeCall(writer, { function: predicate.function, inputs: new Map() }, scope);
      const alias = writer.alias();
      const permission = writePredicate(writer, predicate.permission, { row: alias, root: alias });
      const where = writePredicate(writer, predicate.where, { row: alias, root: scope.root });
      return `EXISTS (SELECT 1 FROM ${call} AS ${alias} WHERE ${allOf(permission, where)})`;
    }
    case 'related-aggregate':
      return writeAggregate(writer, predicate, scope);
  }
}

function join(
  writer: Writer,
  items: readonly Predicate[],
  separator: string,
  empty: string,
  scope: Scope,
): string {
  const [only] = items;
  if (only === undefined) return empty;
  if (items.length === 1) return writePredicate(writer, only, scope);
  return `(${items.map((item) => writePredicate(writer, item, scope)).join(separator)})`;
}

/** The join of a related row, what the role may read of its table, and the condition on it. */
function writeRelated(
  writer: Writer,
  predicate: Extract<Predicate, { kind: 'related' | 'related-aggregate' }>,
  alias: string,
  scope: Scope,
): string {
  const inner: Scope = { row: alias, root: alias };
  return allOf(
    writeJoin(predicate.mapping, inner, scope),
    writePredicate(writer, predicate.permission, inner),
    writePredicate(writer, predicate.where, { row: alias, root: scope.root }),
  );
}

/** All of them, without those that always hold. */
export function allOf(...conditions: readonly string[]): string {
  return conditions.filter((condition) => condition !== 'TRUE').join(' AND ') || 'TRUE';
}

/** `inner` is the related row, `outer` the one it belongs to. */
export function writeJoin(
  mapping: readonly (readonly [local: string, remote: string])[],
  inner: Scope,
  outer: Scope,
): string {
  return mapping.map(([local, remote]) => `${column(inner, remote)} = ${column(outer, local)}`).join(' AND ');
}

function writeAggregate(
  writer: Writer,
  predicate: Extract<Predicate, { kind: 'related-aggregate' }>,
  scope: Scope,
): string {
  const alias = writer.alias();
  const inner: Scope = { row: alias, root: alias };
  const operands = predicate.arguments.map((operand) => writeOperand(writer, operand, inner));
  const aggregate = `${predicate.function}(${operands.length === 0 ? '*' : operands.join(', ')})`;
  const having = writePredicate(writer, predicate.having, { row: aggregate, root: aggregate });
  // Without a condition on it, nothing would make one row of the related ones.
  if (having === 'TRUE') return 'TRUE';
  const where = writeRelated(writer, predicate, alias, scope);
  return `coalesce((SELECT ${having} FROM ${qualified(predicate.target)} AS ${alias} WHERE ${where}), FALSE)`;
}

function writeComparison(
  writer: Writer,
  predicate: Extract<Predicate, { kind: 'compare' }>,
  scope: Scope,
): string {
  const { operator, nullSafe, more } = predicate;
  const left = writeOperand(writer, predicate.left, scope);
  const right = writeComparand(writer, predicate.right, scope);
  if (operator.startsWith('ST_'))
    return `${operator}(${[left, right, ...(more ?? []).map((one) => writeComparand(writer, one, scope))].join(', ')})`;
  if (operator === 'in') return `(${left} = ANY (${right}))`;
  if (operator === 'not in') return `(${left} <> ALL (${right}))`;
  const comparison = `(${left} ${operator} ${right})`;
  if (nullSafe !== true) return comparison;
  return operator === '='
    ? `(${comparison} OR (${left} IS NULL AND ${right} IS NULL))`
    : `(${comparison} OR (${left} IS NOT NULL AND ${right} IS NULL))`;
}

function writeComparand(writer: Writer, right: Comparand, scope: Scope): string {
  switch (right.kind) {
    case 'param':
      return writer.param(right.param, right.type);
    case 'column':
      return column(right.of === 'root' ? { row: scope.root, root: scope.root } : scope, right.column);
  }
}

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
