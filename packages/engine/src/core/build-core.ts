/**
 * Builds a {@link Core}: requests become operations, planned once per role and text and run with each request's own
 * variables and session.
 */
import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import { ADMIN_ROLE, type Session } from '#base/session.ts';
import type { GraphqlRequest, Operation } from '#execute/operation.ts';
import { createPlanner, createPlans, type Planner, requestKey } from '#execute/prepare/planner.ts';
import { explainOperation } from '#execute/run/explain.ts';
import { createOperation } from '#execute/run/operation.ts';
import { createRowCommands } from '#execute/run/row-commands.ts';
import type { ExecutionSource, ExecutionSources } from '#execute/sources.ts';
import type { TrackInput } from '#ir/draft.ts';
import type { RoleSchema } from '#ir/schema.ts';
import type { TrackedSource } from '#ir/tracked.ts';
import type { InconsistentObject } from '#metadata/problem.ts';
import { rolesOf } from '#metadata/roles.ts';
import { type ParsedOperation, parseDocument, pickOperation } from '#plan/document.ts';
import { catchStackOverflow } from '#plan/errors.ts';
import { tableKey } from '#postgres/catalog.ts';
import { type EnumRows, readEnumRows } from '#postgres/enum-rows.ts';
import { actionFields } from '#schema/actions.ts';
import type { SchemaOptions } from '#schema/builder.ts';
import { buildRoleSchema } from '#schema/role.ts';
import { assertNoTypeConflicts } from '#schema/type-conflicts.ts';
import type { ConnectedSource } from '#storage/sources.ts';
import { trackActions } from '#tracking/actions.ts';
import { trackSources } from '#tracking/track.ts';
import type { BuildCore, Core, CoreInput } from './core.ts';
import { describeEndpoints } from './openapi.ts';
import { checkStoredQueries } from './stored-queries.ts';

/** Roles whose schemas are kept. */
const MAX_ROLES = 1000;
/** Texts, and plans of each role's text, that are kept. */
const MAX_DOCUMENTS = 2000;
const DOCUMENTS = {
  max: MAX_DOCUMENTS,
  /** In characters; a parsed document takes some fifty bytes for each. */
  maxSize: 2_000_000,
  sizeCalculation: (_: unknown, text: string) => text.length,
};

export const buildCore: BuildCore = async (input) => {
  const inputs: TrackInput[] = [];
  for (const source of input.sources) {
    inputs.push({
      metadata: input.metadata,
      source: source.metadata,
      catalog: source.catalog,
      env: input.config.env,
      enumRows: await readEnums(source),
      defaultNamingConvention: input.config.experimentalFeatures.includes('naming_convention')
        ? input.config.defaultNamingConvention
        : undefined,
      inferFunctionPermissions: input.config.inferFunctionPermissions,
    });
  }
  const { sources: tracked, inconsistencies } = trackSources(inputs);
  const sources = new Map<string, ExecutionSource>();
  for (const [index, source] of input.sources.entries()) {
    const own = tracked[index];
    if (own !== undefined) sources.set(own.name, executionSource(source, own, input));
  }
  return createCore(input, tracked, sources, inconsistencies);
};

async function readEnums(source: ConnectedSource): Promise<ReadonlyMap<string, EnumRows>> {
  const rows = new Map<string, EnumRows>();
  for (const { table, is_enum: isEnum } of source.metadata.tables) {
    const entry = source.catalog.tables.get(tableKey(table));
    if (!isEnum || entry === undefined) continue;
    rows.set(tableKey(table), await readEnumRows(source.pool, entry));
  }
  return rows;
}

function executionSource(
  source: ConnectedSource,
  tracked: TrackedSource,
  { config }: CoreInput,
): ExecutionSource {
  return {
    pool: source.pool,
    isolation: source.metadata.configuration.connection_info.isolation_level,
    options: {
      stringifyNumbers: config.stringifyNumericTypes,
      upperCaseEnums: tracked.names.graphqlCase,
      hasWithTies: source.catalog.serverVersion >= 130_000,
    },
  };
}

/** Builds the root types with all fields. @throws {EngineError} for two fields of one name */
function checkRoots({ query, mutation, subscription }: RoleSchema): void {
  for (const root of [mutation, subscription, query]) root?.fields.size;
}

function createCore(
  { config, metadata, metadataPool }: CoreInput,
  tracked: readonly TrackedSource[],
  sources: ExecutionSources,
  inconsistencies: readonly InconsistentObject[],
): Core {
  const options: SchemaOptions = {
    streamFields: !config.experimentalFeatures.includes('hide_stream_fields'),
    updateManyFields: !config.experimentalFeatures.includes('hide_update_many_fields'),
    aggregationPredicates: !config.experimentalFeatures.includes('hide_aggregation_predicates'),
    booleanNullCollapse: config.booleanNullCollapse,
  };
  const actions = trackActions(metadata, config.env, tracked);
  const extra = actionFields(actions, metadata);
  const hasRemote = tracked.some(({ tables }) =>
    [...tables.values()].some((table) => table.remoteRelationships.size > 0),
  );
  const environment = { env: config.env, metadataPool };
  const planners = new LRUCache<string, Planner>({ max: MAX_ROLES });
  const plans = createPlans();
  const documents = new LRUCache<string, DocumentNode>(DOCUMENTS);
  const operations = new LRUCache<string, ParsedOperation>(DOCUMENTS);

  const schemaOf = (role: string, backendOnly: boolean): RoleSchema =>
    buildRoleSchema(role, backendOnly, tracked, options, extra);
  const plannerFor = ({ role, backendOnly }: Pick<Session, 'role' | 'backendOnly'>): Planner => {
    const key = `${backendOnly ? 'backend' : 'all'} ${role}`;
    const known = planners.get(key);
    if (known !== undefined) return known;
    const planner = createPlanner(key, schemaOf(role, backendOnly), sources, plans, hasRemote);
    planners.set(key, planner);
    return planner;
  };
  // Not kept until somebody asks as an admin: looked at as a whole, a schema takes much memory.
  const adminSchema = schemaOf(ADMIN_ROLE, true);
  checkRoots(adminSchema);
  if (tracked.length > 1 && assertNoTypeConflicts(adminSchema))
    for (const role of rolesOf(metadata)) assertNoTypeConflicts(schemaOf(role, true));
  const stored = checkStoredQueries(metadata, adminSchema);

  const parse = ({ query, operationName }: GraphqlRequest): ParsedOperation => {
    const key = requestKey(operationName, query);
    const known = operations.get(key);
    if (known !== undefined) return known;
    const document = documents.get(query) ?? parseDocument(query);
    documents.set(query, document);
    const operation = pickOperation(document, operationName, query);
    operations.set(key, operation);
    return operation;
  };

  const prepare = (request: GraphqlRequest, session: Session): Operation =>
    catchStackOverflow(() => {
      const variables = request.variables ?? {};
      const planned = plannerFor(session).plan(request, parse(request), variables);
      return createOperation(planned, sources, { session, variables }, environment, request.query);
    });

  return {
    inconsistencies: [...inconsistencies, ...actions.inconsistencies, ...stored],
    prepare,
    explain: async (request, session) => {
      const variables = request.variables ?? {};
      const planned = plannerFor(session).plan(request, parse(request), variables);
      return explainOperation(planned, sources, { session, variables });
    },
    openApi: () => describeEndpoints(metadata, adminSchema),
    rows: createRowCommands((name) => {
      const source = sources.get(name);
      const found = tracked.find((entry) => entry.name === name);
      return source === undefined || found === undefined ? undefined : { ...source, tracked: found };
    }),
  };
}
