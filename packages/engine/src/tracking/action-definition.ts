/** Actions and custom types as Hasura shows them in its list of inconsistent objects: nothing left out. */
import type { Action, CustomTypes } from '#metadata/types.ts';
import type { Json } from '#values/json.ts';

export function actionDefinition({ name, definition, comment }: Action): Json {
  return {
    name,
    comment: comment ?? null,
    definition: {
      arguments: definition.arguments.map((one) => ({
        name: one.name,
        type: one.type,
        description: one.description ?? null,
      })),
      forward_client_headers: definition.forward_client_headers,
      handler: definition.handler,
      headers: definition.headers.map((header) => ({ ...header })),
      kind: definition.kind,
      output_type: definition.output_type,
      timeout: definition.timeout,
      type: definition.type,
      ...(definition.request_transform === undefined
        ? {}
        : { request_transform: definition.request_transform }),
      ...(definition.response_transform === undefined
        ? {}
        : { response_transform: definition.response_transform }),
    },
  };
}

export function typesDefinition(types: CustomTypes): Json {
  const described = (value: { name: string; description?: string | undefined }) => ({
    name: value.name,
    description: value.description ?? null,
  });
  return {
    enums: types.enums.map((one) => ({
      ...described(one),
      values: one.values.map((value) => ({
        value: value.value,
        description: value.description ?? null,
        is_deprecated: value.is_deprecated ?? null,
      })),
    })),
    input_objects: types.input_objects.map((one) => ({
      ...described(one),
      fields: one.fields.map((field) => ({ ...described(field), type: field.type })),
    })),
    objects: types.objects.map((one) => ({
      ...described(one),
      fields: one.fields.map((field) => ({
        ...described(field),
        type: field.type,
        arguments: field.arguments ?? null,
      })),
      relationships: one.relationships.map((link) => ({ ...link, remote_table: { ...link.remote_table } })),
    })),
    scalars: types.scalars.map(described),
  };
}
