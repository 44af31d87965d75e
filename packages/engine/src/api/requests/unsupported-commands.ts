/** Commands of Hasura's metadata API that this engine does not support, and the errors for them. */
import { EngineError } from '#base/errors.ts';

const UNSUPPORTED: readonly (readonly [type: RegExp, what: string])[] = [
  [
    /^(mssql|bigquery|citus|cockroach|snowflake|mysql|athena|mariadb|oracle|dataconnector)_/,
    'the embedded engine knows PostgreSQL sources only',
  ],
  [/^dc_(add|delete)_agent$/, 'data connectors are not supported by the embedded engine'],
  [/remote_schema/, 'remote schemas are not supported by the embedded engine'],
  [/_native_query$/, 'native queries are not supported by the embedded engine'],
  [/_stored_procedure$/, 'stored procedures are not supported by the embedded engine'],
  [/_logical_model(_|$)/, 'logical models are not supported by the embedded engine'],
  [/_set_apollo_federation_config$/, 'Apollo Federation is not supported by the embedded engine'],
  [/^set_opentelemetry_/, 'OpenTelemetry is not supported by the embedded engine'],
];

/** Undefined for a command that Hasura does not have either. */
export function unsupportedCommand(type: string): EngineError | undefined {
  const found = UNSUPPORTED.find(([pattern]) => pattern.test(type));
  return found === undefined ? undefined : new EngineError('not-supported', `${type}: ${found[1]}`);
}
