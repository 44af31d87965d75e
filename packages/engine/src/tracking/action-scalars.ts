/** The scalars of actions: values are checked and handed on as JSON, never put into SQL. */

import { BOOLEAN_SCALAR, INT_SCALAR, STRING_SCALAR } from '#ir/scalars.ts';
import type { ScalarType } from '#ir/schema.ts';
import { baseType } from '#postgres/pg-type.ts';
import { columnReader } from '#values/column-reader.ts';
import { NumberLiteral, ScalarError, type ScalarReader } from '#values/scalar.ts';

function scalar(name: string, description: string | undefined, read: ScalarReader): ScalarType {
  return { kind: 'scalar', name, description, array: false, read };
}

const mismatch = (expected: string, name: string, found: string) =>
  new ScalarError(`expected ${expected} for type '${name}', but found ${found}`, 'validation-failed');

const FLOAT_SCALAR = scalar('Float', undefined, {
  kind: 'now',
  read(value, _raw, describe) {
    if (typeof value === 'number' || value instanceof NumberLiteral) return value;
    throw mismatch('a float', 'Float', describe());
  },
});

const ID_SCALAR = scalar('ID', undefined, {
  kind: 'now',
  read(value, _raw, describe) {
    if (typeof value === 'string') return value;
    const text = value instanceof NumberLiteral ? value.text : typeof value === 'number' ? String(value) : '';
    if (/^-?\d+$/.test(text)) return text;
    throw mismatch('a string or a 32-bit integer', 'ID', describe());
  },
});

const BUILT_IN: ReadonlyMap<string, ScalarType> = new Map(
  [BOOLEAN_SCALAR, STRING_SCALAR, INT_SCALAR, FLOAT_SCALAR, ID_SCALAR].map((type) => [type.name, type]),
);

export function builtInScalar(name: string): ScalarType | undefined {
  return BUILT_IN.get(name);
}

export function isBuiltInScalar(name: string): boolean {
  return BUILT_IN.has(name);
}

/** One that the metadata define: any JSON. */
export function customScalar(name: string, description: string | undefined): ScalarType {
  return scalar(name, description, { kind: 'json', read: (value) => value });
}

export const UUID_SCALAR: ScalarType = scalar('uuid', undefined, {
  kind: 'now',
  read(value) {
    if (typeof value === 'string' && /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i.test(value))
      return value;
    throw new ScalarError('invalid UUID');
  },
});

/** Hasura takes every base type of the database; these are used without a database. */
const POSTGRES_NAMES: ReadonlySet<string> = new Set([
  ...['smallint', 'integer', 'bigint', 'serial', 'bigserial', 'numeric', 'real', 'float8', 'money', 'oid'],
  ...[
    'text',
    'varchar',
    'bpchar',
    'char',
    'name',
    'citext',
    'bytea',
    'boolean',
    'uuid',
    'json',
    'jsonb',
    'xml',
  ],
  ...[
    'date',
    'time',
    'timetz',
    'timestamp',
    'timestamptz',
    'interval',
    'inet',
    'cidr',
    'macaddr',
    'macaddr8',
  ],
  ...['point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle', 'bit', 'varbit', 'tsvector', 'tsquery'],
  ...['ltree', 'lquery', 'ltxtquery', 'geometry', 'geography', 'raster'],
]);

/** PostgreSQL's, where an action uses its name: the value must be one, but stays JSON. */
export function postgresScalar(name: string): ScalarType | undefined {
  if (name === UUID_SCALAR.name) return UUID_SCALAR;
  if (!POSTGRES_NAMES.has(name)) return undefined;
  const reader = columnReader(baseType(name));
  return scalar(name, undefined, {
    kind: 'json',
    read(value) {
      if (reader.kind === 'parameter') reader.read(value);
      return value;
    },
  });
}
