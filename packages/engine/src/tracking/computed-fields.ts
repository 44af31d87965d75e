/** Fields that a function computes from a row. */

import type { TrackedFunction } from '#ir/function.ts';
import { GRAPHQL_NAME } from '#ir/naming.ts';
import type { ComputedField } from '#ir/tracked.ts';
import { listReasons, Problem } from '#metadata/problem.ts';
import type { ComputedField as Metadata } from '#metadata/types.ts';
import type { Catalog, CatalogFunction, PgType, QualifiedName } from '#postgres/catalog.ts';
import { displayName, tableKey } from '#postgres/catalog.ts';
import { isJson, isUnknown } from '#postgres/pg-type.ts';

/** @param tracked keys of the tables that are tracked */
export function trackComputedField(
  { name, definition, comment }: Metadata,
  table: QualifiedName,
  catalog: Catalog,
  tracked: ReadonlySet<string>,
): ComputedField {
  const fn = singleFunction(catalog, definition.function);
  const reasons: string[] = [];
  const quoted = `"${displayName(definition.function)}"`;
  if (!GRAPHQL_NAME.test(name)) reasons.push(`"${name}" is not valid GraphQL name`);
  if (fn.volatility === 'volatile')
    reasons.push(`the function ${quoted} is of type VOLATILE; cannot be added as a computed field`);
  const returns = returnType(fn, quoted, tracked, reasons);
  const rowArgument = findRowArgument(fn, definition.table_argument, table, quoted, reasons);
  const sessionArgument = findSessionArgument(fn, definition.session_argument, quoted, reasons);
  if (reasons.length > 0)
    throw new Problem(
      `the computed field "${name}" cannot be added to table "${displayName(table)}" ${listReasons(reasons)}`,
    );
  const description = comment ?? fn.description ?? `A computed field, executes function ${quoted}`;
  return {
    name,
    function: describeFunction(fn, rowArgument, sessionArgument),
    returns,
    description: description === '' ? undefined : description,
  };
}

export function singleFunction(catalog: Catalog, name: QualifiedName): CatalogFunction {
  const found = catalog.functions.get(tableKey(name)) ?? [];
  const [fn] = found;
  if (fn === undefined) throw new Problem(`no such function exists: "${displayName(name)}"`);
  if (found.length > 1)
    throw new Problem(
      `function "${displayName(name)}" is overloaded. Overloaded functions are not supported`,
    );
  return fn;
}

/** A function with its arguments told apart; those of the client get their names in GraphQL. */
export function describeFunction(
  fn: CatalogFunction,
  rowArgument: number | undefined,
  sessionArgument: number | undefined,
): TrackedFunction {
  let nameless = 0;
  const inputs = fn.arguments.flatMap((argument, position) => {
    if (position === rowArgument || position === sessionArgument) return [];
    if (argument.name === undefined) nameless += 1;
    return [{ position, field: argument.name ?? `arg_${nameless}`, argument }];
  });
  return { name: fn.name, catalog: fn, rowArgument, sessionArgument, inputs };
}

function returnType(
  fn: CatalogFunction,
  quoted: string,
  tracked: ReadonlySet<string>,
  reasons: string[],
): ComputedField['returns'] {
  if (fn.returnsTable !== undefined) {
    if (!tracked.has(tableKey(fn.returnsTable)))
      reasons.push(
        `the function ${quoted} returning set of table "${displayName(fn.returnsTable)}" is not tracked or not found in database`,
      );
    return { kind: 'table', table: fn.returnsTable };
  }
  const { returnType: type } = fn;
  if (isUnknown(type) || type.kind === 'composite' || type.kind === 'enum')
    reasons.push(`the function ${quoted} returning type ${type.name} is not a BASE type`);
  return { kind: 'scalar', type };
}

function findRowArgument(
  fn: CatalogFunction,
  name: string | undefined,
  table: QualifiedName,
  quoted: string,
  reasons: string[],
): number | undefined {
  const position = name === undefined ? 0 : fn.arguments.findIndex((argument) => argument.name === name);
  const argument = fn.arguments[position];
  if (argument === undefined) {
    reasons.push(
      name === undefined
        ? `the function ${quoted} has no input arguments`
        : `"${name}" is not an input argument of the function ${quoted}`,
    );
    return undefined;
  }
  const shown =
    name === undefined
      ? `first argument of the function ${quoted}`
      : `"${name}" argument of the function ${quoted}`;
  if (argument.type.kind !== 'composite') reasons.push(`${shown} is not COMPOSITE type`);
  if (!isRowOf(argument.type, table))
    reasons.push(
      `${shown} of type "${typeName(argument.type)}" is not the table to which the computed field is being added`,
    );
  return position;
}

function isRowOf(type: PgType, table: QualifiedName): boolean {
  return (
    type.kind === 'composite' && type.name === table.name && (type.schema ?? table.schema) === table.schema
  );
}

function typeName(type: PgType): string {
  return displayName({ schema: type.schema ?? 'pg_catalog', name: type.name });
}

function findSessionArgument(
  fn: CatalogFunction,
  name: string | undefined,
  quoted: string,
  reasons: string[],
): number | undefined {
  if (name === undefined) return undefined;
  const position = fn.arguments.findIndex((argument) => argument.name === name);
  const argument = fn.arguments[position];
  if (argument === undefined) reasons.push(`"${name}" is not an input argument of the function ${quoted}`);
  else if (!isJson(argument.type))
    reasons.push(`"${name}" argument of the function ${quoted} is not of type JSON`);
  return position;
}
