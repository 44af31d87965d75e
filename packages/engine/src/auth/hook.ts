/** The authentication webhook: Hasura asks another service who the client is. */
import { z } from 'zod';
import { EngineError } from '#base/errors.ts';
import { type HeaderList, IGNORED_CLIENT_HEADERS } from '#base/headers.ts';
import type { Logger } from '#base/log.ts';
import { byLowerCaseName, createSession, ROLE_VARIABLE } from '#base/session.ts';
import { b3Headers, startTrace, w3cHeaders } from '#base/trace.ts';
import { callWebhook, type WebhookRequest, webhookHeaders } from '#outgoing/post.ts';
import { parseFirstKeyJson } from '#values/exact-json.ts';
import { isPlainObject, jsonType } from '#values/json.ts';
import type { Authenticated } from './authenticated.ts';
import { maxAge, parseExpires } from './cache-control.ts';

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
export async function callHook(
  hook: AuthHook,
  headers: HeaderList,
  request: unknown,
  log: Logger,
): Promise<Authenticated> {
  const response = await callWebhook(hookRequest(hook, headers, request)).catch((error: unknown) => {
    log.error('webhook-log', { url: hook.url, method: hook.mode, error: String(error) });
    throw new EngineError('unexpected', 'webhook authentication request failed');
  });
  if (response.status !== 200)
    log.error('webhook-log', { url: hook.url, method: hook.mode, status_code: response.status });
  if (response.status === 401)
    throw new EngineError('access-denied', 'Authentication hook unauthorized this request');
  if (response.status !== 200)
    throw new EngineError('unexpected', 'Invalid response from authorization hook');
  const answered = parse(response.body);
  const variables = byLowerCaseName(answered);
  const role = variables[ROLE_VARIABLE];
  if (role === undefined || role === '')
    throw new EngineError('invalid-params', '"x-hasura-role" not found in session variables');
  return {
    session: createSession(role, variables),
    expiresAt: expiry(answered),
    // Hasura hands them on in reverse.
    responseHeaders: response.headers.filter(([name]) => name.toLowerCase() === 'set-cookie').toReversed(),
  };
}

function hookRequest(hook: AuthHook, headers: HeaderList, request: unknown): WebhookRequest {
  const trace = startTrace();
  const traced = [...b3Headers(trace), ...w3cHeaders(trace)];
  const { url } = hook;
  if (hook.mode === 'GET') {
    const forwarded = headers.filter(([name]) => !IGNORED_CLIENT_HEADERS.includes(name.toLowerCase()));
    const sent = [...traced, ...webhookHeaders(forwarded)];
    return { url, method: 'GET', headers: sent, body: undefined, timeoutMs: TIMEOUT_MS };
  }
  const body = JSON.stringify({
    headers: Object.fromEntries(headers),
    ...(hook.sendRequestBody ? { request: request ?? null } : {}),
  });
  return { url, headers: [...traced, ...webhookHeaders()], body, timeoutMs: TIMEOUT_MS };
}

function parse(text: string): Record<string, string> {
  const found = answer.safeParse(readJson(text));
  if (found.success) return found.data;
  throw unreadable(describeProblem(readJson(text)));
}

function readJson(text: string): unknown {
  try {
    return parseFirstKeyJson(text);
  } catch {
    throw unreadable('not valid JSON');
  }
}

const unreadable = (reason: string) =>
  new EngineError('unexpected', `Invalid response from authorization hook: ${reason}`);

function describeProblem(value: unknown): string {
  const told = (at: string, what: string, expected: string, found: unknown) =>
    `Error in ${at}: parsing ${what} failed, expected ${expected}, but encountered ${jsonType(found)}`;
  if (!isPlainObject(value)) return told('$', 'HashMap ~Text', 'Object', value);
  const [name, wrong] = Object.entries(value).find(([, one]) => typeof one !== 'string') ?? ['', undefined];
  return told(/^[A-Za-z][A-Za-z0-9_]*$/.test(name) ? `$.${name}` : `$['${name}']`, 'Text', 'String', wrong);
}

/** From keys of the answer's body, where Hasura looks for them, in no other spelling. */
function expiry(variables: Readonly<Record<string, string>>): number | undefined {
  const cacheControl = variables['Cache-Control'];
  const age = cacheControl === undefined ? undefined : maxAge(cacheControl);
  if (age !== undefined) return Date.now() + age * 1000;
  const expires = variables.Expires;
  return expires === undefined ? undefined : parseExpires(expires);
}
