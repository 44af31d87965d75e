/** Metadata and catalogue put together: one source's tables and functions, as far as they fit. */

import type { SourceDraft, TableDraft, TrackInput } from '#ir/draft.ts';
import { createNames, custom, GRAPHQL_NAME, type Names, objectIdentifier } from '#ir/naming.ts';
import type { EnumTable, RootFieldKind, RootFunction, Table, TrackedSource } from '#ir/tracked.ts';
import type { InconsistentObject } from '#metadata/problem.ts';
import { createProblems, listReasons, Problem, type Problems } from '#metadata/problem.ts';
import { ROOT_FIELDS, type TableMetadata } from '#metadata/types.ts';
import { createAccess } from '#permissions/access.ts';
import { displayName, tableKey } from '#postgres/catalog.ts';
import { trackColumns } from './columns.ts';
import { addFields } from './fields.ts';
import { trackFunction } from './functions.ts';
import { addRemoteRelationships } from './remote-relationships.ts';

export interface Tracked {
  readonly sources: readonly TrackedSource[];
  readonly inconsistencies: readonly InconsistentObject[];
}

/** In three steps, for permissions may look into other sources, and relationships between sources at both. */
export function trackSources(inputs: readonly TrackInput[]): Tracked {
  const drafts = new Map(inputs.map((input) => [input.source.name, draftSource(input)]));
  for (const draft of drafts.values()) addRemoteRelationships(draft, drafts);
  const sources = [...drafts.values()].map((draft) => completeSource(draft, drafts));
  return { sources, inconsistencies: [...drafts.values()].flatMap(({ problems }) => problems.list) };
}

/** The tables with what concerns this source alone. */
function draftSource(input: TrackInput): SourceDraft {
  const { source, catalog } = input;
  const problems = createProblems();
  const names = createNames(source.customization, input.defaultNamingConvention);
  const enums = new Map<string, EnumTable>();
  const drafts = new Map<string, TableDraft>();
  for (const metadata of source.tables) {
    const key = tableKey(metadata.table);
    const name = `table ${displayName(metadata.table)} in source ${source.name}`;
    problems.attempt({ type: 'table', name, definition: metadata.table }, () => {
      if (!catalog.tables.has(key))
        throw new Problem(`no such table/view exists in source: "${displayName(metadata.table)}"`);
      if (metadata.logical_model !== undefined)
        throw new Problem('logical models are not supported by the embedded engine');
      const draft = draftTable(metadata, input, names);
      if (metadata.is_enum) enums.set(key, enumTable(draft, input, names));
      drafts.set(key, draft);
    });
  }
  for (const draft of drafts.values()) trackColumns(draft, enums, names);
  for (const draft of drafts.values()) addFields(draft, drafts, source.name, catalog, problems);
  return { input, names, tables: drafts, problems };
}

/** Permissions and functions. */
function completeSource(draft: SourceDraft, sources: ReadonlyMap<string, SourceDraft>): TrackedSource {
  const { input, names, problems } = draft;
  const access = createAccess(draft, sources);
  for (const table of draft.tables.values()) access.apply(table);
  const tables = new Map(Array.from(draft.tables, ([key, { table }]) => [key, table]));
  const functions = trackFunctions(input, names, tables, problems);
  return { name: input.source.name, names, tables, functions };
}

function draftTable(metadata: TableMetadata, { source, catalog }: TrackInput, names: Names): TableDraft {
  const { configuration: config } = metadata;
  const entry = catalog.tables.get(tableKey(metadata.table));
  if (entry === undefined) throw new Problem('no such table');
  const identifier =
    config.custom_name === undefined ? objectIdentifier(metadata.table) : custom(config.custom_name);
  const comment =
    config.comment ?? entry.description ?? `columns and relationships of "${displayName(metadata.table)}"`;
  const rootFields = new Map<RootFieldKind, { name: string | undefined; comment: string | undefined }>();
  for (const kind of ROOT_FIELDS) {
    const field = config.custom_root_fields[kind];
    if (field !== undefined) rootFields.set(kind, { name: field.name, comment: field.comment });
  }
  return {
    metadata,
    table: {
      source: source.name,
      name: metadata.table,
      catalog: entry,
      identifier,
      inGraphql: GRAPHQL_NAME.test(names.plainType(identifier)),
      description: comment === '' ? undefined : comment,
      columns: [],
      columnByName: new Map(),
      columnByField: new Map(),
      primaryKey: undefined,
      relationships: new Map(),
      computedFields: new Map(),
      remoteRelationships: new Map(),
      enumValues: undefined,
      rootFields,
      selectAccess: () => undefined,
      insertAccess: () => undefined,
      updateAccess: () => undefined,
      deleteAccess: () => undefined,
    },
  };
}

function enumTable({ metadata, table }: TableDraft, input: TrackInput, names: Names): EnumTable {
  const rows = input.enumRows.get(tableKey(metadata.table)) ?? { problems: ['its rows were not read'] };
  if ('problems' in rows)
    throw new Problem(
      `the table "${displayName(metadata.table)}" cannot be used as an enum ${listReasons(rows.problems)}`,
    );
  const { custom_name: customName } = metadata.configuration;
  const identifier = customName === undefined ? objectIdentifier(metadata.table) : custom(customName);
  const values: EnumTable = {
    table: metadata.table,
    typeName: names.type(identifier, 'enum'),
    values: rows.values,
  };
  table.enumValues = values;
  return values;
}

function trackFunctions(
  input: TrackInput,
  names: Names,
  tables: ReadonlyMap<string, Table>,
  problems: Problems,
): RootFunction[] {
  return input.source.functions.flatMap((metadata) => {
    const name = displayName(metadata.function);
    const object = {
      type: 'function',
      name: `function ${name} in source ${input.source.name}`,
      definition: metadata.function,
      context: `in function "${name}": `,
    };
    return problems.attempt(object, () => trackFunction(metadata, input, names, tables)) ?? [];
  });
}
