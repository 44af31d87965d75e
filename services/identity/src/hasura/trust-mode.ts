import { fetchWithoutRedirects } from '@latchkey/core/redirects';
import { z } from 'zod';
import type { EngineConfig } from '#core/settings/service.ts';

const CONFIG = z.object({ is_jwt_set: z.boolean(), is_auth_hook_set: z.boolean() });

/** By itself, or by asking the auth hook. */
export type TrustMode = 'jwt' | 'hook';

/**
 * Whether the engine trusts tokens by itself (`jwt`) or asks the auth hook (`hook`); undefined where it does
 * neither, or does not say: the API may be switched off (HASURA_GRAPHQL_ENABLED_APIS).
 */
export async function readTrustMode({
  endpoint,
  adminSecret,
  timeoutMs,
}: EngineConfig): Promise<TrustMode | undefined> {
  try {
    const answer = await fetchWithoutRedirects('HASURA_GRAPHQL_ENDPOINT')(`${endpoint}/v1alpha1/config`, {
      headers: { 'x-hasura-admin-secret': adminSecret },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const config = CONFIG.safeParse(await answer.json());
    if (config.data?.is_jwt_set) return 'jwt';
    return config.data?.is_auth_hook_set ? 'hook' : undefined;
  } catch {
    // That the engine does not answer is told by those who need an answer.
    return undefined;
  }
}
