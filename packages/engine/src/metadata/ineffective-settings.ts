/**
 * Metadata that the engine keeps and exports but that changes nothing. The same settings are without
 * effect in Hasura's Community Edition, and refusing them would keep its metadata from being applied; an
 * operator who relies on one should hear so.
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
  ];
  return found
    .filter(([isSet]) => isSet)
    .map(([, what]) => `set in the metadata, but without effect: ${what}`);
}
