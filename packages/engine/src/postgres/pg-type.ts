/** PostgreSQL's types by the names Hasura gives them, and what Hasura knows of each. */
import type { PgType } from './catalog.ts';

/** `pg_type.typname` (and the SQL standard's spellings) to Hasura's name, where they differ or are known. */
const KNOWN: Readonly<Record<string, string>> = {
  int2: 'smallint',
  smallint: 'smallint',
  int4: 'integer',
  int: 'integer',
  integer: 'integer',
  int8: 'bigint',
  bigint: 'bigint',
  serial: 'serial',
  bigserial: 'bigserial',
  float4: 'real',
  real: 'real',
  float8: 'float8',
  'double precision': 'float8',
  numeric: 'numeric',
  decimal: 'numeric',
  money: 'money',
  bool: 'boolean',
  boolean: 'boolean',
  bpchar: 'bpchar',
  char: 'bpchar',
  character: 'bpchar',
  varchar: 'varchar',
  'character varying': 'varchar',
  text: 'text',
  citext: 'citext',
  date: 'date',
  timestamp: 'timestamp',
  'timestamp without time zone': 'timestamp',
  timestamptz: 'timestamptz',
  'timestamp with time zone': 'timestamptz',
  timetz: 'timetz',
  'time with time zone': 'timetz',
  json: 'json',
  jsonb: 'jsonb',
  geometry: 'geometry',
  geography: 'geography',
  raster: 'raster',
  uuid: 'uuid',
  ltree: 'ltree',
  lquery: 'lquery',
  ltxtquery: 'ltxtquery',
};

const HASURA_NAMES: ReadonlySet<string> = new Set(Object.values(KNOWN));

/** Hasura's name of a type that PostgreSQL calls `typname`. */
export function hasuraTypeName(typname: string): string {
  return Object.hasOwn(KNOWN, typname) ? (KNOWN[typname] ?? typname) : typname;
}

/** A base type that Hasura knows, by Hasura's name. */
export function baseType(name: string): PgType {
  return { name, sql: name, kind: 'base' };
}

export function arrayOf(element: PgType): PgType {
  return { name: `${element.name}[]`, sql: `${element.sql}[]`, kind: 'array', element };
}

export const TEXT = baseType('text');
export const INTEGER = baseType('integer');
export const BIGINT = baseType('bigint');
export const BOOLEAN = baseType('boolean');
export const FLOAT = baseType('real');
export const DOUBLE = baseType('float8');

/** Whether Hasura has no name of its own for it: its values are strings, and nothing else is known. */
export function isUnknown(type: PgType): boolean {
  return type.kind === 'base' && !HASURA_NAMES.has(type.name);
}

const NUMERIC: ReadonlySet<string> = new Set([
  'integer',
  'smallint',
  'bigint',
  'real',
  'float8',
  'numeric',
  'money',
]);
const INCOMPARABLE: ReadonlySet<string> = new Set(['json', 'jsonb', 'geometry', 'geography', 'boolean']);
const BIG: ReadonlySet<string> = new Set(['bigint', 'bigserial', 'numeric', 'float8', 'money']);
const STRINGS: ReadonlySet<string> = new Set(['varchar', 'text', 'citext', 'bpchar']);

/** Has `sum`, `avg` and the like. */
export const isNumeric = (type: PgType): boolean => NUMERIC.has(type.name);
/** Has `min` and `max`. */
export const isComparable = (type: PgType): boolean => !INCOMPARABLE.has(type.name) && !isUnknown(type);
/** A JavaScript number cannot hold it exactly: written as a string where that is asked for. */
export const isBigNumber = (type: PgType): boolean => BIG.has(type.name);
export const isString = (type: PgType): boolean => STRINGS.has(type.name);
export const isJson = (type: PgType): boolean => type.name === 'json' || type.name === 'jsonb';
export const isGeo = (type: PgType): boolean => type.name === 'geometry' || type.name === 'geography';
