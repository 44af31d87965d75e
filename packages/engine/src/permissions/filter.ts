/**
 * A permission's row filter, as written in the metadata, checked against its table and made a predicate.
 *
 * Whatever is not understood throws {@link Problem}: the permission is then inconsistent and grants nothing.
 */

import { ALWAYS, type Operand, type Predicate } from '#ir/predicate.ts';
import { qualifiedName } from '#metadata/primitives.ts';
import { Problem } from '#metadata/problem.ts';
import { displayName, type QualifiedName } from '#postgres/catalog.ts';
import { isPlainObject } from '#values/json.ts';
import { planJsonExpression } from './boolean-expression.ts';
import type { FilterContext, FilterTable, Lookup } from './filter-context.ts';
import { planColumnFilter } from './filter-operators.ts';
import { planRemoteFilter } from './filter-remote.ts';

/** @throws {Problem} for anything that is not understood */
export function planFilter(filter: unknown, table: FilterTable, lookup: Lookup): Predicate {
  return planExpression(filter, { root: table, table, lookup });
}

function planExpression(expression: unknown, context: FilterContext): Predicate {
  return planJsonExpression(expression, {
    condition: (key, value) =>
      key === '_exists' || key === '$exists' ? planExists(value, context) : planField(key, value, context),
    notAnObject: (value) => new Problem(`expected a boolean expression, found ${show(value)}`),
    notAList: (key, value) => new Problem(`expected a list under "${key}", found ${show(value)}`),
  });
}

function planExists(value: unknown, context: FilterContext): Predicate {
  if (!isPlainObject(value)) throw new Problem(`expected an object under "_exists", found ${show(value)}`);
  const unknown = Object.keys(value).find((key) => key !== '_table' && key !== '_where');
  if (unknown !== undefined) throw new Problem(`"_exists" has no key "${unknown}"`);
  const name = qualifiedName.safeParse(value._table);
  if (!name.success) throw new Problem('"_exists" needs a "_table"');
  const table = requireTable(name.data, context);
  return {
    kind: 'exists',
    table: name.data,
    where: planExpression(value._where, { ...context, table }),
  };
}

function requireTable(name: QualifiedName, { lookup }: FilterContext): FilterTable {
  const table = lookup.table(name);
  if (table === undefined) throw new Problem(`table "${displayName(name)}" does not exist`);
  return table;
}

function planField(key: string, value: unknown, context: FilterContext): Predicate {
  const { table } = context.table;
  const column = table.columnByName.get(key);
  if (column !== undefined) {
    const operand: Operand = { kind: 'column', column: column.name };
    return planColumnFilter(operand, column.type, value, context, `"${key}"`);
  }
  const relationship = table.relationships.get(key);
  if (relationship !== undefined) {
    const target = requireTable(relationship.target, context);
    return {
      kind: 'related',
      target: relationship.target,
      mapping: relationship.mapping,
      // A permission sees all related rows: it says itself which of them count.
      permission: ALWAYS,
      where: planExpression(value, { ...context, table: target }),
    };
  }
  const field = table.computedFields.get(key);
  const remote = table.remoteRelationships.get(key);
  if (remote !== undefined) return planRemoteFilter(remote, value, context);
  if (field === undefined) throw new Problem(`"${key}" does not exist`);
  if (field.function.inputs.length > 0)
    throw new Problem('Computed columns with input arguments can not be part of the where clause');
  if (field.returns.kind === 'scalar')
    return planColumnFilter(
      { kind: 'computed', function: field.function },
      field.returns.type,
      value,
      context,
      `"${key}"`,
    );
  const target = requireTable(field.returns.table, context);
  return {
    kind: 'computed-rows',
    function: field.function,
    permission: ALWAYS,
    // Inside, the rows of the function are what the expression is about.
    where: planExpression(value, { ...context, root: target, table: target }),
  };
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}
