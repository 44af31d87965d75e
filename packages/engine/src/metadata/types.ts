/**
 * Hasura's metadata, version 3, as this engine understands it.
 *
 * Unknown keys are refused, with the path of the offending key: a setting that is not understood might be
 * a permission, and must never be dropped silently. Parts that this engine does not support are kept, and are inconsistent
 * (`unsupported.ts`) or without effect (`ineffective-settings.ts`).
 *
 * The parsed value keeps the metadata's own shape and names; defaults are filled in.
 */

import { z } from 'zod';
import { parse as parseGraphql } from '#base/graphql.ts';
import { action, cronTrigger, customTypes } from './action.ts';
import { graphqlName, json, kept, list, nonEmptyText, object, qualifiedName } from './primitives.ts';
import { tableMetadata } from './table.ts';
import {
  backendConfigs,
  logicalModel,
  nativeQuery,
  remoteSchema,
  storedProcedure,
  type UnsupportedSource,
  unsupportedSource,
} from './unsupported.ts';

export * from './action.ts';
export { type QualifiedName, qualifiedName } from './primitives.ts';
export * from './remote-relationship.ts';
export * from './table.ts';

/** Where a connection string comes from. */
const databaseUrl = z.union([
  nonEmptyText,
  z.strictObject({ from_env: nonEmptyText }),
  /** A secret that is read from a file again and again: the source is then inconsistent. */
  z.strictObject({ dynamic_from_file: nonEmptyText }),
  z.strictObject({
    connection_parameters: object({
      host: z.string(),
      username: z.string(),
      password: z.string().optional(),
      port: z.number().int(),
      database: z.string(),
    }),
  }),
]);
export type DatabaseUrl = z.infer<typeof databaseUrl>;

export const sourceConfiguration = object({
  connection_info: object({
    database_url: databaseUrl,
    pool_settings: object({
      max_connections: z.number().int().min(1).optional(),
      total_max_connections: z.number().int().min(1).optional(),
      idle_timeout: z.number().int().min(0).optional(),
      retries: z.number().int().min(0).optional(),
      pool_timeout: z.number().min(0).optional(),
      connection_lifetime: z.number().min(0).default(600),
    }).optional(),
    use_prepared_statements: z.boolean().default(false),
    isolation_level: z.enum(['read-committed', 'repeatable-read', 'serializable']).default('read-committed'),
    ssl_configuration: kept,
  }),
  read_replicas: kept,
  extensions_schema: nonEmptyText.default('public'),
  connection_template: kept,
  connection_set: kept,
});

export const functionConfig = object({
  session_argument: z.string().optional(),
  exposed_as: z.enum(['query', 'mutation']).optional(),
  custom_root_fields: object({
    function: graphqlName.optional(),
    function_aggregate: graphqlName.optional(),
  }).default({}),
  custom_name: graphqlName.optional(),
  /** Of data connectors: whose permissions hold for the rows. The function is then inconsistent. */
  response: kept,
});

export const functionMetadata = object({
  function: qualifiedName,
  configuration: functionConfig.default({ custom_root_fields: {} }),
  permissions: list(z.strictObject({ role: nonEmptyText })),
  comment: z.string().optional(),
});
export type FunctionMetadata = z.infer<typeof functionMetadata>;

export const sourceCustomization = object({
  root_fields: object({
    namespace: graphqlName.optional(),
    prefix: graphqlName.optional(),
    suffix: graphqlName.optional(),
  }).optional(),
  type_names: object({ prefix: graphqlName.optional(), suffix: graphqlName.optional() }).optional(),
  naming_convention: z.enum(['hasura-default', 'graphql-default']).optional(),
});
export type SourceCustomization = z.infer<typeof sourceCustomization>;

const QUERY_TAG_FORMATS = ['standard', 'sqlcommenter', 'standard_prepended'] as const;
export const queryTags = object({
  disabled: z.boolean().default(false),
  format: z
    .string()
    .transform((text) => text.toLowerCase())
    .pipe(
      z.enum(QUERY_TAG_FORMATS, {
        error:
          'Not a valid query tags format value. Use either standard, sqlcommenter, or standard_prepended',
      }),
    )
    .default('standard'),
  omit_request_id: z.boolean().default(true),
});

const source = object({
  name: nonEmptyText,
  kind: z
    .literal(['postgres', 'pg'], {
      error: (issue) =>
        `sources of kind ${JSON.stringify(issue.input)} are not supported by the embedded engine; only "postgres" is`,
    })
    .default('postgres')
    .transform(() => 'postgres' as const),
  tables: z.array(tableMetadata),
  functions: list(functionMetadata),
  native_queries: list(nativeQuery),
  stored_procedures: list(storedProcedure),
  logical_models: list(logicalModel),
  configuration: sourceConfiguration,
  query_tags: queryTags.optional(),
  customization: sourceCustomization.default({}),
  health_check: kept,
});
export type Source = z.infer<typeof source>;

export const storedQuery = z.string().refine(isGraphql, { error: 'parsing the graphql query failed' });

function isGraphql(text: string): boolean {
  try {
    parseGraphql(text, { noLocation: true });
    return true;
  } catch {
    return false;
  }
}

export const queryCollection = object({
  name: nonEmptyText,
  definition: object({ queries: z.array(z.strictObject({ name: nonEmptyText, query: storedQuery })) }),
  comment: z.string().optional(),
});
export type QueryCollection = z.infer<typeof queryCollection>;

export const allowlistScope = z.union([
  z.strictObject({ global: z.literal(true) }),
  z.strictObject({ global: z.literal(false), roles: z.array(nonEmptyText).min(1) }),
]);
export const allowlistEntry = object({
  collection: nonEmptyText,
  scope: allowlistScope.default({ global: true }),
});

export const restEndpoint = object({
  name: nonEmptyText,
  url: nonEmptyText,
  methods: z.array(z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])).min(1),
  definition: z.strictObject({
    query: z.strictObject({ collection_name: nonEmptyText, query_name: nonEmptyText }),
  }),
  comment: z.string().optional(),
});
export type RestEndpoint = z.infer<typeof restEndpoint>;

const limit = <Value extends z.ZodType>(value: Value) =>
  object({ global: value, per_role: z.record(nonEmptyText, value).default({}) });

export const apiLimits = object({
  rate_limit: limit(
    object({
      max_reqs_per_min: z.number().int().min(0),
      unique_params: z.union([z.literal('IP'), z.array(z.string())]).optional(),
    }),
  ).optional(),
  depth_limit: limit(z.number().int().min(0)).optional(),
  node_limit: limit(z.number().int().min(0)).optional(),
  time_limit: limit(z.number().min(0)).optional(),
  batch_limit: limit(z.number().int().min(0)).optional(),
  disabled: z.boolean().default(false),
});

export const inheritedRole = z.strictObject({
  role_name: nonEmptyText,
  role_set: z.array(nonEmptyText),
});
export type InheritedRole = z.infer<typeof inheritedRole>;

export const metadata = object({
  version: z.literal(3).default(3),
  sources: list(z.union([source, unsupportedSource])),
  remote_schemas: list(remoteSchema),
  query_collections: list(queryCollection),
  allowlist: list(allowlistEntry),
  actions: list(action),
  custom_types: customTypes.default({ input_objects: [], objects: [], scalars: [], enums: [] }),
  cron_triggers: list(cronTrigger),
  rest_endpoints: list(restEndpoint),
  api_limits: apiLimits.default({ disabled: false }),
  metrics_config: z.record(z.string(), json).optional(),
  inherited_roles: list(inheritedRole),
  graphql_schema_introspection: object({ disabled_for_roles: list(nonEmptyText) }).default({
    disabled_for_roles: [],
  }),
  network: object({ tls_allowlist: z.array(z.record(z.string(), json)).optional() }).optional(),
  backend_configs: backendConfigs.optional(),
  opentelemetry: kept,
}).transform(({ sources, ...rest }) => ({
  ...rest,
  sources: sources.filter((one): one is Source => !('unsupported' in one)),
  /** Of `sources`, those of other kinds than PostgreSQL. */
  unsupported_sources: sources.filter((one): one is UnsupportedSource => 'unsupported' in one),
}));
export type Metadata = z.infer<typeof metadata>;

export const EMPTY_METADATA: Metadata = metadata.parse({ version: 3 });
