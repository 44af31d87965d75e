import { type CognitoApi, createCognitoApi } from './api.ts';
import type { PoolConfig } from './pool.ts';
import type { CognitoConfig } from './settings.ts';

/** A user pool that is kept in step, and the ways to it. */
export interface Pool {
  readonly config: PoolConfig;
  /** For somebody who is waiting. */
  readonly api: CognitoApi;
  /** For a reconcile. */
  readonly patientApi: CognitoApi;
}

/** The pools of the configuration, in its order. Nothing is asked of them yet. */
export function connectPools(config: CognitoConfig): readonly Pool[] {
  return config.userPoolIds.map((userPoolId) => {
    const access = { ...config, userPoolId };
    return {
      config: access,
      api: createCognitoApi(access, 'prompt'),
      patientApi: createCognitoApi(access, 'patient'),
    };
  });
}

/** The pools whose people somebody of this tenant may be one of: that one or, where it is not known, any. */
export function poolsOf(pools: readonly Pool[], tenant: string): readonly Pool[] {
  return tenant === '' ? pools : pools.filter(({ config }) => config.userPoolId === tenant);
}
