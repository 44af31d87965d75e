/** Functions that are root fields of their own. */

import type { TrackInput } from '#ir/draft.ts';
import { GRAPHQL_NAME, type Names, objectIdentifier } from '#ir/naming.ts';
import type { RootFunction, Table } from '#ir/tracked.ts';
import { listReasons, Problem } from '#metadata/problem.ts';
import type { FunctionMetadata } from '#metadata/types.ts';
import { displayName, tableKey } from '#postgres/catalog.ts';
import { describeFunction, singleFunction } from './computed-fields.ts';

export function trackFunction(
  metadata: FunctionMetadata,
  input: TrackInput,
  names: Names,
  tables: ReadonlyMap<string, Table>,
): RootFunction {
  const { configuration: config, function: name } = metadata;
  if (config.response !== undefined)
    throw new Problem('tables as the response of a function are not supported by the embedded engine');
  const fn = singleFunction(input.catalog, name);
  const reasons: string[] = [];
  const snakeName = objectIdentifier(name)
    .map(({ text }) => text)
    .join('_');
  if (!GRAPHQL_NAME.test(snakeName)) reasons.push('function name is not a legal GraphQL identifier');
  if (fn.variadic) reasons.push('function with "VARIADIC" parameters are not supported');
  if (fn.returnType.kind !== 'composite') reasons.push('the function does not return a "COMPOSITE" type');
  if (fn.returnsTable === undefined) reasons.push('the function does not return a table');
  if (fn.volatility !== 'volatile' && config.exposed_as === 'mutation')
    reasons.push(
      'the function was requested to be exposed as a mutation, but is not marked VOLATILE. Maybe the function was given the wrong volatility when it was defined?',
    );
  const odd = fn.arguments.flatMap(({ name: argument }) =>
    argument !== undefined && !GRAPHQL_NAME.test(argument) ? [argument] : [],
  );
  if (odd.length > 0)
    reasons.push(`the function arguments ${odd.join(',')} are not in compliance with GraphQL spec`);
  const sessionArgument = findSession(fn.arguments, config.session_argument, reasons);
  if (reasons.length > 0 || fn.returnsTable === undefined)
    throw new Problem(`the function "${displayName(name)}" cannot be tracked ${listReasons(reasons)}`);
  const returns = fn.returnsTable;
  const table = tables.get(tableKey(returns));
  if (table === undefined) throw new Problem(`table "${displayName(returns)}" is not tracked`);

  const exposedAs = config.exposed_as ?? (fn.volatility === 'volatile' ? 'mutation' : 'query');
  const roles = new Set(metadata.permissions.map(({ role }) => role));
  const inherited = new Map(input.metadata.inherited_roles.map((role) => [role.role_name, role.role_set]));
  const hasPermission = (role: string): boolean =>
    roles.has(role) || (inherited.get(role)?.some(hasPermission) ?? false);
  const base = config.custom_name ?? names.fieldCase(snakeName);
  return {
    source: input.source.name,
    function: describeFunction(fn, undefined, sessionArgument),
    returns,
    exposedAs,
    fieldName: config.custom_root_fields.function ?? base,
    aggregateFieldName:
      config.custom_root_fields.function_aggregate ??
      (config.custom_name === undefined ? names.fieldCase(`${snakeName}_aggregate`) : `${base}_aggregate`),
    argumentsTypeName: names.fieldCase(`${config.custom_name ?? snakeName}_args`),
    comment: metadata.comment ?? fn.description,
    allows: (role) =>
      role === 'admin' || hasPermission(role) || (exposedAs === 'query' && input.inferFunctionPermissions),
  };
}

function findSession(
  given: readonly { readonly name: string | undefined; readonly type: { readonly name: string } }[],
  name: string | undefined,
  reasons: string[],
): number | undefined {
  if (name === undefined) return undefined;
  const position = given.findIndex((argument) => argument.name === name);
  const argument = given[position];
  if (argument === undefined) {
    reasons.push(`given session argument "${name}" not the input argument of the function`);
    return undefined;
  }
  if (argument.type.name !== 'json') reasons.push(`given session argument "${name}" is not of type json`);
  return position;
}
