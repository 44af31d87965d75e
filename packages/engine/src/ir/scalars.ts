/** GraphQL's own scalars, as Hasura reads them. */
import { BIGINT, INTEGER } from '#postgres/pg-type.ts';
import { outOfBounds } from '#values/column-reader.ts';
import { isNumber, toInteger } from '#values/number.ts';
import { NumberLiteral, ScalarError, type ScalarReader } from '#values/scalar.ts';
import type { ScalarType } from './schema.ts';

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
