/** Tracked functions, their permissions, and computed fields. */
import { z } from 'zod';
import { type CommandContext, type Commands, command, SUCCESS } from '#api/command.ts';
import { assertNoDependents, dependentsOfField, removeDependents } from '#api/editing/dependencies.ts';
import { findSource, findTable, sameName, withSource, withTable } from '#api/editing/find.ts';
import { objectName, quoted } from '#api/editing/names.ts';
import { remoteDependentsOfField } from '#api/editing/remote-relationships.ts';
import { EngineError, prefixPath } from '#base/errors.ts';
import { nonEmptyText, object } from '#metadata/primitives.ts';
import {
  computedFieldDefinition,
  functionConfig,
  functionMetadata,
  type QualifiedName,
  qualifiedName,
} from '#metadata/types.ts';
import { isPlainObject } from '#values/json.ts';

const source = nonEmptyText.default('default');
const onFunction = { source, function: qualifiedName };

/** The old form is the function's name alone. */
const wrapped = (value: unknown) =>
  isPlainObject(value) && value.function !== undefined ? value : { function: value };

const trackArgs = z.preprocess(
  wrapped,
  object({ ...onFunction, configuration: functionConfig.optional(), comment: z.string().optional() }),
);

export const functionCommands: Commands = {
  track_function: command(trackArgs, async (args, { draft }) => {
    const entry = findSource(draft.state.metadata, args.source);
    if (entry.functions.some((one) => sameName(one.function, args.function))) {
      throw new EngineError('already-tracked', `function already tracked: ${quoted(args.function)}`);
    }
    if (entry.tables.some(({ table }) => sameName(table, args.function))) {
      throw new EngineError('not-supported', `table with name ${quoted(args.function)} already exists`);
    }
    const tracked = functionMetadata.parse({
      function: args.function,
      ...(args.configuration === undefined ? {} : { configuration: args.configuration }),
      ...(args.comment === undefined ? {} : { comment: args.comment }),
    });
    draft.invalidate([args.source]);
    await draft.change(
      withSource(draft.state.metadata, args.source, (one) => ({
        ...one,
        functions: [...one.functions, tracked],
      })),
      objectName.function(args.source, args.function),
    );
    return SUCCESS;
  }),
  untrack_function: command(z.preprocess(wrapped, object(onFunction)), async (args, context) => {
    find(context, args.source, args.function);
    await context.draft.change(
      withSource(context.draft.state.metadata, args.source, (one) => ({
        ...one,
        functions: one.functions.filter((entry) => !sameName(entry.function, args.function)),
      })),
    );
    return SUCCESS;
  }),
  set_function_customization: command(
    object({ ...onFunction, configuration: functionConfig }),
    async (args, context) => {
      find(context, args.source, args.function);
      await edit(
        context,
        args.source,
        args.function,
        objectName.function(args.source, args.function),
        (entry) => ({
          ...entry,
          configuration: args.configuration,
        }),
      );
      return SUCCESS;
    },
  ),
  create_function_permission: command(
    object({ ...onFunction, role: nonEmptyText }),
    async (args, context) => {
      const found = find(context, args.source, args.function);
      if (found.permissions.some(({ role }) => role === args.role)) {
        throw new EngineError(
          'already-exists',
          `permission of role "${args.role}" already exists for function ${quoted(args.function)} in source: "${args.source}"`,
        );
      }
      await edit(
        context,
        args.source,
        args.function,
        objectName.functionPermission(args.source, args.function, args.role),
        (entry) => ({ ...entry, permissions: [...entry.permissions, { role: args.role }] }),
      );
      return SUCCESS;
    },
  ),
  drop_function_permission: command(object({ ...onFunction, role: nonEmptyText }), async (args, context) => {
    const found = find(context, args.source, args.function);
    if (!found.permissions.some(({ role }) => role === args.role)) {
      throw new EngineError(
        'not-exists',
        `permission of role "${args.role}" does not exist for function ${quoted(args.function)} in source: "${args.source}"`,
      );
    }
    await edit(context, args.source, args.function, undefined, (entry) => ({
      ...entry,
      permissions: entry.permissions.filter(({ role }) => role !== args.role),
    }));
    return SUCCESS;
  }),
  add_computed_field: command(
    object({
      source,
      table: qualifiedName,
      name: nonEmptyText,
      definition: computedFieldDefinition,
      comment: z.string().optional(),
    }),
    async ({ source: name, table, ...field }, { draft }) => {
      const entry = within('.table', () => findTable(draft.state.metadata, name, table));
      if (
        [
          ...entry.computed_fields,
          ...entry.object_relationships,
          ...entry.array_relationships,
          ...entry.remote_relationships,
        ].some((one) => one.name === field.name)
      ) {
        throw new EngineError(
          'already-exists',
          `field with name "${field.name}" exists in table ${quoted(table)}`,
        );
      }
      draft.invalidate([name]);
      await draft.change(
        withTable(draft.state.metadata, name, table, (one) => ({
          ...one,
          computed_fields: [...one.computed_fields, field],
        })),
        objectName.computedField(name, table, field.name),
      );
      return SUCCESS;
    },
  ),
  drop_computed_field: command(
    object({ source, table: qualifiedName, name: nonEmptyText, cascade: z.boolean().default(false) }),
    async ({ source: owner, table, name, cascade }, { draft }) => {
      const entry = within('.table', () => findTable(draft.state.metadata, owner, table));
      if (!entry.computed_fields.some((one) => one.name === name)) {
        throw new EngineError('not-exists', `computed field "${name}" does not exist`, { path: '$.name' });
      }
      const in_ = findSource(draft.state.metadata, owner);
      const catalog = await draft.catalog(in_);
      const granted = entry.select_permissions.filter(({ permission }) =>
        permission.computed_fields.includes(name),
      );
      const dependents = [
        ...dependentsOfField(in_, table, name, catalog),
        ...remoteDependentsOfField(draft.state.metadata, owner, table, name),
        ...granted.map(({ role }) => ({
          text: `permission ${quoted(table).slice(1, -1)}.${role}.select in source "${owner}"`,
          table,
          remove: (metadata: typeof draft.state.metadata) => metadata,
        })),
      ];
      if (!cascade) assertNoDependents(dependents);
      await draft.change(
        withTable(removeDependents(draft.state.metadata, dependents), owner, table, (one) => ({
          ...one,
          computed_fields: one.computed_fields.filter((field) => field.name !== name),
          select_permissions: one.select_permissions.map((item) => ({
            ...item,
            permission: {
              ...item.permission,
              computed_fields: item.permission.computed_fields.filter((field) => field !== name),
            },
          })),
        })),
      );
      return SUCCESS;
    },
  ),
};

/** Errors of `find` are about one argument. */
function within<Result>(argument: string, find: () => Result): Result {
  try {
    return find();
  } catch (error) {
    throw error instanceof EngineError ? prefixPath(error, argument) : error;
  }
}

type Entry = z.output<typeof functionMetadata>;

function find({ draft }: CommandContext, source: string, name: QualifiedName): Entry {
  const found = findSource(draft.state.metadata, source).functions.find((one) =>
    sameName(one.function, name),
  );
  if (found === undefined) {
    throw new EngineError('not-exists', `function ${quoted(name)} does not exist in source: ${source}`);
  }
  return found;
}

async function edit(
  { draft }: CommandContext,
  source: string,
  name: QualifiedName,
  object: string | undefined,
  change: (entry: Entry) => Entry,
): Promise<void> {
  const next = withSource(draft.state.metadata, source, (one) => ({
    ...one,
    functions: one.functions.map((entry) => (sameName(entry.function, name) ? change(entry) : entry)),
  }));
  await draft.change(next, object);
}
