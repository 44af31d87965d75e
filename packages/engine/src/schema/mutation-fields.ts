/** The root fields that write to a table, as far as the role has permissions for them. */

import type { MutationMeaning, WriteView } from '#ir/mutation-meaning.ts';
import { INT_SCALAR } from '#ir/scalars.ts';
import type { InputField, ObjectType, OutputField, TypeRef } from '#ir/schema.ts';
import type { Column, RootFieldKind, Table } from '#ir/tracked.ts';
import {
  argumentsOf,
  type Builder,
  NO_ARGUMENTS,
  nullable,
  objectType,
  required,
  requiredList,
} from './builder.ts';
import { argument, keyField, quoted, tableInput, whereType } from './mutation-inputs.ts';
import { conflictArguments, insertInputType } from './mutation-insert.ts';
import { updateArguments } from './mutation-update.ts';
import { rootFieldDescription, rootFieldName } from './root-field.ts';
import { rowType } from './row-type.ts';

export function mutationFields(builder: Builder, table: Table): OutputField[] {
  return [...insertFields(builder, table), ...updateFields(builder, table), ...deleteFields(builder, table)];
}

/** Of a root field: its name without a naming convention, and its description before the table's name. */
interface Words {
  readonly before: string;
  readonly after?: string;
  readonly description: string;
}

function rootField(
  builder: Builder,
  table: Table,
  kind: RootFieldKind,
  write: Extract<MutationMeaning, { view: WriteView }>['kind'],
  { before, after, description }: Words,
  type: TypeRef,
  inputs: () => readonly InputField[],
): OutputField {
  let made: OutputField['arguments'] | undefined;
  return {
    name: rootFieldName(builder, table, kind, (name) =>
      builder.names.field(before, name, ...(after === undefined ? [] : [after])),
    ),
    description: rootFieldDescription(table, kind, `${description}: ${quoted(table)}`),
    get arguments() {
      made ??= argumentsOf(...inputs());
      return made;
    },
    type,
    meaning: { kind: 'mutation', mutation: { kind: write, view: { table, role: builder.role } } },
  };
}

const hidden = (builder: Builder, access: { readonly backendOnly: boolean }) =>
  access.backendOnly && !builder.backendOnly;

function insertFields(builder: Builder, table: Table): OutputField[] {
  const access = table.insertAccess(builder.role);
  if (access === undefined || hidden(builder, access) || !table.catalog.writable.insert) return [];
  const row = builder.view(table.name);
  const input = () => insertInputType(builder, table);
  const many = rootField(
    builder,
    table,
    'insert',
    'insert',
    { before: 'insert', description: 'insert data into the table' },
    nullable(responseType(builder, table)),
    () => [
      argument('objects', 'the rows to be inserted', requiredList(input()), { kind: 'rows' }),
      ...conflictArguments(builder, table),
    ],
  );
  if (row === undefined) return [many];
  const one = rootField(
    builder,
    table,
    'insert_one',
    'insert-one',
    { before: 'insert', after: 'one', description: 'insert a single row into the table' },
    nullable(rowType(builder, row)),
    () => [
      argument('object', 'the row to be inserted', required(input()), { kind: 'rows' }),
      ...conflictArguments(builder, table),
    ],
  );
  return [many, one];
}

function updateFields(builder: Builder, table: Table): OutputField[] {
  const access = table.updateAccess(builder.role);
  if (access === undefined || hidden(builder, access) || !table.catalog.writable.update) return [];
  const batch = () => [
    ...updateArguments(builder, table),
    whereArgument(builder, table, 'filter the rows which have to be updated'),
  ];
  const response = responseType(builder, table);
  const update = rootField(
    builder,
    table,
    'update',
    'update',
    { before: 'update', description: 'update data of the table' },
    nullable(response),
    batch,
  );
  const many = rootField(
    builder,
    table,
    'update_many',
    'update-many',
    { before: 'update', after: 'many', description: 'update multiples rows of table' },
    { kind: 'list', of: nullable(response), nullable: true },
    () => {
      const updates = tableInput(builder, table, 'updates', undefined, batch);
      return [
        argument('updates', 'updates to execute, in order', requiredList(updates), { kind: 'updates' }),
      ];
    },
  );
  const byKey = byKeyField(builder, table, 'update', (key) => {
    const description = `primary key columns input for table: ${table.name.name}`;
    const type = tableInput(builder, table, 'pk_columns_input', description, () => key);
    const pkColumns = argument(builder.names.field('pk_columns'), undefined, required(type), {
      kind: 'pk-columns',
    });
    return [...updateArguments(builder, table), pkColumns];
  });
  return [update, ...byKey, ...(builder.options.updateManyFields ? [many] : [])];
}

function deleteFields(builder: Builder, table: Table): OutputField[] {
  const access = table.deleteAccess(builder.role);
  // Hasura asks whether rows can be inserted into a view before it offers to delete from it.
  if (access === undefined || hidden(builder, access) || !table.catalog.writable.insert) return [];
  const many = rootField(
    builder,
    table,
    'delete',
    'delete',
    { before: 'delete', description: 'delete data from the table' },
    nullable(responseType(builder, table)),
    () => [whereArgument(builder, table, 'filter the rows which have to be deleted')],
  );
  return [many, ...byKeyField(builder, table, 'delete', (key) => key)];
}

/** `update_x_by_pk` and `delete_x_by_pk`, for a role that may read the row and all of its key. */
function byKeyField(
  builder: Builder,
  table: Table,
  write: 'update' | 'delete',
  inputs: (key: readonly InputField[]) => readonly InputField[],
): OutputField[] {
  const view = builder.view(table.name);
  const key: readonly Column[] | undefined = table.primaryKey;
  if (view === undefined || key?.every(({ name }) => view.access.columns.has(name)) !== true) return [];
  const preposition = write === 'update' ? 'of' : 'from';
  return [
    rootField(
      builder,
      table,
      `${write}_by_pk`,
      `${write}-by-pk`,
      { before: write, after: 'by_pk', description: `${write} single row ${preposition} the table` },
      nullable(rowType(builder, view)),
      () => inputs(key.map((column) => keyField(builder, column))),
    ),
  ];
}

function whereArgument(builder: Builder, table: Table, description: string): InputField {
  return argument('where', description, required(whereType(builder, table)), { kind: 'where' });
}

/** `x_mutation_response`; without `returning` for a role that may not read the table. */
function responseType(builder: Builder, table: Table): ObjectType {
  const name = builder.names.type(table.identifier, 'mutation_response');
  return builder.once(`type ${name}`, () =>
    objectType(name, `response of any mutation on the table ${quoted(table)}`, () => {
      const view = builder.view(table.name);
      const count = answer(
        builder.names.field('affected_rows'),
        'number of rows affected by the mutation',
        required(INT_SCALAR),
        { kind: 'affected-rows' },
      );
      if (view === undefined) return [count];
      const rows = requiredList(rowType(builder, view));
      return [
        count,
        answer('returning', 'data from the rows affected by the mutation', rows, { kind: 'returning' }),
      ];
    }),
  );
}

function answer(name: string, description: string, type: TypeRef, mutation: MutationMeaning): OutputField {
  return { name, description, arguments: NO_ARGUMENTS, type, meaning: { kind: 'mutation', mutation } };
}
