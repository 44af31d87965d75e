/** Calls an action's handler and reads its answer. */
import { z } from 'zod';
import type { Environment } from '#base/config.ts';
import { EngineError, toEngineError } from '#base/errors.ts';
import { type HeaderList, IGNORED_CLIENT_HEADERS } from '#base/headers.ts';
import type { TrackedAction } from '#ir/actions.ts';
import { clientHeaders } from '#outgoing/client-headers.ts';
import { fillTemplate, type HeaderPairs, resolveHeaders } from '#outgoing/env-template.ts';
import { callWebhook, forwardedHeaders, type WebhookAnswer } from '#outgoing/post.ts';
import { parseExactJson } from '#values/exact-json.ts';
import type { Json } from '#values/json.ts';
import { type PlainRequest, transformRequest, transformResponse } from '#webhook/transform.ts';
import { checkAnswer } from './output.ts';

export interface ActionCall {
  readonly action: TrackedAction;
  /** JSON text. */
  readonly input: string;
  readonly sessionVariables: Readonly<Record<string, string>>;
  /** The client's; forwarded where the action says so. */
  readonly headers: HeaderList;
  /** The GraphQL text; undefined for an asynchronous call. */
  readonly query: string | undefined;
  readonly env: Environment;
  readonly signal?: AbortSignal;
}

export interface HandlerAnswer {
  /** Numbers may be `NumberLiteral`. */
  readonly value: unknown;
  readonly cookies: HeaderPairs;
}

const refusal = z.object({
  message: z.string(),
  code: z.string().nullish(),
  extensions: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * @returns an answer that fits the output type
 * @throws {EngineError} what the handler refused (4xx, with its own code and extensions), or `unexpected`
 */
export async function callHandler(call: ActionCall): Promise<HandlerAnswer> {
  const { action, env } = call;
  const { definition } = action;
  const plain: PlainRequest = {
    url: fillTemplate(definition.handler, env),
    method: 'POST',
    headers: handlerHeaders(call),
    body: payload(call),
  };
  const context = { sessionVariables: call.sessionVariables, env };
  const request = transformRequest(definition.request_transform, plain, context);
  const internal = (error: unknown, response: Json = null) => ({
    error,
    request: {
      action: { name: action.name },
      input: JSON.parse(call.input),
      request_query: call.query ?? null,
      transformed_request: definition.request_transform === undefined ? null : describeRequest(request),
      url: definition.handler,
    },
    response,
  });
  const answer = await callWebhook({
    ...request,
    timeoutMs: definition.timeout * 1000,
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  }).catch((error: unknown) => {
    const reason = {
      type: 'http_exception',
      message: error instanceof Error ? error.message : String(error),
    };
    throw new EngineError('unexpected', 'http exception when calling webhook', {
      status: 500,
      internal: internal(reason),
      cause: error,
    });
  });
  const text = transformResponse(definition.response_transform, answer, { ...context, request: plain });
  const value = parseAnswer(text, (error) => internal(error, describeAnswer(answer, answer.body)));
  return readAnswer(value, text, answer, action, internal);
}

type Internal = (error: unknown, response?: Json) => unknown;

function readAnswer(
  value: unknown,
  text: string,
  answer: WebhookAnswer,
  action: TrackedAction,
  internal: Internal,
): HandlerAnswer {
  const described = () => describeAnswer(answer, z.json().parse(JSON.parse(text)));
  const { status } = answer;
  if (status >= 200 && status < 300) {
    try {
      checkAnswer(value, action.output, action.outputObject);
    } catch (error) {
      throw withInternal(error, internal('unexpected response', described()));
    }
    return { value, cookies: answer.headers.filter(([name]) => name.toLowerCase() === 'set-cookie') };
  }
  if (status >= 400 && status < 500) {
    const parsed = refusal.safeParse(value);
    if (!parsed.success) {
      throw new EngineError('parse-failed', unreadableRefusal(value), {
        internal: internal('unexpected response', described()),
      });
    }
    const { message, code, extensions } = parsed.data;
    throw new EngineError(code ?? 'unexpected', message, {
      status,
      ...(extensions === undefined || extensions === null ? {} : { extensions }),
    });
  }
  throw new EngineError('unexpected', 'internal error', {
    status: 500,
    internal: internal(`expecting 2xx or 4xx status code, but found ${status}`, described()),
  });
}

function unreadableRefusal(value: unknown): string {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) return 'parsing ActionWebhookErrorResponse failed, expected Object';
  return 'message' in value ? 'parsing ActionWebhookErrorResponse failed' : 'key "message" not found';
}

function withInternal(error: unknown, internal: unknown): EngineError {
  const known = toEngineError(error);
  return new EngineError(known.code, known.message, { status: known.status, internal, cause: error });
}

function parseAnswer(text: string, internal: (error: string) => unknown): unknown {
  try {
    return parseExactJson(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError('unexpected', 'not a valid json response from webhook', {
      status: 500,
      internal: internal(`invalid JSON: ${reason}`),
    });
  }
}

function payload({ action, input, sessionVariables, query }: ActionCall): string {
  const parts = [
    `"action":${JSON.stringify({ name: action.name })}`,
    `"input":${input}`,
    `"request_query":${JSON.stringify(query ?? null)}`,
    `"session_variables":${JSON.stringify(sessionVariables)}`,
  ];
  return `{${parts.join(',')}}`;
}

function handlerHeaders({ action, headers, env }: ActionCall): HeaderPairs {
  const { definition } = action;
  const forwarded = definition.forward_client_headers
    ? clientHeaders(headers, definition.ignored_client_headers ?? IGNORED_CLIENT_HEADERS)
    : [];
  return forwardedHeaders(forwarded, resolveHeaders(definition.headers, env));
}

function describeAnswer(answer: WebhookAnswer, body: Json): Json {
  return { body, headers: answer.headers.map(([name, value]) => ({ name, value })), status: answer.status };
}

function describeRequest(request: PlainRequest): Json {
  return { url: request.url, method: request.method, body: request.body ?? null };
}
