/** The operators of row filters, and the values they compare with. */

import { SESSION_PREFIX } from '#base/session.ts';
import type { Param } from '#ir/predicate.ts';
import { all, type Comparand, type ComparisonOperator, type Operand, type Predicate } from '#ir/predicate.ts';
import { Problem } from '#metadata/problem.ts';
import type { PgType } from '#postgres/catalog.ts';
import {
  arrayOf,
  BOOLEAN,
  baseType,
  FLOAT,
  hasuraTypeName,
  isGeo,
  isString,
  TEXT,
} from '#postgres/pg-type.ts';
import { readColumnValue, writeArray } from '#values/column-reader.ts';
import { isPlainObject } from '#values/json.ts';
import { ScalarError } from '#values/scalar.ts';
import type { FilterContext } from './filter-context.ts';

type Side =
  /** A value of the column's own type. */
  | 'own'
  /** A list of such values. */
  | 'list'
  /** Another column. */
  | 'column'
  | { readonly value: PgType }
  | { readonly list: PgType };

interface Rule {
  readonly operator: ComparisonOperator;
  readonly side: Side;
  /** Which types have the operator, and what the message calls them; undefined: all. */
  readonly on?: readonly [applies: (type: PgType) => boolean, called: string];
}

const ON_STRINGS = [isString, '"varchar", "text", "citext", "bpchar"'] as const;
const ON_JSONB = [(type: PgType) => type.name === 'jsonb', '"jsonb"'] as const;
const ON_LTREE = [(type: PgType) => type.name === 'ltree', '"ltree"'] as const;
const ON_GEOMETRY = [(type: PgType) => type.name === 'geometry', '"geometry"'] as const;
const ON_GEO = [isGeo, '"geometry", "geography"'] as const;
const ON_CONTAINERS = [
  (type: PgType) => type.kind === 'array' || type.name === 'jsonb',
  'an array or JSONB',
] as const;
const LTREE = baseType('ltree');
const LQUERY = baseType('lquery');
const LTXTQUERY = baseType('ltxtquery');

/** Without their `_` or `$`. */
const RULES: Readonly<Record<string, Rule>> = {
  eq: { operator: '=', side: 'own' },
  ne: { operator: '<>', side: 'own' },
  neq: { operator: '<>', side: 'own' },
  gt: { operator: '>', side: 'own' },
  lt: { operator: '<', side: 'own' },
  gte: { operator: '>=', side: 'own' },
  lte: { operator: '<=', side: 'own' },
  in: { operator: 'in', side: 'list' },
  nin: { operator: 'not in', side: 'list' },
  like: { operator: 'LIKE', side: 'own', on: ON_STRINGS },
  nlike: { operator: 'NOT LIKE', side: 'own', on: ON_STRINGS },
  ilike: { operator: 'ILIKE', side: 'own', on: ON_STRINGS },
  nilike: { operator: 'NOT ILIKE', side: 'own', on: ON_STRINGS },
  similar: { operator: 'SIMILAR TO', side: 'own', on: ON_STRINGS },
  nsimilar: { operator: 'NOT SIMILAR TO', side: 'own', on: ON_STRINGS },
  regex: { operator: '~', side: 'own', on: ON_STRINGS },
  iregex: { operator: '~*', side: 'own', on: ON_STRINGS },
  nregex: { operator: '!~', side: 'own', on: ON_STRINGS },
  niregex: { operator: '!~*', side: 'own', on: ON_STRINGS },
  ceq: { operator: '=', side: 'column' },
  cne: { operator: '<>', side: 'column' },
  cneq: { operator: '<>', side: 'column' },
  cgt: { operator: '>', side: 'column' },
  clt: { operator: '<', side: 'column' },
  cgte: { operator: '>=', side: 'column' },
  clte: { operator: '<=', side: 'column' },
  contains: { operator: '@>', side: 'own', on: ON_CONTAINERS },
  contained_in: { operator: '<@', side: 'own', on: ON_CONTAINERS },
  has_key: { operator: '?', side: { value: TEXT }, on: ON_JSONB },
  has_keys_any: { operator: '?|', side: { list: TEXT }, on: ON_JSONB },
  has_keys_all: { operator: '?&', side: { list: TEXT }, on: ON_JSONB },
  ancestor: { operator: '@>', side: 'own', on: ON_LTREE },
  ancestor_any: { operator: '@>', side: { list: LTREE }, on: ON_LTREE },
  descendant: { operator: '<@', side: 'own', on: ON_LTREE },
  descendant_any: { operator: '<@', side: { list: LTREE }, on: ON_LTREE },
  matches: { operator: '~', side: { value: LQUERY }, on: ON_LTREE },
  matches_any: { operator: '?', side: { list: LQUERY }, on: ON_LTREE },
  matches_fulltext: { operator: '@', side: { value: LTXTQUERY }, on: ON_LTREE },
  st_contains: { operator: 'ST_Contains', side: 'own', on: ON_GEOMETRY },
  st_crosses: { operator: 'ST_Crosses', side: 'own', on: ON_GEOMETRY },
  st_equals: { operator: 'ST_Equals', side: 'own', on: ON_GEOMETRY },
  st_overlaps: { operator: 'ST_Overlaps', side: 'own', on: ON_GEOMETRY },
  st_touches: { operator: 'ST_Touches', side: 'own', on: ON_GEOMETRY },
  st_within: { operator: 'ST_Within', side: 'own', on: ON_GEOMETRY },
  st_intersects: { operator: 'ST_Intersects', side: 'own', on: ON_GEO },
  st_3d_intersects: { operator: 'ST_3DIntersects', side: 'own', on: ON_GEOMETRY },
};

/** The conditions on one column or computed value. `called` is how messages name it. */
export function planColumnFilter(
  left: Operand,
  type: PgType,
  value: unknown,
  context: FilterContext,
  called: string,
): Predicate {
  if (type.name === 'json') throw new Problem('JSON column can not be part of boolean expression');
  if (!isPlainObject(value)) return compare(left, '=', readValue(value, type));
  return all(
    Object.entries(value).map(([name, operand]) => planOperator(left, type, name, operand, context, called)),
  );
}

function planOperator(
  left: Operand,
  type: PgType,
  name: string,
  value: unknown,
  context: FilterContext,
  called: string,
): Predicate {
  const bare = /^[_$]/.test(name) ? name.slice(1) : undefined;
  switch (bare) {
    case 'is_null':
      if (typeof value !== 'boolean')
        throw new Problem(`"${name}" takes true or false, not ${JSON.stringify(value)}`);
      return { kind: 'is-null', left, negated: !value };
    case 'cast':
      return planCast(left, type, value, context, called);
    case 'st_d_within':
      return planWithin(left, type, 'ST_DWithin', value);
    case 'st_3d_d_within':
      checkType(type, ON_GEOMETRY);
      return planWithin(left, type, 'ST_3DDWithin', value);
    default:
  }
  const rule = bare !== undefined && Object.hasOwn(RULES, bare) ? RULES[bare] : undefined;
  if (rule === undefined) throw new Problem(`Unknown operator: ${name}`);
  if (rule.on !== undefined) checkType(type, rule.on);
  const { operator, side } = rule;
  if (side === 'column') return compare(left, operator, readColumn(value, type, context, called));
  if (side === 'own') return compare(left, operator, readValue(value, type));
  if (side === 'list') return compare(left, operator, readList(value, type));
  return compare(left, operator, 'list' in side ? readList(value, side.list) : readValue(value, side.value));
}

function checkType(type: PgType, [applies, expected]: NonNullable<Rule['on']>): void {
  if (!applies(type))
    throw new Problem(` is of type "${type.name}"; this operator works only on columns of type ${expected}`);
}

/** A null on the right side equals a null on the left, in permissions. */
function compare(left: Operand, operator: ComparisonOperator, right: Comparand): Predicate {
  const isNull = right.kind === 'param' && right.param.from === 'value' && right.param.value === null;
  return isNull && (operator === '=' || operator === '<>')
    ? { kind: 'is-null', left, negated: operator === '<>' }
    : { kind: 'compare', left, operator, right };
}

/** The session variable a string stands for, lower-cased. */
export function sessionVariable(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const name = value.toLowerCase();
  if (name === 'req_user_id') return 'x-hasura-user-id';
  return name.startsWith(SESSION_PREFIX) ? name : undefined;
}

/** A constant or a session variable, for a place of this type. */
export function readParam(value: unknown, type: PgType): Param {
  const variable = sessionVariable(value);
  if (variable !== undefined) return { from: 'session', name: variable };
  return { from: 'value', value: value === null ? null : readColumnValue(type, value) };
}

function readValue(value: unknown, type: PgType): Comparand {
  return { kind: 'param', param: readParam(value, type), type };
}

/** A list of constants, or a session variable that holds a PostgreSQL array (`{1,2}`). */
function readList(value: unknown, element: PgType): Comparand {
  const type = arrayOf(element);
  const variable = sessionVariable(value);
  if (variable !== undefined) return { kind: 'param', param: { from: 'session', name: variable }, type };
  if (!Array.isArray(value)) throw new Problem(`expected a list, found ${JSON.stringify(value)}`);
  const items = value.map((item: unknown, index) => (item === null ? null : readItem(element, item, index)));
  return { kind: 'param', param: { from: 'value', value: writeArray(items, element) }, type };
}

function readItem(type: PgType, item: unknown, index: number): string {
  try {
    return readColumnValue(type, item);
  } catch (error) {
    throw error instanceof ScalarError ? new ScalarError(error.message, error.code, index) : error;
  }
}

/** `"other"`, `["other"]` or, for a column of the permission's own table, `["$", "other"]`. */
function readColumn(value: unknown, type: PgType, context: FilterContext, called: string): Comparand {
  const path: readonly unknown[] = Array.isArray(value) ? value : [value];
  const [first, second] = path;
  if (path.length === 0) throw new Problem('path cannot be empty');
  const isRoot = path.length === 2 && first === '$';
  if (path.length > 1 && !isRoot)
    throw new Problem('Relationship references are not supported in column comparison RHS');
  const name = isRoot ? second : first;
  if (typeof name !== 'string')
    throw new Problem('a boolean expression JSON must be either a string or an array');
  const { table } = isRoot ? context.root : context.table;
  const column = table.columnByName.get(name);
  if (column === undefined)
    throw new Problem(
      table.relationships.has(name)
        ? 'column operators can only compare postgres columns'
        : `"${name}" does not exist`,
    );
  if (column.type.name !== type.name)
    throw new Problem(
      `incompatible column types: ${called} has type "${type.name}", but "${name}" has type "${column.type.name}"`,
    );
  return { kind: 'column', column: column.name, of: isRoot ? 'root' : 'row' };
}

function planCast(
  left: Operand,
  type: PgType,
  value: unknown,
  context: FilterContext,
  called: string,
): Predicate {
  if (!isPlainObject(value)) throw new Problem('"_cast" takes an object of types');
  return all(
    Object.entries(value).map(([name, operations]) => {
      const target = baseType(hasuraTypeName(name));
      if (!canCast(type.name, target.name))
        throw new Problem(`cannot cast column of type "${type.name}" to type "${target.name}"`);
      return planColumnFilter({ kind: 'cast', of: left, type: target }, target, operations, context, called);
    }),
  );
}

function canCast(from: string, to: string): boolean {
  return (
    (from === 'geometry' && to === 'geography') ||
    (from === 'geography' && to === 'geometry') ||
    (from === 'jsonb' && to === 'text')
  );
}

function planWithin(left: Operand, type: PgType, operator: ComparisonOperator, value: unknown): Predicate {
  checkType(type, ON_GEO);
  if (!isPlainObject(value)) throw new Problem('expected an object with "distance" and "from"');
  const allowed = type.name === 'geography' ? ['distance', 'from', 'use_spheroid'] : ['distance', 'from'];
  const unknown = Object.keys(value).find((key) => !allowed.includes(key));
  if (unknown !== undefined) throw new Problem(`unknown key "${unknown}"`);
  const more = [readValue(value.distance, FLOAT)];
  if (type.name === 'geography') more.push(readValue(value.use_spheroid ?? true, BOOLEAN));
  return { kind: 'compare', left, operator, right: readValue(value.from, type), more };
}
