/** Actions, custom types and cron triggers of the export. */
import { COMMON_CLIENT_HEADERS } from '#base/headers.ts';
import type { Action, CronTrigger, CustomTypes } from './action.ts';
import { compact, nonEmpty, type Out, plainName, sorted } from './export-format.ts';

const DEFAULT_TIMEOUT_SECONDS = 30;

export function exportAction({ name, definition, comment, permissions }: Action): Out {
  return compact({
    name,
    definition: compact({
      handler: definition.handler,
      output_type: definition.output_type,
      forward_client_headers: definition.forward_client_headers ? true : undefined,
      ignored_client_headers: definition.ignored_client_headers ?? [...COMMON_CLIENT_HEADERS],
      headers: nonEmpty(definition.headers),
      arguments: nonEmpty(definition.arguments.map(compact)),
      request_transform: definition.request_transform,
      response_transform: definition.response_transform,
      type: definition.type,
      kind: definition.type === 'mutation' ? definition.kind : undefined,
      timeout: definition.timeout === DEFAULT_TIMEOUT_SECONDS ? undefined : definition.timeout,
    }),
    comment,
    permissions: nonEmpty(permissions.map(compact)),
  });
}

export function exportCustomTypes(types: CustomTypes): Out | undefined {
  const parts = compact({
    input_objects: nonEmpty(
      types.input_objects.map(({ name, fields, description }) =>
        compact({ name, fields: fields.map(exportField), description }),
      ),
    ),
    objects: nonEmpty(
      types.objects.map(({ name, fields, description, relationships }) =>
        compact({
          name,
          fields: fields.map((field) =>
            compact({
              name: field.name,
              type: field.type,
              arguments: field.arguments,
              description: field.description,
            }),
          ),
          description,
          relationships: nonEmpty(
            relationships.map((relationship) =>
              sorted({ ...relationship, remote_table: plainName(relationship.remote_table) }),
            ),
          ),
        }),
      ),
    ),
    scalars: nonEmpty(types.scalars.map(compact)),
    enums: nonEmpty(
      types.enums.map(({ name, values, description }) =>
        compact({
          name,
          values: values.map((value) =>
            sorted({
              description: value.description ?? null,
              is_deprecated: value.is_deprecated ?? null,
              value: value.value,
            }),
          ),
          description,
        }),
      ),
    ),
  });
  return Object.keys(parts).length > 0 ? parts : undefined;
}

function exportField({
  name,
  type,
  description,
}: {
  name: string;
  type: string;
  description?: string | undefined;
}): Out {
  return compact({ name, type, description });
}

export function exportCronTrigger(trigger: CronTrigger): Out {
  return compact({
    name: trigger.name,
    webhook: trigger.webhook,
    schedule: trigger.schedule,
    include_in_metadata: trigger.include_in_metadata,
    payload: trigger.payload,
    retry_conf: exportRetries(trigger.retry_conf),
    headers: nonEmpty(trigger.headers),
    comment: trigger.comment,
    request_transform: trigger.request_transform,
    response_transform: trigger.response_transform,
  });
}

function exportRetries(retries: CronTrigger['retry_conf']): Out | undefined {
  if (retries === undefined) return undefined;
  const {
    num_retries: count,
    retry_interval_seconds: interval,
    timeout_seconds: timeout,
    tolerance_seconds: tolerance,
  } = retries;
  return count === 0 && interval === 10 && timeout === 60 && tolerance === 21600
    ? undefined
    : sorted(retries);
}
