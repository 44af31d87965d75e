import { fetchWithoutRedirects } from '../identity/core/redirects.ts';
import type { ClaimsConfig } from './config.ts';
import type { Log } from './log.ts';

/** Cognito gives the whole function 5 seconds, its start included, and then refuses the sign-in. */
const ROLES_TIMEOUT_MS = 1_500;

type Hasura = NonNullable<ClaimsConfig['hasura']>;

/**
 * Makes the function that asks Hasura which of the allowed roles a user has. It never throws: where
 * Hasura does not answer in time, the user has none but the default one until the next token.
 */
export function rolesFromHasura(
  { endpoint, adminSecret, query }: Hasura,
  allowedRoles: ReadonlySet<string>,
  log: Log,
  timeoutMs = ROLES_TIMEOUT_MS,
): (sub: string) => Promise<string[]> {
  const send = fetchWithoutRedirects('HASURA_GRAPHQL_ENDPOINT');
  return async (sub) => {
    try {
      const response = await send(`${endpoint}/v1/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-hasura-admin-secret': adminSecret },
        body: JSON.stringify({ query, variables: { id: sub } }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const answer: unknown = await response.json();
      if (!response.ok || typeof answer !== 'object' || answer === null || !('data' in answer)) {
        throw new Error(`status ${response.status}`);
      }
      if ('errors' in answer) throw new Error('Hasura refuses LATCHKEY_ROLES_QUERY');
      return textsIn(answer.data).filter((role) => allowedRoles.has(role));
    } catch (error) {
      log('error', 'Hasura did not tell the roles; the token carries the default role alone.', {
        mend: 'Check HASURA_GRAPHQL_ENDPOINT, HASURA_GRAPHQL_ADMIN_SECRET and LATCHKEY_ROLES_QUERY.',
        error: error instanceof Error ? error.message : 'unknown',
      });
      return [];
    }
  };
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
