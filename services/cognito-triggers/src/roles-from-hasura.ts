import { networkCause } from '@latchkey/core/network-cause';
import { fetchWithoutRedirects, RedirectError } from '@latchkey/core/redirects';
import { z } from 'zod';
import type { ClaimsConfig } from './config.ts';
import type { Log } from './log.ts';

/** Cognito gives the whole function 5 seconds, its start included, and then refuses the sign-in. */
const ROLES_TIMEOUT_MS = 1_500;

type Hasura = NonNullable<ClaimsConfig['hasura']>;

/** Hasura answers with status 200 where it refuses, too. */
const REFUSAL = z.object({
  errors: z
    .tuple([
      z.object({
        message: z.string().catch(''),
        extensions: z.object({ code: z.string() }).catch({ code: 'unknown' }),
      }),
    ])
    .rest(z.unknown()),
});
const ANSWER = z.object({ data: z.record(z.string(), z.unknown()) });
/** With which Hasura refuses whoever asks. */
const SECRET_CODES = new Set(['access-denied', 'invalid-headers', 'invalid-jwt']);
/** Whose messages are about the query, and hold nothing of its variables. */
const QUERY_CODES = new Set(['validation-failed', 'parse-failed', 'not-found']);

/**
 * Makes the function that asks Hasura which of the allowed roles a user has. It never throws: where
 * Hasura does not answer in time, the user has none but the default one and those of their groups until the
 * next token.
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
      const answer: unknown = JSON.parse(await response.text());
      const refusal = REFUSAL.safeParse(answer).data;
      if (refusal !== undefined) return nothing(refused(refusal.errors[0]));
      const told = ANSWER.safeParse(answer).data;
      if (!response.ok || told === undefined) return nothing(notHasura(response.status));
      return textsIn(told.data).filter((role) => allowedRoles.has(role));
    } catch (error) {
      if (error instanceof RedirectError) return nothing(`${error.message}.`);
      const cause = networkCause(error);
      return nothing(
        cause === undefined
          ? notHasura()
          : `${endpoint} does not answer: ${cause}. Check HASURA_GRAPHQL_ENDPOINT and the way to it.`,
      );
    }
  };

  function nothing(reason: string): string[] {
    log('error', `Hasura did not tell the roles: the token carries user and those of the groups. ${reason}`);
    return [];
  }

  function notHasura(status?: number): string {
    const how = status === undefined ? '' : ` with status ${status}`;
    return `${endpoint} answers${how}, but not as Hasura does: check HASURA_GRAPHQL_ENDPOINT.`;
  }
}

function refused({ message, extensions: { code } }: z.infer<typeof REFUSAL>['errors'][0]): string {
  if (SECRET_CODES.has(code)) {
    return `It refuses HASURA_GRAPHQL_ADMIN_SECRET (${code}): set it to the secret that Hasura was started with.`;
  }
  const text = QUERY_CODES.has(code) ? `: ${message}` : '';
  return `It refuses LATCHKEY_ROLES_QUERY (${code})${text}. Correct the query, or apply the tables that it reads.`;
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
