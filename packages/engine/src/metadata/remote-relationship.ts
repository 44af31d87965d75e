/** Relationships to tables of other sources, and to remote schemas, which the engine keeps without following them. */
import { z } from 'zod';
import { isPlainObject, type Json } from '#values/json.ts';
import { graphqlName, nonEmptyText, object, type QualifiedName, qualifiedName } from './primitives.ts';

const toSource = object({
  relationship_type: z.enum(['object', 'array']),
  field_mapping: z.record(z.string(), z.string()).refine((mapping) => Object.keys(mapping).length > 0, {
    error: 'name at least one field and the column it is equal to',
  }),
  source: nonEmptyText,
  /** As it was written: an export gives it back so. */
  table: z.union([nonEmptyText, z.strictObject({ schema: nonEmptyText.optional(), name: nonEmptyText })]),
});

const REMOTE_SCHEMA_KEYS = ['to_remote_schema', 'remote_schema', 'hasura_fields', 'remote_field'];

/** Hasura's two ways to lead to a remote schema. */
function leadsToRemoteSchema(value: unknown): boolean {
  return isPlainObject(value) && REMOTE_SCHEMA_KEYS.some((key) => value[key] !== undefined);
}

/** Refused by name rather than as unknown keys. */
function rejectRemoteSchemas(value: unknown, context: z.RefinementCtx): void {
  if (!leadsToRemoteSchema(value)) return;
  context.addIssue({
    code: 'custom',
    message:
      'relationships to remote schemas are not supported by the embedded engine; remove them from the metadata',
  });
}

export const remoteRelationshipDefinition = z
  .unknown()
  .superRefine(rejectRemoteSchemas)
  .pipe(z.strictObject({ to_source: toSource }));

export const remoteRelationship = object({ name: graphqlName, definition: remoteRelationshipDefinition });
export type RemoteRelationship = z.infer<typeof remoteRelationship>;

/** One that leads to a remote schema: kept as it was written. */
export const remoteSchemaRelationship = object({
  name: graphqlName,
  definition: z.custom<{ [key: string]: Json }>(leadsToRemoteSchema),
});
export type RemoteSchemaRelationship = z.infer<typeof remoteSchemaRelationship>;

/** The name of the remote schema, in either form. */
export function remoteSchemaOf({ definition }: RemoteSchemaRelationship): string {
  const { to_remote_schema: to, remote_schema: old } = definition;
  return String((isPlainObject(to) ? to.remote_schema : old) ?? '');
}

/** The table a relationship leads to. */
export function remoteTable({ definition }: Pick<RemoteRelationship, 'definition'>): QualifiedName {
  return qualifiedName.parse(definition.to_source.table);
}
