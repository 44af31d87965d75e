/** The webhooks that say whether a mutation's input may be written (`validate_input` of permissions). */

import { z } from 'zod';
import type { Environment } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import { type HeaderList, IGNORED_CLIENT_HEADERS } from '#base/headers.ts';
import type { Session } from '#base/session.ts';
import { b3Headers, startTrace } from '#base/trace.ts';
import type { InputHook } from '#ir/validation.ts';
import { clientHeaders } from '#outgoing/client-headers.ts';
import { resolveHeaders } from '#outgoing/env-template.ts';
import { callWebhook, forwardedHeaders, isTimeout, type WebhookAnswer } from '#outgoing/post.ts';

export interface InputHookContext {
  readonly session: Session;
  /** The client's. */
  readonly headers: HeaderList;
  readonly env: Environment;
}

const PAYLOAD_VERSION = 1;
const refusal = z.object({ message: z.string() });

/**
 * Resolves where the webhook agrees.
 * @param input JSON text: rows to insert, or the arguments of an update or a deletion, as a list
 * @throws {EngineError} `validation-failed` with the webhook's own message, or `unexpected`
 */
export async function validateInput(
  hook: InputHook,
  input: string,
  { session, headers, env }: InputHookContext,
): Promise<void> {
  const forwarded = hook.forwardClientHeaders ? clientHeaders(headers, IGNORED_CLIENT_HEADERS) : [];
  const answer = await callWebhook({
    url: hook.url,
    headers: [
      ...b3Headers(session.trace ?? startTrace()),
      ...forwardedHeaders(forwarded, resolveHeaders(hook.headers, env)),
    ],
    body: payload(input, session),
    timeoutMs: hook.timeoutSeconds * 1000,
  }).catch((error: unknown) => {
    if (error instanceof EngineError) throw error;
    throw failure('http exception when validating input data', describe(error, hook), error);
  });
  if (answer.status >= 200 && answer.status < 300) return;
  if (answer.status === 400) {
    throw new EngineError('validation-failed', readRefusal(answer));
  }
  throw failure(
    'internal error when validating input data',
    `expecting 200 or 400 status code, but found ${answer.status}`,
  );
}

function payload(input: string, session: Session): string {
  const parts = [
    `"data":{"input":${input}}`,
    `"role":${JSON.stringify(session.role)}`,
    `"session_variables":${JSON.stringify(session.variables)}`,
    `"version":${PAYLOAD_VERSION}`,
  ];
  return `{${parts.join(',')}}`;
}

function readRefusal({ body }: WebhookAnswer): string {
  try {
    return refusal.parse(JSON.parse(body)).message;
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'expected an object with a text "message"';
    throw failure('received invalid response from input validation webhook', `invalid response: ${reason}`);
  }
}

function describe(error: unknown, { url, timeoutSeconds }: InputHook) {
  const target = URL.parse(url);
  if (target === null) return { type: 'invalid_url', message: 'Invalid URL' };
  const secure = target.protocol === 'https:';
  return {
    type: 'http_exception',
    message: isTimeout(error) ? 'Response timeout' : 'Connection failure',
    request: {
      host: target.hostname,
      method: 'POST',
      path: target.pathname,
      port: Number(target.port || (secure ? 443 : 80)),
      queryString: target.search,
      responseTimeout: `ResponseTimeoutMicro ${timeoutSeconds * 1_000_000}`,
      secure,
    },
  };
}

function failure(message: string, internal: unknown, cause?: unknown): EngineError {
  return new EngineError('unexpected', message, { status: 500, internal, cause });
}
