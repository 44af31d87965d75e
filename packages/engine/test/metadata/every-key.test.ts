/**
 * Every key of the metadata, and what keeps it from being dropped in silence. A key that is added to the
 * schema fails here until somebody has said which it is.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ineffectiveSettings } from '#metadata/ineffective-settings.ts';
import { parseMetadata } from '#metadata/parse.ts';
import { metadata } from '#metadata/types.ts';

/** What the paths of test files below start from. */
const TESTS = join(import.meta.dirname, '..');

/** What the engine does not have: kept, and inconsistent where it is not empty (`api/unsupported-objects.integration.test.ts`). */
const INCONSISTENT = [
  'sources.tables.logical_model',
  'sources.functions.configuration.response',
  'sources.native_queries',
  'sources.stored_procedures',
  'sources.logical_models',
  'sources.configuration.connection_info.ssl_configuration',
  'sources.configuration.connection_info.database_url.dynamic_from_file',
  'sources.configuration.connection_template',
  'sources.configuration.connection_set',
  'remote_schemas',
  'backend_configs.dataconnector',
];

/** Changes nothing, as in Hasura's Community Edition; the operator is warned (`metadata/ineffective-settings.ts`). */
const WARNED = [
  'api_limits.rate_limit',
  'api_limits.depth_limit',
  'api_limits.node_limit',
  'api_limits.time_limit',
  'api_limits.batch_limit',
  'graphql_schema_introspection.disabled_for_roles',
  'allowlist.scope.roles',
  'metrics_config',
  'sources.query_tags',
  'sources.tables.event_triggers.cleanup_config',
  'network.tls_allowlist',
  'opentelemetry',
  'sources.configuration.read_replicas',
  'sources.health_check',
  'sources.tables.apollo_federation_config',
];

/** How fast or with which connections, never what or for whom. */
const HARMLESS = [
  'api_limits.disabled',
  'sources.configuration.connection_info.pool_settings.total_max_connections',
  'sources.configuration.connection_info.pool_settings.retries',
  'sources.configuration.connection_info.pool_settings.pool_timeout',
  'sources.configuration.connection_info.pool_settings.connection_lifetime',
  'sources.configuration.connection_info.use_prepared_statements',
  'sources.configuration.extensions_schema',
  'custom_types.objects.fields.arguments',
  'sources.tables.object_relationships.comment',
  'sources.tables.array_relationships.comment',
  'sources.tables.insert_permissions.comment',
  'sources.tables.select_permissions.comment',
  'sources.tables.update_permissions.comment',
  'sources.tables.delete_permissions.comment',
  'query_collections.comment',
  'rest_endpoints.comment',
  'actions.permissions.comment',
  'cron_triggers.comment',
];

/** All that decides what a role may do, and what holds it by a test. */
const PERMISSIONS = {
  'sources.tables.insert_permissions.permission.check': 'execute/mutation-permissions.integration.test.ts',
  'sources.tables.insert_permissions.permission.set': 'execute/mutation-permissions.integration.test.ts',
  'sources.tables.insert_permissions.permission.columns': 'execute/mutation-permissions.integration.test.ts',
  'sources.tables.insert_permissions.permission.backend_only':
    'execute/mutation-permissions.integration.test.ts',
  'sources.tables.select_permissions.permission.columns': 'permissions/permissions.integration.test.ts',
  'sources.tables.select_permissions.permission.computed_fields': 'schema/role-surface.integration.test.ts',
  'sources.tables.select_permissions.permission.filter': 'permissions/permissions.integration.test.ts',
  'sources.tables.select_permissions.permission.limit': 'schema/role-surface.integration.test.ts',
  'sources.tables.select_permissions.permission.allow_aggregations':
    'schema/role-surface.integration.test.ts',
  'sources.tables.select_permissions.permission.query_root_fields': 'schema/role-surface.integration.test.ts',
  'sources.tables.select_permissions.permission.subscription_root_fields':
    'schema/role-surface.integration.test.ts',
  'sources.tables.update_permissions.permission.columns': 'execute/mutation-permissions.integration.test.ts',
  'sources.tables.update_permissions.permission.filter': 'execute/mutation-permissions.integration.test.ts',
  'sources.tables.update_permissions.permission.check': 'execute/mutation-permissions.integration.test.ts',
  'sources.tables.update_permissions.permission.set': 'execute/mutation-permissions.integration.test.ts',
  'sources.tables.update_permissions.permission.backend_only': 'schema/role-surface.integration.test.ts',
  'sources.tables.insert_permissions.permission.validate_input': 'execute/validate-input.integration.test.ts',
  'sources.tables.update_permissions.permission.validate_input': 'execute/validate-input.integration.test.ts',
  'sources.tables.delete_permissions.permission.validate_input': 'execute/validate-input.integration.test.ts',
  'sources.tables.delete_permissions.permission.filter': 'execute/mutation-permissions.integration.test.ts',
  'sources.tables.delete_permissions.permission.backend_only': 'schema/role-surface.integration.test.ts',
};

/** What is under a permission's own key. */
const PERMISSION_KEY = /^sources\.tables\.\w+_permissions\.permission\.\w+$/;

type Inner = { _zod?: { def: Record<string, unknown> & { type: string } } };
const inner = (value: unknown): Inner => (typeof value === 'object' && value !== null ? value : {});

/** Paths of all keys that a schema knows; lists are transparent, maps are `*`. */
function keysOf(schema: unknown, path = ''): string[] {
  const def = inner(schema)._zod?.def;
  if (def === undefined) return [];
  switch (def.type) {
    case 'object':
      return Object.entries(z.record(z.string(), z.unknown()).parse(def.shape)).flatMap(([key, value]) => {
        const at = path === '' ? key : `${path}.${key}`;
        return [at, ...keysOf(value, at)];
      });
    case 'array':
      return keysOf(def.element, path);
    case 'record':
      return keysOf(def.valueType, `${path}.*`);
    case 'union':
      return z
        .array(z.unknown())
        .parse(def.options)
        .flatMap((option) => keysOf(option, path));
    case 'pipe':
      return [...keysOf(def.in, path), ...keysOf(def.out, path)];
    default:
      return keysOf(def.innerType, path);
  }
}

const keys = new Set(keysOf(metadata));

const source = (extra: Record<string, unknown> = {}) => ({
  name: 'default',
  kind: 'postgres',
  tables: [],
  configuration: { connection_info: { database_url: 'postgres://localhost/x' } },
  ...extra,
});
const table = (extra: Record<string, unknown>) => ({
  version: 3,
  sources: [source({ tables: [{ table: 'users', ...extra }] })],
});

describe('every key of the metadata', () => {
  test('that is named here is there', () => {
    expect(keys.size).toBeGreaterThan(200);
    for (const key of [...INCONSISTENT, ...WARNED, ...HARMLESS, ...Object.keys(PERMISSIONS)])
      expect(keys).toContain(key);
  });

  test('of a permission is enforced, by a test', () => {
    const said = new Set(Object.keys(PERMISSIONS));
    expect([...keys].filter((key) => PERMISSION_KEY.test(key) && !said.has(key))).toEqual([]);
    const missing = Object.values(PERMISSIONS).filter((file) => !existsSync(join(TESTS, file)));
    expect(missing).toEqual([]);
  });

  test('is one that somebody has looked at', () => {
    // Grows with the schema: who adds a key says here, above or in a test of its own, what it does.
    expect([...keys].filter((key) => !key.includes('custom_root_fields.')).length).toMatchInlineSnapshot(
      `346`,
    );
  });
});

describe('what is without effect is told', () => {
  test('and all else is not', () => {
    expect(ineffectiveSettings(parseMetadata(table({})))).toEqual([]);
  });

  test.each<[string, unknown, RegExp]>([
    ['limits', { version: 3, api_limits: { depth_limit: { global: 3 } } }, /api_limits \(depth_limit\)/],
    [
      'introspection',
      { version: 3, graphql_schema_introspection: { disabled_for_roles: ['user'] } },
      /graphql_schema_introspection/,
    ],
    [
      'allowlists of some roles',
      { version: 3, allowlist: [{ collection: 'c', scope: { global: false, roles: ['user'] } }] },
      /allowlist/,
    ],
    ['metrics', { version: 3, metrics_config: { a: 1 } }, /metrics_config/],
    ['query tags', { version: 3, sources: [source({ query_tags: { disabled: false } })] }, /query_tags/],
    [
      'cleaning up',
      table({
        event_triggers: [
          {
            name: 'e',
            definition: {},
            retry_conf: {},
            webhook: 'http://x',
            cleanup_config: { schedule: 'x' },
          },
        ],
      }),
      /cleanup_config/,
    ],
    ['certificates', { version: 3, network: { tls_allowlist: [{ host: 'x' }] } }, /tls_allowlist/],
    ['reports', { version: 3, opentelemetry: { status: 'enabled' } }, /opentelemetry/],
    ['health checks', { version: 3, sources: [source({ health_check: { interval: 1 } })] }, /health_check/],
    ['federation', table({ apollo_federation_config: { enable: 'v1' } }), /apollo_federation_config/],
    [
      'replicas',
      {
        version: 3,
        sources: [
          source({
            configuration: {
              connection_info: { database_url: 'postgres://localhost/x' },
              read_replicas: [{ database_url: 'postgres://localhost/y' }],
            },
          }),
        ],
      },
      /read_replicas/,
    ],
  ])('%s', (_, given, expected) => {
    expect(ineffectiveSettings(parseMetadata(given))).toEqual([expect.stringMatching(expected)]);
  });
});
