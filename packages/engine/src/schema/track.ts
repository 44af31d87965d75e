/** Metadata and catalogue put together: one source's tables and functions, as far as they fit. */

import type { EnumRows } from '#catalog/enum-rows.ts';
import { type Catalog, displayName, tableKey } from '#catalog/types.ts';
import type { Environment } from '#config.ts';
import { type Metadata, ROOT_FIELDS, type Source, type TableMetadata } from '#metadata/types.ts';
import { createAccess } from './access.ts';
import { addFields } from './fields.ts';
import { trackFunction } from './function.ts';
import { createNames, custom, GRAPHQL_NAME, type Names, objectIdentifier } from './naming.ts';
import { because, createProblems, Problem, type Problems } from './problem.ts';
import { addRemoteRelationships } from './remote-relationship.ts';
import { trackColumns } from './track-columns.ts';
import type {
  EnumTable,
  InconsistentObject,
  RootFieldKind,
  RootFunction,
  Table,
  TrackedSource,
} from './tracked.ts';

export interface TrackInput {
  readonly metadata: Metadata;
  readonly source: Source;
  readonly catalog: Catalog;
  /** For the templates of webhooks. */
  readonly env: Environment;
  /** By `tableKey`; read for the tables that are tracked as enums. */
  readonly enumRows: ReadonlyMap<string, EnumRows>;
  /** Undefined where naming conventions are turned off. */
  readonly defaultNamingConvention: string | undefined;
  /** Whoever may read the table a function returns may call it. */
  readonly inferFunctionPermissions: boolean;
}

/** A table while its parts are still being added. */
export interface TableDraft {
  readonly metadata: TableMetadata;
  readonly table: { -readonly [Key in keyof Table]: Table[Key] };
}

/** A source while what depends on other sources is still to be added. */
export interface SourceDraft {
  readonly input: TrackInput;
  readonly names: Names;
  /** By `tableKey`. */
  readonly tables: ReadonlyMap<string, TableDraft>;
  readonly problems: Problems;
}

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
      `the table "${displayName(metadata.table)}" cannot be used as an enum ${because(rows.problems)}`,
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
