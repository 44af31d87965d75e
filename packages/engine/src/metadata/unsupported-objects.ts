/** What of the metadata this engine does not have, as inconsistent objects. */
import { isPlainObject, type Json } from '#values/json.ts';
import type { InconsistentObject } from './problem.ts';
import type { Metadata } from './types.ts';

/** How inconsistencies name them. */
export const unsupportedName = {
  source: (name: string) => `source ${name}`,
  remoteSchema: (name: string) => `remote_schema ${name}`,
  agent: (name: string) => `data_connector_agent ${name}`,
  nativeQuery: (source: string, name: string) => `native_query ${name} in source ${source}`,
  logicalModel: (source: string, name: string) => `logical_model ${name} in source ${source}`,
  storedProcedure: (source: string, name: unknown) =>
    `stored_procedure ${procedureName(name)} in source ${source}`,
} as const;

function procedureName(name: unknown): string {
  if (!isPlainObject(name)) return String(name);
  const { schema, name: own } = name;
  if (typeof own !== 'string') return JSON.stringify(name);
  return typeof schema === 'string' ? `${schema}.${own}` : own;
}

const unsupportedReason = (what: string) =>
  `Inconsistent object: ${what} are not supported by the embedded engine`;

/** All of them but what belongs to a table or a function: that is told where those are tracked. */
export function unsupportedObjects(metadata: Metadata): InconsistentObject[] {
  const object = (type: string, name: string, what: string, definition: Json): InconsistentObject => ({
    definition,
    name,
    reason: unsupportedReason(what),
    type,
  });
  return [
    ...metadata.unsupported_sources.map(({ name, kind }) =>
      object('source', unsupportedName.source(name), `sources of kind "${kind}"`, name),
    ),
    ...metadata.remote_schemas.map((one) =>
      object('remote_schema', unsupportedName.remoteSchema(one.name), 'remote schemas', one),
    ),
    ...Object.entries(metadata.backend_configs?.dataconnector ?? {}).map(([name, agent]) =>
      object('data_connector_agent', unsupportedName.agent(name), 'data connectors', agent),
    ),
    ...metadata.sources.flatMap((source) => [
      ...source.logical_models.map((one) =>
        object('logical_model', unsupportedName.logicalModel(source.name, one.name), 'logical models', one),
      ),
      ...source.native_queries.map((one) => {
        const name = unsupportedName.nativeQuery(source.name, one.root_field_name);
        return object('native_query', name, 'native queries', one);
      }),
      ...source.stored_procedures.map((one) => {
        const name = unsupportedName.storedProcedure(source.name, one.stored_procedure);
        return object('stored_procedure', name, 'stored procedures', one);
      }),
    ]),
  ];
}
