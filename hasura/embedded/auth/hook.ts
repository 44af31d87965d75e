/** The authentication webhook: Hasura asks another service who the client is. */
import { z } from 'zod';
import { EngineError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createSession, ROLE_VARIABLE } from '../session.ts';
import { maxAge, parseExpires } from './cache-control.ts';
import { type HeaderList, IGNORED_CLIENT_HEADERS } from './headers.ts';
import type { Authenticated } from './index.ts';

export interface AuthHook {
  readonly url: string;
  readonly mode: 'GET' | 'POST';
  readonly sendRequestBody: boolean;
}

const TIMEOUT_MS = 60_000;
const answer = z.record(z.string(), z.string());

/**
 * @param request the GraphQL request (or batch), sent along in POST mode
 * @throws {EngineError} `access-denied` (401 of the hook), `unexpected` (any other answer than 200)
 */
export async function askHook(
  hook: AuthHook,
  headers: HeaderList,
  request: unknown,
  log: Logger,
): Promise<Authenticated> {
  const response = await call(hook, headers, request).catch((error: unknown) => {
    log.error('webhook-log', { url: hook.url, method: hook.mode, error: String(error) });
    throw new EngineError('unexpected', 'webhook authentication request failed');
  });
  const text = await response.text();
  if (response.status !== 200)
    log.error('webhook-log', { url: hook.url, method: hook.mode, status_code: response.status });
  if (response.status === 401)
    throw new EngineError('access-denied', 'Authentication hook unauthorized this request');
  if (response.status !== 200)
    throw new EngineError('unexpected', 'Invalid response from authorization hook');
  const variables = parse(text);
  const byName = Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const role = byName[ROLE_VARIABLE];
  if (role === undefined || role === '')
    throw new EngineError('invalid-params', '"x-hasura-role" not found in session variables');
  return {
    session: createSession(role, variables),
    expiresAt: expiry(byName),
    // Hasura hands them on in reverse.
    responseHeaders: response.headers
      .getSetCookie()
      .toReversed()
      .map((cookie) => ['Set-Cookie', cookie] as const),
  };
}

function call(hook: AuthHook, headers: HeaderList, request: unknown): Promise<Response> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  if (hook.mode === 'GET') {
    const forwarded = new Headers();
    for (const [name, value] of headers) {
      if (!IGNORED_CLIENT_HEADERS.includes(name.toLowerCase())) forwarded.append(name, value);
    }
    return fetch(hook.url, { headers: forwarded, signal });
  }
  const body = {
    headers: Object.fromEntries(headers),
    ...(hook.sendRequestBody ? { request: request ?? null } : {}),
  };
  return fetch(hook.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  });
}

function parse(text: string): Record<string, string> {
  try {
    return answer.parse(JSON.parse(text));
  } catch {
    throw new EngineError(
      'unexpected',
      'Invalid response from authorization hook: expected a JSON object of strings',
    );
  }
}

/** From keys of the answer's body, where Hasura looks for them. */
function expiry(variables: Readonly<Record<string, string>>): number | undefined {
  const cacheControl = variables['cache-control'];
  const age = cacheControl === undefined ? undefined : maxAge(cacheControl);
  if (age !== undefined) return Date.now() + age * 1000;
  const expires = variables.expires;
  return expires === undefined ? undefined : parseExpires(expires);
}
