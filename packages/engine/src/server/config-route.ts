/** `/v1alpha1/config`: how the engine was started, for the console and the CLI. */

import type { Authenticator } from '#auth/authenticator.ts';
import { DEFAULT_NAMESPACE, type JwtConfig } from '#auth/jwt-config.ts';
import type { EngineConfig } from '#base/config.ts';
import { HASURA_VERSION } from '#base/version.ts';

export function describeConfig(config: EngineConfig, authenticator: Authenticator): Record<string, unknown> {
  const polling = ({ batchSize, refetchIntervalMs }: EngineConfig['liveQueries']) => ({
    batch_size: batchSize,
    refetch_delay: refetchIntervalMs / 1000,
  });
  return {
    version: HASURA_VERSION,
    is_function_permissions_inferred: config.inferFunctionPermissions,
    is_remote_schema_permissions_enabled: config.remoteSchemaPermissions,
    is_admin_secret_set: authenticator.mode !== 'none',
    is_auth_hook_set: authenticator.mode === 'hook',
    is_jwt_set: authenticator.mode === 'jwt',
    jwt: authenticator.jwt === undefined ? [] : [describeJwt(authenticator.jwt)],
    is_allow_list_enabled: config.enableAllowlist,
    live_queries: polling(config.liveQueries),
    streaming_queries: polling(config.streamingQueries),
    console_assets_dir: null,
    experimental_features: config.experimentalFeatures,
    is_prometheus_metrics_enabled: false,
    default_naming_convention: config.defaultNamingConvention,
    feature_flags: [
      {
        name: 'naming-convention-sep-2023',
        description: 'The changes to the naming-convention feature that were added in September 2023',
        enabled: false,
      },
      { name: 'test-flag', description: 'Testing feature flag integration', enabled: false },
    ],
    is_apollo_federation_enabled: false,
  };
}

function describeJwt({ claims }: JwtConfig): Record<string, unknown> {
  if (claims.from === 'map') {
    return { claims_namespace: DEFAULT_NAMESPACE, claims_format: 'json', claims_map: claims.raw };
  }
  return {
    claims_namespace: typeof claims.namespace === 'string' ? claims.namespace : claims.namespace.text,
    claims_format: claims.stringified ? 'stringified_json' : 'json',
    claims_map: null,
  };
}
