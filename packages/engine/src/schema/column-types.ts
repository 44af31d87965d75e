/** The types of columns: a scalar for each PostgreSQL type, and the enums of enum tables. */

import { GRAPHQL_NAME } from '#ir/naming.ts';
import type { EnumType, LeafType, ScalarType, TypeRef } from '#ir/schema.ts';
import type { Column } from '#ir/tracked.ts';
import type { PgType } from '#postgres/catalog.ts';
import { columnReader } from '#values/column-reader.ts';
import { type Builder, enumType } from './builder.ts';

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
