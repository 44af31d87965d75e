/** Relationships to tables of other sources. */
import { z } from 'zod';
import { type CommandContext, type Commands, command, SUCCESS } from '#api/command.ts';
import { findTable, withTable } from '#api/editing/find.ts';
import { objectName } from '#api/editing/names.ts';
import { EngineError } from '#base/errors.ts';
import { graphqlName, nonEmptyText, object } from '#metadata/primitives.ts';
import {
  type QualifiedName,
  qualifiedName,
  remoteRelationshipDefinition,
  type TableMetadata,
} from '#metadata/types.ts';
import { tableKey } from '#postgres/catalog.ts';
import { isPlainObject } from '#values/json.ts';

const onTable = { source: nonEmptyText.default('default'), table: qualifiedName };

const definedArgs = object({
  ...onTable,
  name: nonEmptyText.pipe(graphqlName),
  definition: remoteRelationshipDefinition,
});

/** The old form, which leads to remote schemas only, has its definition beside the name. */
const anyArgs = z.preprocess((args) => {
  if (!isPlainObject(args) || args.remote_schema === undefined) return args;
  const { source, table, name, definition: _, ...definition } = args;
  return { ...(source === undefined ? {} : { source }), table, name, definition };
}, definedArgs);

async function put(
  { source, table, ...relationship }: z.output<typeof definedArgs>,
  { draft }: CommandContext,
) {
  await draft.change(
    withTable(draft.state.metadata, source, table, (entry) => ({
      ...entry,
      ...without(entry, relationship.name),
      remote_relationships: [
        ...entry.remote_relationships.filter(({ name }) => name !== relationship.name),
        relationship,
      ],
    })),
    objectName.remoteRelationship(source, table, relationship.name),
  );
  return SUCCESS;
}

function without(entry: TableMetadata, name: string): TableMetadata {
  return {
    ...entry,
    remote_relationships: entry.remote_relationships.filter((one) => one.name !== name),
    remote_schema_relationships: entry.remote_schema_relationships.filter((one) => one.name !== name),
  };
}

/** @throws {EngineError} where the table has no such relationship */
function requireOne({ draft }: CommandContext, source: string, table: QualifiedName, name: string): void {
  const entry = findTable(draft.state.metadata, source, table);
  const remote = [...entry.remote_relationships, ...entry.remote_schema_relationships];
  if (remote.some((one) => one.name === name)) return;
  const fields = [...entry.object_relationships, ...entry.array_relationships, ...entry.computed_fields];
  const isOther =
    fields.some((one) => one.name === name) ||
    draft.catalogs
      .get(source)
      ?.tables.get(tableKey(table))
      ?.columns.some((column) => column.name === name) === true;
  throw isOther
    ? new EngineError('unexpected-payload', 'expecting a remote relationship')
    : new EngineError('not-exists', `"${name}" does not exist`);
}

export const remoteRelationshipCommands: Commands = {
  // As in Hasura, what is created replaces one of the same name.
  create_remote_relationship: command(anyArgs, (args, context) => {
    findTable(context.draft.state.metadata, args.source, args.table);
    return put(args, context);
  }),
  update_remote_relationship: command(anyArgs, (args, context) => {
    requireOne(context, args.source, args.table, args.name);
    return put(args, context);
  }),
  delete_remote_relationship: command(
    object({ ...onTable, name: nonEmptyText }),
    async ({ source, table, name }, context) => {
      requireOne(context, source, table, name);
      const { draft } = context;
      await draft.change(
        withTable(draft.state.metadata, source, table, (entry) => without(entry, name)),
        objectName.remoteRelationship(source, table, name),
      );
      return SUCCESS;
    },
  ),
};
