/**
 * Metadata that the engine keeps and exports but that changes nothing. Most of these settings are without
 * effect in Hasura's Community Edition, too, none decides what anybody may see, and refusing them would keep its metadata
 * from being applied; an operator who relies on one should hear so.
 */
import type { Metadata } from './types.ts';

/** @returns what is set without effect, as sentences */
export function ineffectiveSettings(metadata: Metadata): string[] {
  const limits = Object.entries(metadata.api_limits)
    .filter(([name, value]) => name !== 'disabled' && value !== undefined)
    .map(([name]) => name);
  const found: [isSet: boolean, what: string][] = [
    [limits.length > 0, `api_limits (${limits.join(', ')})`],
    [
      metadata.graphql_schema_introspection.disabled_for_roles.length > 0,
      'graphql_schema_introspection.disabled_for_roles: every role can introspect its own schema',
    ],
    [
      metadata.allowlist.some(({ scope }) => !scope.global),
      'allowlist entries for some roles: their queries are allowed to nobody',
    ],
    [metadata.metrics_config !== undefined, 'metrics_config'],
    [metadata.sources.some(({ query_tags: tags }) => tags !== undefined), 'query_tags'],
    [
      metadata.sources.some(({ tables }) =>
        tables.some(({ event_triggers: triggers }) =>
          triggers.some(({ cleanup_config: cleanup }) => cleanup !== undefined),
        ),
      ),
      'cleanup_config of event triggers: the log of events is kept',
    ],
    [
      (metadata.network?.tls_allowlist?.length ?? 0) > 0,
      'network.tls_allowlist: every certificate is verified',
    ],
    [metadata.opentelemetry !== undefined, 'opentelemetry: nothing is reported'],
    [
      metadata.sources.some(({ configuration }) => configuration.read_replicas !== undefined),
      'read_replicas: all is read of the source itself',
    ],
    [metadata.sources.some(({ health_check: check }) => check !== undefined), 'health_check of sources'],
    [
      metadata.sources.some(({ tables }) =>
        tables.some(({ apollo_federation_config: federation }) => federation !== undefined),
      ),
      'apollo_federation_config: there is no federation',
    ],
  ];
  return found
    .filter(([isSet]) => isSet)
    .map(([, what]) => `set in the metadata, but without effect: ${what}`);
}
