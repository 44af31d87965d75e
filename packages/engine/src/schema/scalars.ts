/** Scalar types: GraphQL's own, and one for each PostgreSQL type. */
import { BIGINT, INTEGER } from '#catalog/pg-type.ts';
import type { PgType } from '#catalog/types.ts';
import { columnReader, outOfBounds } from '#plan/column-reader.ts';
import { isNumber, toInteger } from '#plan/number.ts';
import { NumberLiteral, ScalarError, type ScalarReader } from '#plan/scalar.ts';
import { type Builder, enumType } from './builder.ts';
import { GRAPHQL_NAME } from './naming.ts';
import type { Column } from './tracked.ts';
import type { EnumType, LeafType, ScalarType, TypeRef } from './types.ts';

function scalar(name: string, read: ScalarReader): ScalarType {
  return { kind: 'scalar', name, description: undefined, array: false, read };
}

const mismatch = (expected: string, name: string, found: string) =>
  new ScalarError(`expected ${expected} for type '${name}', but found ${found}`, 'validation-failed');

export const BOOLEAN_SCALAR = scalar('Boolean', {
  kind: 'now',
  read(value, _raw, describe) {
    if (typeof value === 'boolean') return value;
    throw mismatch('a boolean', 'Boolean', describe());
  },
});

export const STRING_SCALAR = scalar('String', {
  kind: 'now',
  read(value, _raw, describe) {
    if (typeof value === 'string') return value;
    throw mismatch('a string', 'String', describe());
  },
});

export const INT_SCALAR = scalar('Int', {
  kind: 'now',
  read(value, _raw, describe) {
    if (!isWhole(value)) throw mismatch('a 32-bit integer', 'Int', describe());
    return Number(bounded(value, 32));
  },
});

/** Literals must be written without a fraction; JSON has one kind of number. */
function isWhole(value: unknown): value is number | NumberLiteral {
  return isNumber(value) && !(value instanceof NumberLiteral && /[.eE]/.test(value.text));
}

function bounded(value: number | NumberLiteral, bits: number): bigint {
  const integer = toInteger(value);
  if (integer === undefined || BigInt.asIntN(bits, integer) !== integer)
    throw new ScalarError(outOfBounds(value));
  return integer;
}

function describeValue(value: unknown): string {
  if (value instanceof NumberLiteral) return isWhole(value) ? 'an integer' : 'a float';
  if (typeof value === 'number') return 'a number';
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'boolean') return 'a boolean';
  return Array.isArray(value) ? 'a list' : 'an object';
}

/** `limit`, `batch_size`. */
export const LIMIT_SCALAR = scalar('Int', {
  kind: 'parameter',
  type: INTEGER,
  read(value) {
    if (isWhole(value)) {
      const integer = toInteger(value);
      if (integer === undefined || integer >= 0n) return bounded(value, 32).toString();
    }
    throw mismatch('a non-negative 32-bit integer', 'Int', describeValue(value));
  },
});

/** Many more than 64 bits need; a number of millions of digits takes seconds to read. */
const OFFSET_DIGITS = /^\d{1,1000}$/;

/** `offset`: 64 bits, which a client without such numbers writes as a string. */
export const OFFSET_SCALAR = scalar('Int', {
  kind: 'parameter',
  type: BIGINT,
  read(value) {
    if (isWhole(value)) return bounded(value, 64).toString();
    if (typeof value === 'string' && OFFSET_DIGITS.test(value))
      return BigInt.asIntN(64, BigInt(value)).toString();
    throw mismatch(
      'a 32-bit integer, or a 64-bit integer represented as a string',
      'Int',
      describeValue(value),
    );
  },
});

/** GraphQL's name of a PostgreSQL type; undefined where it is no valid name. */
function scalarName(type: PgType): string | undefined {
  switch (type.name) {
    case 'integer':
      return 'Int';
    case 'boolean':
      return 'Boolean';
    case 'real':
      return 'Float';
    case 'text':
    case 'varchar':
      return 'String';
    default:
  }
  if (type.kind === 'array') return type.element === undefined ? undefined : scalarName(innermost(type));
  const name = type.kind === 'composite' ? `${type.name}_scalar` : type.name;
  return GRAPHQL_NAME.test(name) ? name : undefined;
}

function innermost(type: PgType): PgType {
  return type.element === undefined ? type : innermost(type.element);
}

/** The scalar of a PostgreSQL type; an array is shown as a list of its elements' scalar. */
export function columnScalar(builder: Builder, type: PgType): ScalarType {
  return builder.once(`scalar ${type.name} ${type.sql}`, () => ({
    kind: 'scalar',
    name: scalarName(type) ?? type.name,
    description: undefined,
    array: type.kind === 'array',
    read: columnReader(type),
  }));
}

/** The type of a column's values: a scalar, or the enum of the table it references. */
export function columnType(builder: Builder, column: Column): LeafType {
  return column.enum === undefined ? columnScalar(builder, column.type) : enumTableType(builder, column);
}

function enumTableType(builder: Builder, column: Column): EnumType {
  const { enum: table } = column;
  if (table === undefined) throw new TypeError(`${column.name} references no enum table`);
  return builder.once(`enum ${table.typeName} ${column.type.sql}`, () => ({
    ...enumType(
      table.typeName,
      undefined,
      table.values
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map((value) => ({
          name: builder.names.enumValue(value.name),
          description: value.comment,
          value: value.name,
        })),
    ),
    column: column.type,
  }));
}

/** `nullable` says what a client may leave null, on the way in or out. */
export function columnRef(builder: Builder, column: Column, isNullable: boolean): TypeRef {
  return { kind: 'named', type: columnType(builder, column), nullable: isNullable };
}
