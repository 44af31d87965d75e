/** The metadata as a whole: export, replace, reload, clear, what is inconsistent, and the CLI's state. */
import type { Pool } from 'pg';
import { z } from 'zod';
import { type CommandContext, type Commands, command, SUCCESS } from '#api/command.ts';
import { dropInconsistent } from '#api/editing/drop-inconsistent.ts';
import { EngineError } from '#base/errors.ts';
import { removeEventLog } from '#events/event-install.ts';
import { exportMetadata } from '#metadata/export.ts';
import { parseMetadata } from '#metadata/parse.ts';
import { json, object } from '#metadata/primitives.ts';
import type { InconsistentObject } from '#metadata/problem.ts';
import { EMPTY_METADATA, type Metadata, type Source } from '#metadata/types.ts';
import { isPlainObject } from '#values/json.ts';

const anything = z.unknown();

/** `replace_metadata` takes metadata alone, or beside its options. */
const replaceArgs = z.unknown().transform((value) => {
  const options =
    isPlainObject(value) && value.metadata !== undefined
      ? { metadata: value.metadata, allow: value.allow_inconsistent_metadata === true, wrapped: true }
      : { metadata: value, allow: false, wrapped: false };
  return options;
});

export const metadataCommands: Commands = {
  export_metadata: command(anything, (_, { draft }) => exportMetadata(draft.state.metadata)),
  replace_metadata: {
    prepare(args, at) {
      const { metadata, allow, wrapped } = replaceArgs.parse(args);
      const path = wrapped ? [...at, 'metadata'] : at;
      const legacy =
        isPlainObject(metadata) && (metadata.version ?? 1) !== 3 && metadata.sources === undefined;
      const next = legacy ? undefined : parseMetadata(metadata, path);
      return async (context) => {
        const target = next ?? fromLegacy(metadata, context, wrapped ? ['metadata'] : []);
        const inconsistencies = await replace(target, allow, context);
        return wrapped ? describe(inconsistencies) : SUCCESS;
      };
    },
  },
  clear_metadata: command(anything, async (_, context) => {
    const source = context.draft.state.metadata.sources.find(({ name }) => name === 'default');
    const sources = source === undefined ? [] : [{ ...source, tables: [], functions: [], customization: {} }];
    const before = context.draft.state.sources;
    await replace({ ...EMPTY_METADATA, sources }, false, context);
    await Promise.all(before.map(({ pool }) => forgetEvents(pool, context)));
    return SUCCESS;
  }),
  reload_metadata: command(
    object({
      reload_sources: z.union([z.boolean(), z.array(z.string())]).default(true),
      reload_remote_schemas: anything.optional(),
      recreate_event_triggers: z.union([z.boolean(), z.array(z.string())]).default(false),
      reload_data_connectors: anything.optional(),
    }),
    async ({ reload_sources: sources, recreate_event_triggers: recreate }, { draft }) => {
      for (const name of [sources, recreate].flatMap((listed) => (Array.isArray(listed) ? listed : []))) {
        if (!draft.state.metadata.sources.some((source) => source.name === name))
          throw new EngineError('not-exists', `Source with name "${name}" not found in metadata`);
      }
      if (sources !== false) draft.invalidate(sources === true ? undefined : sources);
      const inconsistencies = await draft.replace(draft.state.metadata);
      return inconsistencies.length === 0
        ? { ...SUCCESS, is_consistent: true }
        : { ...SUCCESS, is_consistent: false, inconsistent_objects: inconsistencies };
    },
  ),
  get_inconsistent_metadata: command(anything, (_, { draft }) => describe(draft.state.inconsistencies)),
  drop_inconsistent_metadata: command(anything, async (_, { draft }) => {
    // What is dropped may leave others inconsistent that depended on it.
    for (let round = 0; round < 10 && draft.state.inconsistencies.length > 0; round += 1) {
      await draft.replace(dropInconsistent(draft.state.metadata, draft.state.inconsistencies));
    }
    if (draft.state.inconsistencies.length > 0) throw inconsistent(draft.state.inconsistencies);
    return SUCCESS;
  }),
  get_catalog_state: command(anything, (_, { store }) => store.catalogState()),
  set_catalog_state: command(
    object({ type: z.enum(['cli', 'console']), state: json }),
    async ({ type, state }, { store }) => {
      await store.setCatalogState(type, state);
      return SUCCESS;
    },
  ),
  dump_internal_state: command(anything, (_, { draft }) => describe(draft.state.inconsistencies)),
};

/** The metadata is cleared all the same where a database does not answer. */
async function forgetEvents(pool: Pool, { log }: CommandContext): Promise<void> {
  await removeEventLog(pool).catch((error: unknown) => log.warn('event-trigger', { error: String(error) }));
}

/** `export_metadata`, version 2. */
export function exportVersioned({ draft }: CommandContext) {
  return { resource_version: draft.state.resourceVersion, metadata: exportMetadata(draft.state.metadata) };
}

async function replace(
  metadata: Metadata,
  allowInconsistent: boolean,
  { draft }: CommandContext,
): Promise<readonly InconsistentObject[]> {
  checkTriggerNames(metadata, draft.state.metadata);
  draft.invalidate();
  const inconsistencies = await draft.replace(withOwnCronTriggers(metadata, draft.state.metadata));
  if (inconsistencies.length > 0 && !allowInconsistent) throw inconsistent(inconsistencies);
  return inconsistencies;
}

/** Hasura looks at sources that were there before. @throws {EngineError} `not-supported` */
function checkTriggerNames(next: Metadata, before: Metadata): void {
  for (const source of next.sources) {
    if (!before.sources.some(({ name }) => name === source.name)) continue;
    const names = source.tables.flatMap((table) => table.event_triggers.map(({ name }) => name));
    const twice = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
    if (twice.length === 0) continue;
    const list = twice.map((name) => `"${name}"`).join(', ');
    throw new EngineError('not-supported', `Event trigger with duplicate names not allowed: ${list}`);
  }
}

/**
 * Cron triggers that no export includes are not replaced either.
 * @throws {EngineError} `already-exists` where a new one goes by the name of such a one
 */
function withOwnCronTriggers(next: Metadata, before: Metadata): Metadata {
  const own = before.cron_triggers.filter((trigger) => !trigger.include_in_metadata);
  const taken = next.cron_triggers.find(({ name }) => own.some((trigger) => trigger.name === name));
  if (taken !== undefined) {
    const message = `cron trigger with name "${taken.name}" already exists as a cron trigger with "included_in_metadata" as false`;
    throw new EngineError('already-exists', message);
  }
  return { ...next, cron_triggers: [...next.cron_triggers, ...own] };
}

function inconsistent(objects: readonly InconsistentObject[]): EngineError {
  return new EngineError('unexpected', 'cannot continue due to inconsistent metadata', {
    status: 400,
    internal: objects,
  });
}

function describe(inconsistencies: readonly InconsistentObject[]) {
  return { is_consistent: inconsistencies.length === 0, inconsistent_objects: inconsistencies };
}

/** Versions 1 and 2 know no sources: their tables and functions are those of the default source. */
function fromLegacy(value: unknown, { draft }: CommandContext, path: readonly PropertyKey[]): Metadata {
  const old = draft.state.metadata.sources.find(({ name }) => name === 'default');
  if (old === undefined) {
    throw new EngineError(
      'not-supported',
      'cannot import metadata without sources since no default source is defined',
    );
  }
  const {
    version = 1,
    tables = [],
    functions = [],
    ...rest
  } = z.record(z.string(), z.unknown()).parse(value);
  const listed = z.array(z.unknown()).parse(functions);
  const source: Readonly<Record<keyof Source, unknown>> = {
    ...old,
    native_queries: [],
    stored_procedures: [],
    logical_models: [],
    health_check: undefined,
    query_tags: undefined,
    tables,
    functions: version === 1 ? listed.map((name) => ({ function: name })) : listed,
  };
  return parseMetadata({ ...rest, version: 3, sources: [source] }, path);
}
