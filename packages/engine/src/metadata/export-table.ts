/** One table of the export. */
import { compact, nonEmpty, type Out, plainName, sortBy, sorted, sortedValue } from './export-format.ts';
import type {
  ArrayRelationship,
  EventTrigger,
  ObjectRelationship,
  TableConfig,
  TableMetadata,
} from './table.ts';

export function exportTable(table: TableMetadata): Out {
  const roles = <Entry extends { readonly role: string; readonly comment?: string | undefined }>(
    entries: readonly Entry[],
    permission: (entry: Entry) => Out,
  ) =>
    nonEmpty(
      sortBy(entries, ({ role }) => role).map((entry) =>
        compact({ role: entry.role, permission: permission(entry), comment: entry.comment }),
      ),
    );
  return compact({
    table: plainName(table.table),
    is_enum: table.is_enum ? true : undefined,
    configuration: exportTableConfig(table.configuration),
    object_relationships: nonEmpty(
      sortBy(table.object_relationships, ({ name }) => name).map(exportRelationship),
    ),
    array_relationships: nonEmpty(
      sortBy(table.array_relationships, ({ name }) => name).map(exportRelationship),
    ),
    computed_fields: nonEmpty(
      sortBy(table.computed_fields, ({ name }) => name).map(({ name, definition, comment }) =>
        compact({
          name,
          definition: sorted({ ...definition, function: plainName(definition.function) }),
          comment,
        }),
      ),
    ),
    remote_relationships: nonEmpty(
      sortBy([...table.remote_relationships, ...table.remote_schema_relationships], ({ name }) => name).map(
        sorted,
      ),
    ),
    insert_permissions: roles(table.insert_permissions, ({ permission }) =>
      compact({
        check: sortedValue(permission.check),
        set: nonEmptyObject(permission.set),
        columns: permission.columns,
        backend_only: permission.backend_only ? true : undefined,
        validate_input: sortedValue(permission.validate_input),
      }),
    ),
    select_permissions: roles(table.select_permissions, ({ permission }) =>
      compact({
        columns: permission.columns,
        computed_fields: nonEmpty(permission.computed_fields),
        filter: sortedValue(permission.filter),
        limit: permission.limit,
        allow_aggregations: permission.allow_aggregations ? true : undefined,
        query_root_fields: permission.query_root_fields,
        subscription_root_fields: permission.subscription_root_fields,
      }),
    ),
    update_permissions: roles(table.update_permissions, ({ permission }) =>
      compact({
        columns: permission.columns,
        filter: sortedValue(permission.filter),
        check: permission.check === undefined ? null : sortedValue(permission.check),
        set: nonEmptyObject(permission.set),
        backend_only: permission.backend_only ? true : undefined,
        validate_input: sortedValue(permission.validate_input),
      }),
    ),
    delete_permissions: roles(table.delete_permissions, ({ permission }) =>
      compact({
        filter: sortedValue(permission.filter),
        backend_only: permission.backend_only ? true : undefined,
        validate_input: sortedValue(permission.validate_input),
      }),
    ),
    event_triggers: nonEmpty(sortBy(table.event_triggers, ({ name }) => name).map(exportEventTrigger)),
    apollo_federation_config: table.apollo_federation_config,
    logical_model: table.logical_model,
  });
}

function nonEmptyObject(object: Readonly<Out> | undefined): Out | undefined {
  return object === undefined || Object.keys(object).length === 0 ? undefined : sorted(object);
}

/** `custom_column_names` repeats the names of `column_config` for older readers. */
function exportTableConfig(config: TableConfig): Out | undefined {
  const columns = Object.entries(config.column_config).filter(
    ([, column]) => Object.keys(compact(column)).length > 0,
  );
  const rootFields = Object.entries(config.custom_root_fields).flatMap(([kind, field]) => {
    if (field === undefined) return [];
    if (field.comment === undefined) return field.name === undefined ? [] : [[kind, field.name]];
    return [[kind, compact({ ...field })]];
  });
  if (
    columns.length === 0 &&
    rootFields.length === 0 &&
    config.custom_name === undefined &&
    config.comment === undefined
  ) {
    return undefined;
  }
  return sorted({
    column_config: Object.fromEntries(columns),
    comment: config.comment,
    custom_column_names: Object.fromEntries(
      columns.flatMap(([name, column]) =>
        column.custom_name === undefined ? [] : [[name, column.custom_name]],
      ),
    ),
    custom_name: config.custom_name,
    custom_root_fields: Object.fromEntries(rootFields),
  });
}

type Using = ObjectRelationship['using'] | ArrayRelationship['using'];

function exportRelationship({
  name,
  using,
  comment,
}: {
  name: string;
  using: Using;
  comment?: string | undefined;
}): Out {
  return compact({ name, using: exportUsing(using), comment });
}

export function exportUsing(using: Using): Out {
  if ('manual_configuration' in using) {
    const manual = using.manual_configuration;
    return {
      manual_configuration: {
        column_mapping: sorted(manual.column_mapping),
        insertion_order: manual.insertion_order ?? null,
        remote_table: plainName(manual.remote_table),
      },
    };
  }
  const on = using.foreign_key_constraint_on;
  if (Array.isArray(on)) return { foreign_key_constraint_on: on.length === 1 ? on[0] : on };
  const table = plainName(on.table);
  return {
    foreign_key_constraint_on:
      on.columns.length === 1 ? { column: on.columns[0], table } : { columns: on.columns, table },
  };
}

function exportEventTrigger(trigger: EventTrigger): Out {
  return compact({
    name: trigger.name,
    definition: sorted({ enable_manual: false, ...trigger.definition }),
    retry_conf: sorted(trigger.retry_conf),
    webhook: trigger.webhook,
    webhook_from_env: trigger.webhook_from_env,
    headers: nonEmpty(trigger.headers),
    request_transform: trigger.request_transform,
    response_transform: trigger.response_transform,
    cleanup_config: trigger.cleanup_config,
    trigger_on_replication: trigger.trigger_on_replication === true ? true : undefined,
  });
}
