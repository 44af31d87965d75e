/** The event log of a source, as Hasura's source catalogue version 3 has it. */

import { UUID_FUNCTION } from '#storage/uuid-function.ts';

const VERSION = '3';

export const EVENT_TABLES = `
CREATE SCHEMA IF NOT EXISTS hdb_catalog;
${UUID_FUNCTION}
CREATE TABLE IF NOT EXISTS hdb_catalog.hdb_source_catalog_version (
  version text NOT NULL,
  upgraded_on timestamptz NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS hdb_source_catalog_version_one_row
  ON hdb_catalog.hdb_source_catalog_version ((version IS NOT NULL));
INSERT INTO hdb_catalog.hdb_source_catalog_version (version, upgraded_on) VALUES ('${VERSION}', now())
  ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS hdb_catalog.event_log (
  id text DEFAULT hdb_catalog.gen_hasura_uuid() PRIMARY KEY,
  schema_name text NOT NULL,
  table_name text NOT NULL,
  trigger_name text NOT NULL,
  payload jsonb NOT NULL,
  delivered boolean NOT NULL DEFAULT false,
  error boolean NOT NULL DEFAULT false,
  tries integer NOT NULL DEFAULT 0,
  created_at timestamp DEFAULT now(),
  locked timestamptz,
  next_retry_at timestamp,
  archived boolean NOT NULL DEFAULT false
);
CREATE INDEX IF NOT EXISTS event_log_trigger_name_idx ON hdb_catalog.event_log (trigger_name);
CREATE INDEX IF NOT EXISTS event_log_fetch_events
  ON hdb_catalog.event_log (locked NULLS FIRST, next_retry_at NULLS FIRST, created_at)
  WHERE delivered = false AND error = false AND archived = false;
CREATE TABLE IF NOT EXISTS hdb_catalog.event_invocation_logs (
  id text DEFAULT hdb_catalog.gen_hasura_uuid() PRIMARY KEY,
  trigger_name text,
  event_id text,
  status integer,
  request json,
  response json,
  created_at timestamp DEFAULT now()
);
CREATE INDEX IF NOT EXISTS event_invocation_logs_event_id_idx ON hdb_catalog.event_invocation_logs (event_id);
CREATE TABLE IF NOT EXISTS hdb_catalog.hdb_event_log_cleanups (
  id text DEFAULT hdb_catalog.gen_hasura_uuid() PRIMARY KEY,
  trigger_name text NOT NULL,
  scheduled_at timestamp NOT NULL,
  deleted_event_logs integer,
  deleted_event_invocation_logs integer,
  status text NOT NULL CHECK (status IN ('scheduled', 'paused', 'completed', 'dead')),
  UNIQUE (trigger_name, scheduled_at)
);
-- A setting made for one transaction reads as '' in the next: that is no session.
CREATE OR REPLACE FUNCTION hdb_catalog.insert_event_log(
  schema_name text, table_name text, trigger_name text, op text, row_data json
) RETURNS text AS $$
  INSERT INTO hdb_catalog.event_log (schema_name, table_name, trigger_name, payload)
  VALUES (schema_name, table_name, trigger_name, json_build_object(
    'op', op,
    'data', row_data,
    'session_variables', nullif(current_setting('hasura.user', true), '')::json,
    'trace_context', nullif(current_setting('hasura.tracecontext', true), '')::json
  )::jsonb)
  RETURNING id;
$$ LANGUAGE sql VOLATILE;
`;

export const DROP_EVENT_TABLES = `
DROP TABLE IF EXISTS hdb_catalog.hdb_source_catalog_version, hdb_catalog.hdb_event_log_cleanups,
  hdb_catalog.event_invocation_logs, hdb_catalog.event_log;
DROP FUNCTION IF EXISTS hdb_catalog.insert_event_log(text, text, text, text, json);
`;
