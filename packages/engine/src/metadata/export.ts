/** From checked metadata back to JSON, as Hasura exports it: sorted by name, defaults left out. */
import { hashOrder } from '#base/hash-order.ts';
import { exportAction, exportCronTrigger, exportCustomTypes } from './export-action.ts';
import { compact, nonEmpty, type Out, plainName, sortBy, sorted } from './export-format.ts';
import { exportTable } from './export-table.ts';
import type { FunctionMetadata, InheritedRole, Metadata, Source } from './types.ts';

/**
 * The whole of `export_metadata`.
 * @param complete cron triggers that are kept out of exports too, for storing
 */
export function exportMetadata(metadata: Metadata, complete = false): Out {
  return compact({
    version: 3,
    sources: sortBy([...metadata.sources, ...metadata.unsupported_sources], ({ name }) => name).map(
      (source) => ('unsupported' in source ? source.unsupported : exportSource(source)),
    ),
    remote_schemas: nonEmpty(metadata.remote_schemas),
    query_collections: nonEmpty(
      sortBy(metadata.query_collections, ({ name }) => name).map(({ name, definition, comment }) =>
        compact({ name, definition, comment }),
      ),
    ),
    allowlist: nonEmpty(sortBy(metadata.allowlist, ({ collection }) => collection)),
    actions: nonEmpty(sortBy(metadata.actions, ({ name }) => name).map(exportAction)),
    custom_types: exportCustomTypes(metadata.custom_types),
    cron_triggers: nonEmpty(
      sortBy(metadata.cron_triggers, ({ name }) => name)
        .filter((trigger) => complete || trigger.include_in_metadata)
        .map(exportCronTrigger),
    ),
    rest_endpoints: nonEmpty(
      sortBy(metadata.rest_endpoints, ({ url }) => url).map((endpoint) =>
        sorted({ ...endpoint, comment: endpoint.comment ?? null }),
      ),
    ),
    api_limits: exportLimits(metadata),
    metrics_config: metadata.metrics_config,
    inherited_roles: nonEmpty(
      sortBy(metadata.inherited_roles, (role) => role.role_name).map(exportInheritedRole),
    ),
    graphql_schema_introspection:
      metadata.graphql_schema_introspection.disabled_for_roles.length > 0
        ? metadata.graphql_schema_introspection
        : undefined,
    network: (metadata.network?.tls_allowlist?.length ?? 0) > 0 ? metadata.network : undefined,
    backend_configs: exportBackends(metadata),
    opentelemetry: metadata.opentelemetry,
  });
}

/** The parents come in the order of Hasura's sets, whatever order they were given in. */
function exportInheritedRole({ role_name, role_set }: InheritedRole): Out {
  return { role_name, role_set: hashOrder([...new Set(role_set)], (role) => role) };
}

function exportLimits({ api_limits: limits }: Metadata): Out | undefined {
  const { disabled, ...rest } = limits;
  const set = Object.values(rest).some((limit) => limit !== undefined);
  return set || disabled ? sorted({ disabled, ...rest }) : undefined;
}

/** Without those that have no agent. */
function exportBackends({ backend_configs: { dataconnector, ...rest } = { dataconnector: {} } }: Metadata) {
  const parts = compact({
    ...rest,
    dataconnector: Object.keys(dataconnector).length === 0 ? undefined : dataconnector,
  });
  return Object.keys(parts).length === 0 ? undefined : parts;
}

function exportSource(source: Source): Out {
  return compact({
    name: source.name,
    kind: source.kind,
    tables: sortBy(source.tables, ({ table }) => `${table.schema}\0${table.name}`).map(exportTable),
    functions: nonEmpty(
      sortBy(source.functions, (entry) => `${entry.function.schema}\0${entry.function.name}`).map(
        exportFunction,
      ),
    ),
    native_queries: nonEmpty(source.native_queries),
    stored_procedures: nonEmpty(source.stored_procedures),
    logical_models: nonEmpty(source.logical_models),
    configuration: exportConfiguration(source),
    query_tags: source.query_tags,
    customization: exportCustomization(source),
    health_check: source.health_check,
  });
}

/** The default of `extensions_schema` is left out; the other defaults are told, as Hasura does. */
function exportConfiguration({ configuration }: Source): Out {
  const { connection_info: info, extensions_schema: schema, ...rest } = configuration;
  return sorted({
    ...rest,
    connection_info: { ...info },
    ...(schema === 'public' ? {} : { extensions_schema: schema }),
  });
}

function exportCustomization({ customization }: Source): Out | undefined {
  const { root_fields: rootFields, type_names: typeNames, naming_convention: naming } = customization;
  const parts = compact({
    naming_convention: naming,
    root_fields: rootFields === undefined ? undefined : sorted(rootFields),
    type_names: typeNames === undefined ? undefined : sorted(typeNames),
  });
  return Object.keys(parts).length > 0 ? parts : undefined;
}

function exportFunction(entry: FunctionMetadata): Out {
  const { configuration } = entry;
  const { custom_root_fields: rootFields, ...rest } = configuration;
  const config = sorted({
    ...rest,
    custom_root_fields: Object.values(rootFields).some((name) => name !== undefined) ? rootFields : undefined,
  });
  return compact({
    function: plainName(entry.function),
    configuration: Object.keys(config).length > 0 ? config : undefined,
    permissions: nonEmpty(entry.permissions),
    comment: entry.comment,
  });
}
