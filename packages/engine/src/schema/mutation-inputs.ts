/** Input types and fields that the mutations of a table share. */

import type { MutationInputMeaning } from '#ir/mutation-meaning.ts';
import { ALWAYS } from '#ir/predicate.ts';
import type { EnumType, EnumValue, InputField, InputObjectType, TypeRef } from '#ir/schema.ts';
import type { Column, SelectAccess, Table } from '#ir/tracked.ts';
import { displayName, tableKey } from '#postgres/catalog.ts';
import { boolExpType } from './bool-exp.ts';
import { type Builder, enumType, inputType, mandatory } from './builder.ts';
import { columnRef } from './column-types.ts';

/** An input type of the table's, made once; `words` name it and follow the table's name. */
export function tableInput(
  builder: Builder,
  table: Table,
  words: string,
  description: string | undefined,
  fields: () => readonly InputField[],
): InputObjectType {
  return builder.once(`${words} ${tableKey(table.name)}`, () =>
    inputType(builder.names.type(table.identifier, words), description, fields),
  );
}

export function tableEnum(
  builder: Builder,
  table: Table,
  words: string,
  description: string,
  values: readonly EnumValue[],
): EnumType {
  return builder.once(`${words} ${tableKey(table.name)}`, () =>
    enumType(builder.names.type(table.identifier, words), description, values),
  );
}

export function argument(
  name: string,
  description: string | undefined,
  type: TypeRef,
  mutation: MutationInputMeaning,
): InputField {
  return mandatory(name, type, { kind: 'mutation', mutation }, description);
}

export function optionalArgument(...parts: Parameters<typeof argument>): InputField {
  return { ...argument(...parts), optional: true };
}

/** A column in a row's input: may be left out, and null where the column may be null. */
export function valueField(builder: Builder, column: Column): InputField {
  return { ...keyField(builder, column), type: columnRef(builder, column, column.nullable), optional: true };
}

/** A column of a primary key. */
export function keyField(builder: Builder, column: Column): InputField {
  return mandatory(
    column.field,
    columnRef(builder, column, false),
    { kind: 'column', column },
    column.description,
  );
}

const NOTHING_VISIBLE: SelectAccess = {
  columns: new Map(),
  computedFields: new Map(),
  filter: ALWAYS,
  limit: undefined,
  aggregations: false,
  queryRootFields: undefined,
  subscriptionRootFields: undefined,
};

/** Conditions on what the role may read; on nothing, where it may write the table and not read it. */
export function whereType(builder: Builder, table: Table): InputObjectType {
  const view = builder.view(table.name) ?? {
    table: { ...table, relationships: new Map(), computedFields: new Map() },
    access: NOTHING_VISIBLE,
  };
  return boolExpType(builder, view);
}

/** A table's name in descriptions. */
export const quoted = (table: Table): string => `"${displayName(table.name)}"`;
