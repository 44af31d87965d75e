/**
 * A client's input against its type. The messages and the order of the checks are Hasura's.
 */

import { hashOrder } from '#base/hash-order.ts';
import type { Arguments, Input } from '#ir/input.ts';
import { at, type Path } from '#ir/path.ts';
import type { Param } from '#ir/predicate.ts';
import type { EnumType, InputField, InputObjectType, ListRef, ScalarType, TypeRef } from '#ir/schema.ts';
import { isUsageAllowed, shownType, typeText } from '#ir/type-text.ts';
import type { PgType } from '#postgres/catalog.ts';
import { writeArray } from '#values/column-reader.ts';
import { describeRaw, isNullRaw } from '#values/describe.ts';
import { type Raw, ScalarError } from '#values/scalar.ts';
import { mentionsVariables, toJson, type Variables } from '#values/variables.ts';
import { invalid, unparsable } from './errors.ts';
import { readPlainRows } from './plain-rows.ts';

/** A raw value, and the variable it is the whole value of. */
interface Given {
  readonly raw: Raw;
  readonly variable: string | undefined;
}

const NULL: Raw = { kind: 'json', value: null };

/** The arguments of a field or directive. `path` leads to the arguments themselves. */
export function coerceFields(
  fields: ReadonlyMap<string, InputField>,
  given: ReadonlyMap<string, Raw>,
  variables: Variables,
  path: Path | undefined,
): { field: InputField; value: Input }[] {
  const values: { field: InputField; value: Input }[] = [];
  for (const field of fields.values()) {
    const raw = given.get(field.name);
    const value = coerceField(field, raw, variables, at(path, field.name));
    if (value !== undefined) values.push({ field, value });
  }
  return values;
}

export function toArguments(values: readonly { field: InputField; value: Input }[]): Arguments {
  return new Map(values.map((entry) => [entry.field.name, entry]));
}

function coerceField(
  field: InputField,
  raw: Raw | undefined,
  variables: Variables,
  path: Path | undefined,
): Input | undefined {
  if (raw === undefined) {
    if (field.default !== undefined)
      return coerce(field.type, { kind: 'json', value: field.default }, variables, path);
    if (field.optional) return undefined;
    if (field.type.nullable) return { kind: 'null', at: path };
    throw invalid(`missing required field '${field.name}'`, path);
  }
  const location = shownType(field);
  const given = peel(location, field.default !== undefined, raw, variables, path) ?? {
    raw: NULL,
    variable: undefined,
  };
  return coerceRows(field, given, variables, path) ?? coercePeeled(field.type, given, variables, path);
}

/** Rows to insert, where they are a variable and data alone; undefined for everything else. */
function coerceRows(
  { type, meaning }: InputField,
  given: Given,
  variables: Variables,
  path: Path | undefined,
): Input | undefined {
  if (meaning.kind !== 'mutation' || meaning.mutation.kind !== 'rows') return undefined;
  if (given.variable === undefined || given.raw.kind !== 'json') return undefined;
  if (type.kind !== 'list' || type.of.kind !== 'named' || type.of.type.kind !== 'input') return undefined;
  const rows = readPlainRows(type.of.type, given.raw.value, (cell, value) => {
    const input = coerce(cell, { kind: 'json', value }, variables, path);
    return input.kind === 'param' && input.param.from === 'value' ? input.param.value : null;
  });
  if (rows === undefined) return undefined;
  depend(given, variables);
  const asList = () => {
    const list = coerceList(type, given, variables, path);
    return list.kind === 'list' ? list.items : [];
  };
  return { kind: 'rows', rows, asList, at: path };
}

/** Looks through a variable, once its type is known to fit. Undefined where it has no value. */
function peel(
  location: TypeRef,
  hasDefault: boolean,
  raw: Raw,
  variables: Variables,
  path: Path | undefined,
): Given | undefined {
  if (raw.kind !== 'literal' || raw.node.kind !== 'Variable') return { raw, variable: undefined };
  const name = raw.node.name.value;
  const variable = variables.get(name);
  if (variable === undefined) throw invalid(`unbound variable "${name}"`, undefined);
  if (!isUsageAllowed(location, hasDefault, variable))
    throw invalid(
      `variable '${name}' is declared as '${variable.typeText}', but used where '${typeText(location)}' is expected`,
      path,
    );
  return variable.value === undefined ? undefined : { raw: variable.value, variable: name };
}

/** A value of a list or argument whose type is fixed. */
function coerce(type: TypeRef, raw: Raw, variables: Variables, path: Path | undefined): Input {
  const given = peel(type, false, raw, variables, path);
  if (given === undefined) {
    if (type.nullable) return { kind: 'null', at: path };
    throw invalid(
      `no variable value specified for non-nullable variable ${describeRaw(raw, variables)}`,
      path,
    );
  }
  return coercePeeled(type, given, variables, path);
}

function coercePeeled(type: TypeRef, given: Given, variables: Variables, path: Path | undefined): Input {
  if (type.nullable && isNullRaw(given.raw)) return { kind: 'null', at: path };
  if (type.kind === 'list') return coerceList(type, given, variables, path);
  switch (type.type.kind) {
    case 'scalar':
      return coerceScalar(type.type, given, variables, path);
    case 'enum':
      return coerceEnum(type.type, given, variables, path);
    case 'input':
      return coerceObject(type.type, given, variables, path);
    case 'object':
      throw new TypeError(`${type.type.name} is not an input type`);
  }
}

function coerceList(type: ListRef, given: Given, variables: Variables, path: Path | undefined): Input {
  if (isNullRaw(given.raw)) throw invalid('expected a list, but found null', path);
  if (type.array !== undefined) return coerceArray(type, type.array, given, variables, path);
  depend(given, variables);
  const items = listItems(given.raw);
  if (items === undefined)
    return { kind: 'list', items: [coerce(type.of, given.raw, variables, at(path, 0))], at: path };
  return {
    kind: 'list',
    items: items.map((item, index) => coerce(type.of, item, variables, at(path, index))),
    at: path,
  };
}

/** A list that becomes one array parameter. */
function coerceArray(
  type: ListRef,
  array: PgType,
  given: Given,
  variables: Variables,
  path: Path | undefined,
): Input {
  const { of } = type;
  if (of.kind !== 'named' || (of.type.kind !== 'scalar' && of.type.kind !== 'enum'))
    throw new TypeError('only lists of scalars are arrays');
  const leaf = of.type;
  const element = array.element ?? array;
  const write = (raw: Raw): string => {
    const items = listItems(raw) ?? [raw];
    const texts = items.map((item, index) => {
      const input = coerce(of, item, variables, at(path, index));
      return input.kind === 'param' && input.param.from === 'value' ? input.param.value : null;
    });
    return writeArray(texts, element);
  };
  if (given.variable !== undefined)
    return {
      kind: 'param',
      type: leaf,
      pgType: array,
      param: variableParam(given.variable, (value) => write({ kind: 'json', value }), given.raw, variables),
      raw: given.raw,
      at: path,
    };
  if (given.raw.kind === 'literal' && mentionsVariables(given.raw.node)) {
    const value = toJson(given.raw, variables);
    // Each item is checked against its variable's type before the values are taken together.
    for (const [index, item] of (listItems(given.raw) ?? []).entries())
      coerce(of, item, variables, at(path, index));
    return {
      kind: 'param',
      type: leaf,
      pgType: array,
      param: { from: 'value', value: write({ kind: 'json', value }) },
      raw: { kind: 'json', value },
      at: path,
    };
  }
  return {
    kind: 'param',
    type: leaf,
    pgType: array,
    param: { from: 'value', value: write(given.raw) },
    raw: given.raw,
    at: path,
  };
}

function listItems(raw: Raw): Raw[] | undefined {
  if (raw.kind === 'json')
    return Array.isArray(raw.value)
      ? raw.value.map((value: unknown): Raw => ({ kind: 'json', value }))
      : undefined;
  return raw.node.kind === 'ListValue'
    ? raw.node.values.map((node): Raw => ({ kind: 'literal', node }))
    : undefined;
}

function coerceScalar(type: ScalarType, given: Given, variables: Variables, path: Path | undefined): Input {
  const { read } = type;
  const reading = <Result>(action: (value: unknown) => Result, value: unknown): Result => {
    if (value === null && read.kind !== 'now')
      throw invalid(`unexpected null value for type '${type.name}'`, path);
    try {
      return action(value);
    } catch (error) {
      if (!(error instanceof ScalarError)) throw error;
      throw error.code === 'parse-failed' ? unparsable(error.message, path) : invalid(error.message, path);
    }
  };
  if (read.kind === 'parameter') {
    const toText = (value: unknown) => reading(read.read, value);
    const param: Param =
      given.variable === undefined
        ? { from: 'value', value: toText(toJson(given.raw, variables)) }
        : variableParam(given.variable, toText, given.raw, variables);
    return { kind: 'param', type, pgType: read.type, param, raw: given.raw, at: path };
  }
  depend(given, variables);
  if (read.kind === 'json')
    return { kind: 'value', value: reading(read.read, toJson(given.raw, variables)), at: path };
  const fallback = () => describeRaw(given.raw, variables);
  return {
    kind: 'value',
    value: reading((value) => read.read(value, given.raw, fallback), scalarJson(given.raw)),
    at: path,
  };
}

/** A scalar's JSON; kinds that no scalar takes (enum values, objects) stay apart from strings. */
function scalarJson(raw: Raw): unknown {
  if (raw.kind === 'json') return raw.value;
  const { node } = raw;
  if (node.kind === 'EnumValue' || node.kind === 'ListValue' || node.kind === 'ObjectValue') return {};
  return toJson(raw, {
    get: () => undefined,
    depend: () => undefined,
    spend: () => undefined,
    dependencies: new Set(),
  });
}

function coerceEnum(type: EnumType, given: Given, variables: Variables, path: Path | undefined): Input {
  const pick = (raw: Raw) => {
    const name =
      raw.kind === 'json'
        ? typeof raw.value === 'string'
          ? raw.value
          : undefined
        : raw.node.kind === 'EnumValue'
          ? raw.node.value
          : undefined;
    if (name === undefined)
      throw invalid(
        `expected an enum value for type '${type.name}', but found ${describeRaw(raw, variables)}`,
        path,
      );
    const value = type.values.get(name);
    if (value !== undefined) return value;
    const names = type
      .listed()
      .map((known) => `'${known}'`)
      .join(', ');
    throw invalid(`expected one of the values [${names}] for type '${type.name}', but found '${name}'`, path);
  };
  if (type.column === undefined) {
    depend(given, variables);
    return { kind: 'enum', value: pick(given.raw), at: path };
  }
  const toText = (raw: Raw) => String(pick(raw).value);
  const param: Param =
    given.variable === undefined
      ? { from: 'value', value: toText(given.raw) }
      : variableParam(given.variable, (value) => toText({ kind: 'json', value }), given.raw, variables);
  return { kind: 'param', type, pgType: type.column, param, raw: given.raw, at: path };
}

/** A variable's default is a literal of the query: it is a constant of the plan, not a parameter of requests. */
function variableParam(
  name: string,
  encode: (value: unknown) => string | null,
  raw: Raw,
  variables: Variables,
): Param {
  if (raw.kind === 'literal') return { from: 'value', value: encode(toJson(raw, variables)) };
  if (raw.value === null) return { from: 'value', value: encode(null) };
  return { from: 'variable', name, encode };
}

function coerceObject(
  type: InputObjectType,
  given: Given,
  variables: Variables,
  path: Path | undefined,
): Input {
  depend(given, variables);
  const entries = new Map<string, Raw>();
  if (given.raw.kind === 'literal' && given.raw.node.kind === 'ObjectValue') {
    for (const field of given.raw.node.fields)
      entries.set(field.name.value, { kind: 'literal', node: field.value });
  } else if (given.raw.kind === 'json' && isObject(given.raw.value)) {
    for (const [key, value] of Object.entries(given.raw.value)) {
      if (!/^[_A-Za-z][_0-9A-Za-z]*$/.test(key))
        throw invalid(
          `variable value contains object with key "${key}", which is not a legal GraphQL name`,
          path,
        );
      entries.set(key, { kind: 'json', value });
    }
  } else {
    throw invalid(
      `expected an object for type '${type.name}', but found ${describeRaw(given.raw, variables)}`,
      path,
    );
  }
  variables.spend(entries.size + 1);
  const [unknown] = hashOrder(
    [...entries.keys()].filter((key) => !type.fields.has(key)),
    (key) => key,
  );
  if (unknown !== undefined)
    throw invalid(`field '${unknown}' not found in type: '${type.name}'`, at(path, unknown));
  const order = [...entries.keys()];
  const fields = coerceFields(type.fields, entries, variables, path);
  // As written: several keys of one order_by object sort in that order.
  fields.sort((a, b) => order.indexOf(a.field.name) - order.indexOf(b.field.name));
  return { kind: 'object', type, fields, at: path };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function depend(given: Given, variables: Variables): void {
  if (given.variable !== undefined) variables.depend(given.variable);
}
