/** How values of each PostgreSQL type are read from JSON, and the errors for those that do not fit. */

import type { PgType } from '#postgres/catalog.ts';
import { isGeo, isUnknown } from '#postgres/pg-type.ts';
import { type FloatType, floatText } from './float.ts';
import { jsonKind, readGeoJson } from './geojson.ts';
import { fixedNumber, isNumber, showNumber, toInteger, writeJson } from './number.ts';
import { type NumberLiteral, ScalarError, type ScalarReader } from './scalar.ts';

const INTEGER_BITS: Readonly<Record<string, number>> = {
  smallint: 16,
  integer: 32,
  serial: 32,
  bigint: 64,
  bigserial: 64,
};
/** Hasura's internal names, as they appear in its messages. */
const INTERNAL_NAMES: Readonly<Record<string, string>> = {
  smallint: 'PGSmallInt',
  integer: 'PGInteger',
  serial: 'PGSerial',
  bigint: 'PGBigInt',
  bigserial: 'PGBigSerial',
  real: 'PGFloat',
  float8: 'PGDouble',
};
/** What JSON kind the remaining types want, and the name the message has for it. */
const STRING_NAMES: Readonly<Record<string, string>> = {
  uuid: 'UUID',
  date: 'Day',
  timestamp: 'LocalTime',
  timestamptz: 'UTCTime',
  timetz: 'ZonedTimeOfDay',
  bpchar: 'Char',
};

function mismatch(what: string, expected: string, value: unknown): never {
  throw new ScalarError(`parsing ${what} failed, expected ${expected}, but encountered ${jsonKind(value)}`);
}

/** JSON (not null) to PostgreSQL's text form. Strings go as they are: PostgreSQL knows best. */
export function readColumnValue(type: PgType, value: unknown): string {
  if (type.name === 'json' || type.name === 'jsonb') return writeJson(value);
  if (type.name === 'raster') return readRaster(value);
  if (typeof value === 'string') return readText(type, value);
  const bits = INTEGER_BITS[type.name];
  if (bits !== undefined) return readInteger(type, value, bits);
  if (type.kind === 'array') return readArray(type, value);
  switch (type.name) {
    case 'real':
    case 'float8':
      if (!isNumber(value))
        mismatch(`Float expected for input type: ${INTERNAL_NAMES[type.name]}`, 'Number', value);
      return readFloat(type.name, value);
    case 'numeric':
      if (!isNumber(value)) mismatch('Scientific', 'Number', value);
      // The digits decide the scale that is stored: as in Hasura a whole number has one behind the point.
      return showNumber(value);
    case 'money':
      if (!isNumber(value)) mismatch('Scientific', 'Number', value);
      return fixedNumber(value, 2);
    case 'boolean':
      if (typeof value !== 'boolean') mismatch('Bool', 'Bool', value);
      return String(value);
    case 'ltree':
      throw new ScalarError(LTREE_MESSAGE);
    default:
  }
  if (isGeo(type)) return writeJson(readGeoJson(value));
  if (isUnknown(type) || type.kind !== 'base')
    throw new ScalarError(`A string is expected for type: ${type.name}`);
  return mismatch(STRING_NAMES[type.name] ?? 'Text', 'String', value);
}

/** Bytes in hexadecimal digits. */
function readRaster(value: unknown): string {
  if (typeof value !== 'string') throw new ScalarError('expecting String for raster');
  if (value.length % 2 !== 0 || /[^\da-f]/i.test(value))
    throw new ScalarError('invalid hexadecimal representation of raster well known binary format');
  return value;
}

const LTREE_MESSAGE =
  'Expecting label path: a sequence of zero or more labels separated by dots, for example L1.L2.L3';

function readText(type: PgType, value: string): string {
  if (type.name === 'ltree' && value.split('.').some((label) => label === ''))
    throw new ScalarError(LTREE_MESSAGE);
  return value;
}

function readInteger(type: PgType, value: unknown, bits: number): string {
  if (!isNumber(value))
    mismatch(`Integer expected for input type: ${INTERNAL_NAMES[type.name]}`, 'Number', value);
  const integer = toInteger(value);
  if (integer === undefined || BigInt.asIntN(bits, integer) !== integer)
    throw new ScalarError(outOfBounds(value));
  return integer.toString();
}

function readFloat(type: FloatType, value: number | NumberLiteral): string {
  const text = floatText(value, type);
  if (text === undefined)
    throw new ScalarError(
      `The value ${showNumber(value)} lies outside the bounds. Is it overflowing the float bounds?`,
    );
  return text;
}

export function outOfBounds(value: Parameters<typeof showNumber>[0]): string {
  return `The value ${showNumber(value)} lies outside the bounds or is not an integer. Maybe it is a float, or is there integer overflow?`;
}

function readArray(type: PgType, value: unknown): string {
  if (!Array.isArray(value)) return mismatch('[]', 'Array', value);
  const { element } = type;
  if (element === undefined) throw new ScalarError(`A string is expected for type: ${type.name}`);
  return writeArray(
    value.map((item) => (item === null ? null : readColumnValue(element, item))),
    element,
  );
}

/** PostgreSQL's literal of a one-dimensional array (nested arrays come as literals themselves). */
export function writeArray(items: readonly (string | null)[], element: PgType): string {
  const written = items.map((item) => {
    if (item === null) return 'null';
    if (element.kind === 'array' || /^-?\d+$/.test(item)) return item;
    return `"${item.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  });
  return `{${written.join(',')}}`;
}

/** The reader of a column's values. */
export function columnReader(type: PgType): ScalarReader {
  return { kind: 'parameter', type, read: (value) => readColumnValue(type, value) };
}
