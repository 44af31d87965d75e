/** Relationships between tables. */
import { z } from 'zod';
import { type CommandContext, type Commands, command, SUCCESS } from '#api/command.ts';
import { assertNoDependents, dependentsOfField, removeDependents } from '#api/editing/dependencies.ts';
import { findSource, findTable, withTable } from '#api/editing/find.ts';
import { objectName, quoted } from '#api/editing/names.ts';
import { renameField } from '#api/editing/rename.ts';
import { EngineError } from '#base/errors.ts';
import { graphqlName, nonEmptyText, object } from '#metadata/primitives.ts';
import {
  arrayUsing,
  objectUsing,
  type QualifiedName,
  qualifiedName,
  type TableMetadata,
} from '#metadata/types.ts';
import { isPlainObject } from '#values/json.ts';

const source = nonEmptyText.default('default');
const relationshipName = nonEmptyText.pipe(graphqlName);
const comment = z.string().optional();

const objectArgs = object({
  source,
  table: qualifiedName,
  name: relationshipName,
  using: objectUsing,
  comment,
});

/** Hasura says what it wants of a foreign key before it reads it. */
const strictArrayUsing = z
  .unknown()
  .superRefine((using, context) => {
    if (isPlainObject(using) && typeof using.foreign_key_constraint_on === 'string') {
      context.addIssue({ code: 'custom', message: 'Expecting object { table, columns }.' });
    }
  })
  .pipe(arrayUsing);
const arrayArgs = object({
  source,
  table: qualifiedName,
  name: relationshipName,
  using: strictArrayUsing,
  comment,
});

export const relationshipCommands: Commands = {
  create_object_relationship: command(objectArgs, async (args, { draft }) => {
    const { source: name, table, ...relationship } = args;
    assertNameIsFree(findTable(draft.state.metadata, name, table), args.name);
    await draft.change(
      withTable(draft.state.metadata, name, table, (entry) => ({
        ...entry,
        object_relationships: [...entry.object_relationships, relationship],
      })),
      objectName.relationship('object', name, table, args.name),
    );
    return SUCCESS;
  }),
  create_array_relationship: command(arrayArgs, async (args, { draft }) => {
    const { source: name, table, ...relationship } = args;
    assertNameIsFree(findTable(draft.state.metadata, name, table), args.name);
    await draft.change(
      withTable(draft.state.metadata, name, table, (entry) => ({
        ...entry,
        array_relationships: [...entry.array_relationships, relationship],
      })),
      objectName.relationship('array', name, table, args.name),
    );
    return SUCCESS;
  }),
  drop_relationship: command(
    object({ source, table: qualifiedName, relationship: nonEmptyText, cascade: z.boolean().default(false) }),
    async ({ source: name, table, relationship, cascade }, context) => {
      const { draft } = context;
      find(context, name, table, relationship);
      const entry = findSource(draft.state.metadata, name);
      const dependents = dependentsOfField(entry, table, relationship, await draft.catalog(entry));
      if (!cascade) assertNoDependents(dependents);
      const without = <Item extends { readonly name: string }>(items: Item[]) =>
        items.filter((item) => item.name !== relationship);
      await draft.change(
        withTable(removeDependents(draft.state.metadata, dependents), name, table, (one) => ({
          ...one,
          object_relationships: without(one.object_relationships),
          array_relationships: without(one.array_relationships),
        })),
      );
      return SUCCESS;
    },
  ),
  set_relationship_comment: command(
    object({ source, table: qualifiedName, relationship: nonEmptyText, comment }),
    async ({ source: name, table, relationship, comment: text }, context) => {
      find(context, name, table, relationship);
      const commented = <Item extends { name: string; comment?: string | undefined }>(items: Item[]) =>
        items.map((item) => (item.name === relationship ? { ...item, comment: text } : item));
      await context.draft.change(
        withTable(context.draft.state.metadata, name, table, (entry) => ({
          ...entry,
          object_relationships: commented(entry.object_relationships),
          array_relationships: commented(entry.array_relationships),
        })),
      );
      return SUCCESS;
    },
  ),
  rename_relationship: command(
    object({ source, table: qualifiedName, name: nonEmptyText, new_name: relationshipName }),
    async ({ source: name, table, name: old, new_name: fresh }, context) => {
      const { draft } = context;
      const entry = find(context, name, table, old);
      if (fieldNames(entry, fresh)) {
        throw new EngineError(
          'already-exists',
          `cannot rename relationship "${old}" to "${fresh}" in table ${quoted(table)} as a column/relationship with the name already exists`,
        );
      }
      const owner = findSource(draft.state.metadata, name);
      const renamed = renameField(draft.state.metadata, owner, table, old, fresh, await draft.catalog(owner));
      const change = <Item extends { name: string }>(items: Item[]) =>
        items.map((item) => (item.name === old ? { ...item, name: fresh } : item));
      await draft.change(
        withTable(renamed, name, table, (one) => ({
          ...one,
          object_relationships: change(one.object_relationships),
          array_relationships: change(one.array_relationships),
        })),
      );
      return SUCCESS;
    },
  ),
};

function fieldNames(table: TableMetadata, name: string): boolean {
  return [
    ...table.object_relationships,
    ...table.array_relationships,
    ...table.computed_fields,
    ...table.remote_relationships,
  ].some((field) => field.name === name);
}

function assertNameIsFree(table: TableMetadata, name: string): void {
  if (!fieldNames(table, name)) return;
  throw new EngineError('already-exists', `field with name "${name}" exists in table ${quoted(table.table)}`);
}

function find({ draft }: CommandContext, source: string, table: QualifiedName, name: string): TableMetadata {
  const entry = findTable(draft.state.metadata, source, table);
  if ([...entry.object_relationships, ...entry.array_relationships].some((one) => one.name === name))
    return entry;
  throw new EngineError('not-exists', `relationship "${name}" on table ${quoted(table)} does not exist`);
}
