/** `drop_inconsistent_metadata`: the metadata without the objects that do not fit the database. */

import type { InconsistentObject } from '#metadata/problem.ts';
import type { Metadata, Source, TableMetadata } from '#metadata/types.ts';
import { objectName } from './names.ts';

export function dropInconsistent(metadata: Metadata, objects: readonly InconsistentObject[]): Metadata {
  const names = new Set(objects.map(({ name }) => name));
  const ambiguous = new Set(
    objects
      .filter(({ type }) => type === 'rest_endpoint')
      .flatMap(({ definition }) => (Array.isArray(definition) ? definition.map(endpointName) : [])),
  );
  const keep = (name: string) => !names.has(name);
  return {
    ...metadata,
    sources: metadata.sources
      .filter(({ name }) => keep(objectName.source(name)))
      .map((source) => pruneSource(source, keep)),
    unsupported_sources: metadata.unsupported_sources.filter(({ name }) => keep(objectName.source(name))),
    remote_schemas: metadata.remote_schemas.filter(({ name }) => keep(objectName.remoteSchema(name))),
    backend_configs: metadata.backend_configs && {
      ...metadata.backend_configs,
      dataconnector: Object.fromEntries(
        Object.entries(metadata.backend_configs.dataconnector).filter(([name]) =>
          keep(objectName.agent(name)),
        ),
      ),
    },
    rest_endpoints: metadata.rest_endpoints.filter(
      ({ name }) => keep(objectName.endpoint(name)) && !ambiguous.has(name),
    ),
    query_collections: metadata.query_collections.map((collection) => ({
      ...collection,
      definition: {
        queries: collection.definition.queries.filter(({ name }) =>
          keep(`query_collections ${name} in ${collection.name}`),
        ),
      },
    })),
    custom_types: keep(objectName.customTypes())
      ? metadata.custom_types
      : { input_objects: [], objects: [], scalars: [], enums: [] },
    actions: metadata.actions
      .filter(({ name }) => keep(objectName.action(name)))
      .map((action) => ({
        ...action,
        permissions: action.permissions.filter(({ role }) =>
          keep(objectName.actionPermission(action.name, role)),
        ),
      })),
    cron_triggers: metadata.cron_triggers.filter(({ name }) => keep(objectName.cronTrigger(name))),
    inherited_roles: metadata.inherited_roles.filter(
      (role) => keep(objectName.inheritedRole(role.role_name)) && keep(role.role_name),
    ),
  };
}

function endpointName(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
}

function pruneSource(source: Source, keep: (name: string) => boolean): Source {
  return {
    ...source,
    native_queries: source.native_queries.filter((one) =>
      keep(objectName.nativeQuery(source.name, one.root_field_name)),
    ),
    stored_procedures: source.stored_procedures.filter((one) =>
      keep(objectName.storedProcedure(source.name, one.stored_procedure)),
    ),
    logical_models: source.logical_models.filter((one) =>
      keep(objectName.logicalModel(source.name, one.name)),
    ),
    tables: source.tables
      .filter(({ table }) => keep(objectName.table(source.name, table)))
      .map((table) => pruneTable(source.name, table, keep)),
    functions: source.functions
      .filter((entry) => keep(objectName.function(source.name, entry.function)))
      .map((entry) => ({
        ...entry,
        permissions: entry.permissions.filter(({ role }) =>
          keep(objectName.functionPermission(source.name, entry.function, role)),
        ),
      })),
  };
}

function pruneTable(source: string, table: TableMetadata, keep: (name: string) => boolean): TableMetadata {
  const permitted = <Entry extends { readonly role: string }>(
    kind: 'insert' | 'select' | 'update' | 'delete',
    entries: readonly Entry[],
  ) => entries.filter(({ role }) => keep(objectName.permission(kind, source, table.table, role)));
  return {
    ...table,
    object_relationships: table.object_relationships.filter(({ name }) =>
      keep(objectName.relationship('object', source, table.table, name)),
    ),
    array_relationships: table.array_relationships.filter(({ name }) =>
      keep(objectName.relationship('array', source, table.table, name)),
    ),
    computed_fields: table.computed_fields.filter(({ name }) =>
      keep(objectName.computedField(source, table.table, name)),
    ),
    remote_relationships: table.remote_relationships.filter(({ name }) =>
      keep(objectName.remoteRelationship(source, table.table, name)),
    ),
    remote_schema_relationships: table.remote_schema_relationships.filter(({ name }) =>
      keep(objectName.remoteRelationship(source, table.table, name)),
    ),
    insert_permissions: permitted('insert', table.insert_permissions),
    select_permissions: permitted('select', table.select_permissions),
    update_permissions: permitted('update', table.update_permissions),
    delete_permissions: permitted('delete', table.delete_permissions),
    event_triggers: table.event_triggers.filter(({ name }) =>
      keep(objectName.eventTrigger(source, table.table, name)),
    ),
  };
}
