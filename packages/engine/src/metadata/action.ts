/** Actions, their custom types, and scheduled triggers. */
import { z } from 'zod';
import { isPlainObject } from '#values/json.ts';
import { parseSchedule } from './cron-schedule.ts';
import {
  graphqlName,
  header,
  json,
  list,
  nonEmptyText,
  object,
  qualifiedName,
  transform,
} from './primitives.ts';

/** A GraphQL type as text: `[String!]!`. */
const graphqlType = z.string().min(1);

const argument = object({ name: graphqlName, type: graphqlType, description: z.string().optional() });

const definition = object({
  handler: z.string(),
  output_type: graphqlType,
  forward_client_headers: z.boolean().default(false),
  ignored_client_headers: z.array(z.string()).optional(),
  headers: list(header),
  arguments: list(argument),
  request_transform: transform.optional(),
  response_transform: transform.optional(),
  type: z.enum(['mutation', 'query']).default('mutation'),
  kind: z.enum(['synchronous', 'asynchronous']).default('synchronous'),
  timeout: z.number().int().min(0).default(30),
});

/** `kind` is of mutations alone: the hasura CLI writes an empty one for each query, and Hasura does not read it. */
export const actionDefinition = z.preprocess((value) => {
  if (!isPlainObject(value) || value.type !== 'query') return value;
  const { kind: _, ...read } = value;
  return read;
}, definition);

export const action = object({
  name: graphqlName,
  definition: actionDefinition,
  comment: z.string().optional(),
  permissions: list(object({ role: nonEmptyText, comment: z.string().optional() })),
});
export type Action = z.infer<typeof action>;

const field = object({ name: graphqlName, type: graphqlType, description: z.string().optional() });

export const customTypes = object({
  input_objects: list(
    object({ name: graphqlName, fields: z.array(field).min(1), description: z.string().optional() }),
  ),
  objects: list(
    object({
      name: graphqlName,
      fields: z
        .array(
          object({
            name: graphqlName,
            type: graphqlType,
            arguments: json.optional(),
            description: z.string().optional(),
          }),
        )
        .min(1),
      description: z.string().optional(),
      relationships: list(
        object({
          name: graphqlName,
          type: z.enum(['object', 'array']),
          source: nonEmptyText.default('default'),
          remote_table: qualifiedName,
          field_mapping: z.record(z.string(), z.string()),
        }),
      ),
    }),
  ),
  scalars: list(object({ name: graphqlName, description: z.string().optional() })),
  enums: list(
    object({
      name: graphqlName,
      values: z
        .array(
          object({
            value: graphqlName,
            description: z.string().optional(),
            is_deprecated: z.boolean().optional(),
          }),
        )
        .min(1),
      description: z.string().optional(),
    }),
  ),
});
export type CustomTypes = z.infer<typeof customTypes>;

/** Of cron triggers and of one-off events. */
export const retryConf = object({
  num_retries: z.number().int().min(0).default(0),
  retry_interval_seconds: z.number().min(0).default(10),
  timeout_seconds: z.number().min(0).default(60),
  tolerance_seconds: z.number().min(0).default(21600),
});

export const cronTrigger = object({
  name: nonEmptyText,
  webhook: z.string(),
  schedule: z.string().refine((text) => parseSchedule(text) !== undefined, {
    error: (issue) =>
      `${JSON.stringify(issue.input)} is not a cron schedule; write five fields in UTC, such as "0 3 * * *"`,
  }),
  include_in_metadata: z.boolean(),
  payload: json.optional(),
  retry_conf: retryConf.optional(),
  headers: list(header),
  comment: z.string().optional(),
  request_transform: transform.optional(),
  response_transform: transform.optional(),
});
export type CronTrigger = z.infer<typeof cronTrigger>;
