/** Tracking tables and views, and what they are called. */
import { z } from 'zod';
import { type CommandContext, type Commands, command, SUCCESS } from '#api/command.ts';
import { assertNoDependents, dependentsOfTable, removeDependents } from '#api/editing/dependencies.ts';
import { findSource, findTable, sameName, withSource, withTable } from '#api/editing/find.ts';
import { objectName, quoted } from '#api/editing/names.ts';
import { remoteDependentsOfTable } from '#api/editing/remote-relationships.ts';
import { EngineError } from '#base/errors.ts';
import { nonEmptyText, object, unsupported } from '#metadata/primitives.ts';
import {
  type QualifiedName,
  qualifiedName,
  type TableConfig,
  tableConfig,
  tableMetadata,
} from '#metadata/types.ts';
import { displayName } from '#postgres/catalog.ts';
import { isPlainObject } from '#values/json.ts';

const source = nonEmptyText.default('default');
const onTable = { source, table: qualifiedName };

const trackArgs = object({
  ...onTable,
  /** Sent along by old requests; as in Hasura only a schema inside `table` counts. */
  schema: z.string().optional(),
  is_enum: z.boolean().default(false),
  configuration: tableConfig.optional(),
  apollo_federation_config: unsupported('Apollo Federation settings'),
  logical_model: unsupported('logical models'),
});

/** The old form is the table's name alone. */
const trackAny = z.preprocess(
  (value) => (isPlainObject(value) && value.table !== undefined ? value : { table: value }),
  trackArgs,
);

/** `identifier` is what older consoles send along; Hasura has no use for it either. */
function withoutIdentifier(args: unknown): unknown {
  if (!isPlainObject(args) || !isPlainObject(args.configuration)) return args;
  const { identifier: _, ...configuration } = args.configuration;
  return { ...args, configuration };
}

const untrackArgs = object({ ...onTable, cascade: z.boolean().default(false) });

async function track(args: z.output<typeof trackArgs>, { draft }: CommandContext) {
  const { metadata } = draft.state;
  const entry = findSource(metadata, args.source);
  if (entry.tables.some(({ table }) => sameName(table, args.table))) {
    throw new EngineError('already-tracked', `view/table already tracked: ${quoted(args.table)}`);
  }
  if (entry.functions.some((one) => sameName(one.function, args.table))) {
    throw new EngineError('not-supported', `function with name ${quoted(args.table)} already exists`);
  }
  const table = tableMetadata.parse({
    table: args.table,
    is_enum: args.is_enum,
    ...(args.configuration === undefined ? {} : { configuration: args.configuration }),
  });
  draft.invalidate([args.source]);
  await draft.change(
    withSource(metadata, args.source, (one) => ({ ...one, tables: [...one.tables, table] })),
    objectName.table(args.source, args.table),
  );
  return SUCCESS;
}

async function untrack(
  { source: name, table, cascade }: z.output<typeof untrackArgs>,
  { draft }: CommandContext,
) {
  const { metadata } = draft.state;
  const entry = findSource(metadata, name);
  if (!entry.tables.some((one) => sameName(one.table, table))) {
    throw new EngineError('already-untracked', `view/table already untracked: ${quoted(table)}`);
  }
  const dependents = [
    ...dependentsOfTable(entry, table, await draft.catalog(entry)),
    ...remoteDependentsOfTable(metadata, name, table),
  ];
  if (!cascade) assertNoDependents(dependents);
  await draft.change(
    withSource(removeDependents(metadata, dependents), name, (one) => ({
      ...one,
      tables: one.tables.filter((candidate) => !sameName(candidate.table, table)),
    })),
  );
  return SUCCESS;
}

async function customize(
  { draft }: CommandContext,
  name: string,
  table: QualifiedName,
  configuration: TableConfig,
) {
  const { metadata } = draft.state;
  findTable(metadata, name, table);
  await draft.change(
    withTable(metadata, name, table, (entry) => ({ ...entry, configuration })),
    objectName.table(name, table),
  );
  return SUCCESS;
}

/** Runs one command per item; those that fail become warnings unless all of them do. */
async function many<Item extends { readonly source: string; readonly table: QualifiedName }>(
  { tables: items, allow_warnings: allowWarnings }: { tables: readonly Item[]; allow_warnings: boolean },
  verb: 'track' | 'untrack',
  run: (item: Item) => Promise<unknown>,
) {
  const names = items.map(({ source: of, table }) => `${of}.${displayName(table)}`);
  const twice = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].sort();
  if (twice.length > 0) {
    const message = `The following tables occur more than once in the request: ${twice.join(', ')}`;
    throw new EngineError('bad-request', message, { path: '$.tables' });
  }
  const warnings: unknown[] = [];
  for (const item of items) {
    try {
      await run(item);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const { name, schema } = item.table;
      warnings.push({
        code: `${verb}-table-failed`,
        message: error.message,
        name: objectName.table(item.source, item.table),
        type: 'table',
        definition: { name, schema },
      });
    }
  }
  if (warnings.length === items.length) {
    throw new EngineError('invalid-configuration', `all tables failed to ${verb}`, { internal: warnings });
  }
  if (warnings.length > 0 && !allowWarnings) {
    const message = 'failed due to metadata warnings';
    throw new EngineError('metadata-warnings', message, { internal: warnings });
  }
  return warnings.length === 0 ? SUCCESS : { ...SUCCESS, warnings };
}

/** Under the prefix `pg_`; bare in the old query API. */
export const tableCommands: Commands = {
  track_table: command(trackAny, track),
  add_existing_table_or_view: command(trackAny, track),
  track_tables: command(
    object({ tables: z.array(trackArgs), allow_warnings: z.boolean().default(true) }),
    (args, context) => many(args, 'track', (item) => track(item, context)),
  ),
  untrack_table: command(untrackArgs, untrack),
  untrack_tables: command(
    object({ tables: z.array(untrackArgs), allow_warnings: z.boolean().default(true) }),
    (args, context) => many(args, 'untrack', (item) => untrack(item, context)),
  ),
  set_table_is_enum: command(object({ ...onTable, is_enum: z.boolean() }), async (args, { draft }) => {
    findTable(draft.state.metadata, args.source, args.table);
    await draft.change(
      withTable(draft.state.metadata, args.source, args.table, (entry) => ({
        ...entry,
        is_enum: args.is_enum,
      })),
      objectName.table(args.source, args.table),
    );
    return SUCCESS;
  }),
  set_table_customization: command(
    z.preprocess(withoutIdentifier, object({ ...onTable, configuration: tableConfig })),
    (args, context) => customize(context, args.source, args.table, args.configuration),
  ),
  set_table_custom_fields: command(
    object({
      ...onTable,
      custom_root_fields: z.unknown().optional(),
      custom_column_names: z.unknown().optional(),
    }),
    (args, context) =>
      customize(
        context,
        args.source,
        args.table,
        tableConfig.parse({
          custom_root_fields: args.custom_root_fields,
          custom_column_names: args.custom_column_names,
        }),
      ),
  ),
};
