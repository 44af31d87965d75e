/**
 * Every command of Hasura's metadata API for PostgreSQL: this engine either has it or says that it has not.
 * None is unknown to it.
 */
import { describe, expect, test } from 'vitest';
import { readRequest } from '#api/requests/dispatch.ts';
import { EngineError } from '#base/errors.ts';

/** Without a prefix. */
const PLAIN = `rename_source add_remote_schema update_remote_schema remove_remote_schema reload_remote_schema
  introspect_remote_schema add_remote_schema_permissions drop_remote_schema_permissions
  create_remote_schema_remote_relationship update_remote_schema_remote_relationship
  delete_remote_schema_remote_relationship cleanup_event_trigger_logs resume_event_trigger_cleanups
  pause_event_trigger_cleanups create_cron_trigger delete_cron_trigger create_scheduled_event
  delete_scheduled_event get_scheduled_events get_scheduled_event_invocations get_cron_triggers create_action
  drop_action update_action create_action_permission drop_action_permission create_query_collection
  rename_query_collection drop_query_collection add_query_to_collection drop_query_from_collection
  add_collection_to_allowlist drop_collection_from_allowlist update_scope_of_collection_in_allowlist
  create_rest_endpoint drop_rest_endpoint dc_add_agent dc_delete_agent list_source_kinds
  get_source_kind_capabilities get_table_info set_custom_types set_api_limits remove_api_limits
  set_metrics_config remove_metrics_config add_inherited_role drop_inherited_role replace_metadata
  export_metadata clear_metadata reload_metadata get_inconsistent_metadata drop_inconsistent_metadata
  add_host_to_tls_allowlist drop_host_from_tls_allowlist dump_internal_state get_catalog_state
  set_catalog_state set_graphql_schema_introspection_options test_webhook_transform set_query_tags
  set_opentelemetry_config set_opentelemetry_status bulk bulk_keep_going bulk_atomic`.split(/\s+/);

/** Of a source. */
const OF_SOURCE = `add_source drop_source set_table_customization set_apollo_federation_config update_source
  get_source_tables get_table_info track_table track_tables untrack_table untrack_tables
  create_insert_permission create_select_permission create_update_permission create_delete_permission
  drop_insert_permission drop_select_permission drop_update_permission drop_delete_permission
  set_permission_comment track_function untrack_function set_function_customization
  create_function_permission drop_function_permission create_object_relationship
  create_array_relationship set_relationship_comment rename_relationship drop_relationship
  suggest_relationships create_remote_relationship update_remote_relationship delete_remote_relationship
  invoke_event_trigger create_event_trigger delete_event_trigger redeliver_event get_event_logs
  get_event_invocation_logs get_event_by_id add_computed_field drop_computed_field test_connection_template
  get_native_query track_native_query untrack_native_query get_logical_model track_logical_model
  untrack_logical_model create_logical_model_select_permission drop_logical_model_select_permission
  set_table_is_enum get_source_trackables`.split(/\s+/);

/** Refused, and named in KNOWN_DIFFERENCES.md. */
const NOT_HERE = /remote_schema|^dc_|opentelemetry|native_query|logical_model|apollo_federation/;

/** What is wrong with the command by itself; its arguments do not matter. */
function errorOf(type: string): string | undefined {
  try {
    readRequest('v1/metadata', { type, args: {} }, true);
    return undefined;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (error.code === 'not-supported' || error.message.startsWith('unknown')) return error.message;
    return undefined;
  }
}

describe('every command of the metadata API', () => {
  test.each([...PLAIN, ...OF_SOURCE.flatMap((name) => [`pg_${name}`, `postgres_${name}`])])('%s', (type) => {
    if (NOT_HERE.test(type)) expect(errorOf(type)).toMatch(/not supported by the embedded engine$/);
    else expect(errorOf(type)).toBeUndefined();
  });

  test.each(['mssql_track_table', 'citus_add_source', 'bigquery_get_source_tables'])(
    '%s is refused',
    (type) => {
      expect(errorOf(type)).toBe(`${type}: the embedded engine knows PostgreSQL sources only`);
    },
  );
});
