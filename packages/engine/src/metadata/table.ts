/** One tracked table or view, with its relationships, permissions and event triggers. */
import { z } from 'zod';
import { isPlainObject } from '#values/json.ts';
import {
  graphqlName,
  header,
  json,
  kept,
  list,
  nonEmptyText,
  object,
  qualifiedName,
  transform,
} from './primitives.ts';
import {
  type RemoteRelationship,
  type RemoteSchemaRelationship,
  remoteRelationship,
  remoteSchemaRelationship,
} from './remote-relationship.ts';

const customRootField = z.union([
  graphqlName.transform((name): { name?: string | undefined; comment?: string | undefined } => ({ name })),
  object({ name: graphqlName.optional(), comment: z.string().optional() }),
]);

export const ROOT_FIELDS = [
  'select',
  'select_by_pk',
  'select_aggregate',
  'select_stream',
  'insert',
  'insert_one',
  'update',
  'update_by_pk',
  'update_many',
  'delete',
  'delete_by_pk',
] as const;

const customRootFields = object({
  select: customRootField.optional(),
  select_by_pk: customRootField.optional(),
  select_aggregate: customRootField.optional(),
  select_stream: customRootField.optional(),
  insert: customRootField.optional(),
  insert_one: customRootField.optional(),
  update: customRootField.optional(),
  update_by_pk: customRootField.optional(),
  update_many: customRootField.optional(),
  delete: customRootField.optional(),
  delete_by_pk: customRootField.optional(),
});

const columnConfig = object({ custom_name: graphqlName.optional(), comment: z.string().optional() });

/** `custom_column_names` is the old spelling: its names fill in for `column_config`. */
export const tableConfig = object({
  custom_root_fields: customRootFields.default({}),
  custom_column_names: z.record(z.string(), graphqlName).default({}),
  column_config: z.record(z.string(), columnConfig).default({}),
  custom_name: graphqlName.optional(),
  comment: z.string().optional(),
}).transform(({ custom_column_names: names, ...config }) => {
  const columns = { ...config.column_config };
  for (const [column, custom_name] of Object.entries(names))
    columns[column] = { custom_name, ...columns[column] };
  return { ...config, column_config: columns };
});
export type TableConfig = z.infer<typeof tableConfig>;

const manualConfiguration = object({
  remote_table: qualifiedName,
  column_mapping: z.record(z.string(), z.string()),
  insertion_order: z.enum(['before_parent', 'after_parent']).optional(),
});
const columns = z.array(nonEmptyText).min(1);
const columnChoice = z.union([nonEmptyText.transform((column) => [column]), columns]);

const remoteForeignKey = z
  .union([
    z.strictObject({ table: qualifiedName, column: nonEmptyText }),
    z.strictObject({ table: qualifiedName, columns: columnChoice }),
  ])
  .transform((value) => ({
    table: value.table,
    columns: 'column' in value ? [value.column] : value.columns,
  }));

/** `{foreign_key_constraint_on}` or `{manual_configuration}`; an array of columns is a composite key. */
export const objectUsing = z.union([
  z.strictObject({ foreign_key_constraint_on: z.union([columnChoice, remoteForeignKey]) }),
  z.strictObject({ manual_configuration: manualConfiguration }),
]);
export const arrayUsing = z.union([
  z.strictObject({ foreign_key_constraint_on: remoteForeignKey }),
  z.strictObject({ manual_configuration: manualConfiguration }),
]);

const objectRelationship = object({
  name: graphqlName,
  using: objectUsing,
  comment: z.string().optional(),
});
const arrayRelationship = object({
  name: graphqlName,
  using: arrayUsing,
  comment: z.string().optional(),
});
export type ObjectRelationship = z.infer<typeof objectRelationship>;
export type ArrayRelationship = z.infer<typeof arrayRelationship>;

export const computedFieldDefinition = object({
  function: qualifiedName,
  table_argument: z.string().optional(),
  session_argument: z.string().optional(),
});

export const computedField = object({
  name: nonEmptyText,
  definition: computedFieldDefinition,
  comment: z.string().optional(),
});
export type ComputedField = z.infer<typeof computedField>;

const columnSpec = z.union([z.literal('*'), z.array(nonEmptyText)]);
/** A row filter as written; `permissions/` turns it into a checked predicate. */
export const boolExp = z.record(z.string(), json);
export type BoolExp = z.infer<typeof boolExp>;
const presets = z.record(z.string(), json);

/** The webhook that is asked before anything is written. */
const validateInput = object({
  type: z.literal('http', {
    error: ({ input }) =>
      input === undefined ? undefined : `expecting only 'http' for 'type' but got ${String(input)}`,
  }),
  definition: object({
    url: z.string(),
    headers: list(header),
    timeout: z.number().int().min(0, { error: 'timeout value cannot be negative' }).default(10),
    forward_client_headers: z.boolean().default(false),
  }),
}).optional();
export type ValidateInput = z.infer<typeof validateInput>;

export const insertPermission = object({
  check: boolExp,
  set: presets.optional(),
  columns: columnSpec.optional(),
  backend_only: z.boolean().default(false),
  validate_input: validateInput,
});
export const selectPermission = object({
  columns: columnSpec,
  computed_fields: list(nonEmptyText),
  filter: boolExp,
  limit: z.number().int().min(0).optional(),
  allow_aggregations: z.boolean().default(false),
  query_root_fields: z.array(z.enum(['select', 'select_by_pk', 'select_aggregate'])).optional(),
  subscription_root_fields: z
    .array(z.enum(['select', 'select_by_pk', 'select_aggregate', 'select_stream']))
    .optional(),
});
export const updatePermission = object({
  columns: columnSpec,
  filter: boolExp,
  check: boolExp.optional(),
  set: presets.optional(),
  backend_only: z.boolean().default(false),
  validate_input: validateInput,
});
export const deletePermission = object({
  filter: boolExp,
  backend_only: z.boolean().default(false),
  validate_input: validateInput,
});

const forRole = <Permission extends z.ZodType>(permission: Permission) =>
  object({ role: nonEmptyText, permission, comment: z.string().optional() });

/** What consoles of Hasura leave in permissions to write, where it grants and forbids nothing. */
const STRAY_KEYS = ['computed_fields', 'localPresets'];

const toWrite = <Permission extends z.ZodType>(permission: Permission) =>
  forRole(
    z.preprocess(
      (value) =>
        isPlainObject(value)
          ? Object.fromEntries(Object.entries(value).filter(([key]) => !STRAY_KEYS.includes(key)))
          : value,
      permission,
    ),
  );

const operation = object({ columns: columnSpec, payload: columnSpec.optional() });

export const eventTrigger = object({
  name: nonEmptyText,
  definition: object({
    insert: operation.optional(),
    update: operation.optional(),
    delete: operation.optional(),
    enable_manual: z.boolean().optional(),
  }),
  retry_conf: object({
    num_retries: z.number().int().min(0).default(0),
    interval_sec: z.number().int().min(0).default(10),
    timeout_sec: z.number().int().min(0).optional(),
  }),
  webhook: z.string().optional(),
  webhook_from_env: z.string().optional(),
  headers: list(header),
  request_transform: transform.optional(),
  response_transform: transform.optional(),
  cleanup_config: transform.optional(),
  trigger_on_replication: z.boolean().optional(),
});
export type EventTrigger = z.infer<typeof eventTrigger>;

export const tableMetadata = object({
  table: qualifiedName,
  is_enum: z.boolean().default(false),
  configuration: tableConfig.default({ custom_root_fields: {}, column_config: {} }),
  object_relationships: list(objectRelationship),
  array_relationships: list(arrayRelationship),
  computed_fields: list(computedField),
  remote_relationships: list(z.union([remoteRelationship, remoteSchemaRelationship])),
  insert_permissions: list(toWrite(insertPermission)),
  select_permissions: list(forRole(selectPermission)),
  update_permissions: list(toWrite(updatePermission)),
  delete_permissions: list(toWrite(deletePermission)),
  event_triggers: list(eventTrigger),
  apollo_federation_config: kept,
  logical_model: kept,
}).transform(({ remote_relationships: remote, ...table }) => ({
  ...table,
  remote_relationships: remote.filter((one): one is RemoteRelationship => 'to_source' in one.definition),
  /** Of `remote_relationships`, those that lead to remote schemas. */
  remote_schema_relationships: remote.filter(
    (one): one is RemoteSchemaRelationship => !('to_source' in one.definition),
  ),
}));
export type TableMetadata = z.infer<typeof tableMetadata>;
