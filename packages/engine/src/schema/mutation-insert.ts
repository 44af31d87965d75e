/** Input types of inserts: rows, nested rows, and what to do on conflict. */

import type { WriteView } from '#ir/mutation-meaning.ts';
import { GRAPHQL_NAME } from '#ir/naming.ts';
import type { EnumType, InputField, InputObjectType } from '#ir/schema.ts';
import type { Column, Relationship, Table } from '#ir/tracked.ts';
import type { UniqueConstraint } from '#postgres/catalog.ts';
import { type Builder, nullable, required, requiredList } from './builder.ts';
import {
  argument,
  optionalArgument,
  quoted,
  tableEnum,
  tableInput,
  valueField,
  whereType,
} from './mutation-inputs.ts';

/** Whether a client may give it a value at all; permissions come on top. */
const isWritable = ({ identity, generated }: Column) => identity !== 'always' && !generated;

export function insertInputType(builder: Builder, table: Table): InputObjectType {
  const description = `input type for inserting data into table ${quoted(table)}`;
  return tableInput(builder, table, 'insert_input', description, () => {
    const access = table.insertAccess(builder.role);
    const columns = table.columns
      .filter((column) => isWritable(column) && access?.columns.has(column.name) === true)
      .map((column) => valueField(builder, column));
    const related = [...table.relationships.values()].flatMap((relationship) =>
      relatedField(builder, relationship),
    );
    return [...columns, ...related];
  });
}

function relatedField(builder: Builder, relationship: Relationship): readonly InputField[] {
  const table = builder.table(relationship.target);
  if (!table.inGraphql || table.insertAccess(builder.role) === undefined) return [];
  const view: WriteView = { table, role: builder.role };
  const type =
    relationship.kind === 'object' ? objectInputType(builder, table) : arrayInputType(builder, table);
  return [
    optionalArgument(relationship.name, undefined, nullable(type), {
      kind: 'related-insert',
      relationship,
      view,
    }),
  ];
}

function objectInputType(builder: Builder, table: Table): InputObjectType {
  const description = `input type for inserting object relation for remote table ${quoted(table)}`;
  return tableInput(builder, table, 'obj_rel_insert_input', description, () => [
    argument('data', undefined, required(insertInputType(builder, table)), { kind: 'rows' }),
    ...conflictArguments(builder, table),
  ]);
}

function arrayInputType(builder: Builder, table: Table): InputObjectType {
  const description = `input type for inserting array relation for remote table ${quoted(table)}`;
  return tableInput(builder, table, 'arr_rel_insert_input', description, () => [
    argument('data', undefined, requiredList(insertInputType(builder, table)), { kind: 'rows' }),
    ...conflictArguments(builder, table),
  ]);
}

/** `on_conflict`, where the table has something to be in conflict with. */
export function conflictArguments(builder: Builder, table: Table): readonly InputField[] {
  if (nameableConstraints(table).length === 0) return [];
  const description = `on_conflict condition type for table ${quoted(table)}`;
  const type = tableInput(builder, table, 'on_conflict', description, () => [
    argument('constraint', undefined, required(constraintType(builder, table)), { kind: 'constraint' }),
    {
      ...argument(
        builder.names.field('update_columns'),
        undefined,
        requiredList(updateColumnType(builder, table)),
        { kind: 'update-columns' },
      ),
      default: [],
    },
    optionalArgument('where', undefined, required(whereType(builder, table)), { kind: 'where' }),
  ]);
  const name = builder.names.field('on_conflict');
  return [optionalArgument(name, 'upsert condition', required(type), { kind: 'on-conflict' })];
}

/** Those whose names GraphQL can hold; what is in conflict with another cannot be told in a request. */
function nameableConstraints({ catalog }: Table): readonly UniqueConstraint[] {
  const { primaryKey, uniqueConstraints } = catalog;
  const all = primaryKey === undefined ? uniqueConstraints : [primaryKey, ...uniqueConstraints];
  return all.filter(({ name }) => GRAPHQL_NAME.test(name));
}

function constraintType(builder: Builder, table: Table): EnumType {
  const values = nameableConstraints(table).map(({ name, columns }) => ({
    name,
    description: `unique or primary key constraint on columns ${columns.map((column) => `"${column}"`).join(', ')}`,
    value: name,
  }));
  const description = `unique or primary key constraints on table ${quoted(table)}`;
  return tableEnum(builder, table, 'constraint', description, values);
}

/** A role without updatable columns has a placeholder, so that DO NOTHING can still be asked for. */
function updateColumnType(builder: Builder, table: Table): EnumType {
  const columns = updatableColumns(builder, table);
  if (columns.length > 0) {
    const values = columns.map(({ field, name }) => ({
      name: field,
      description: 'column name',
      value: name,
    }));
    return tableEnum(builder, table, 'update_column', `update columns of table ${quoted(table)}`, values);
  }
  const description = `placeholder for update columns of table ${quoted(table)} (current role has no relevant permissions)`;
  return tableEnum(builder, table, 'update_column', description, [
    { name: '_PLACEHOLDER', description: 'placeholder (do not use)', value: undefined },
  ]);
}

export function updatableColumns(builder: Builder, table: Table): readonly Column[] {
  const access = table.updateAccess(builder.role);
  return table.columns.filter((column) => isWritable(column) && access?.columns.has(column.name) === true);
}
