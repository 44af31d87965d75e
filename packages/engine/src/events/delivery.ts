/** One attempt to hand an event to its webhook, and what the invocation log says of it. */
import type { EngineConfig } from '#base/config.ts';
import {
  fillTemplate,
  type HeaderPairs,
  type HeaderSetting,
  resolveHeaders,
} from '#outgoing/env-template.ts';
import { callWebhook, type WebhookAnswer, webhookHeaders } from '#outgoing/post.ts';
import {
  isRequestFailure,
  type Transforms,
  transformRequest,
  transformResponse,
} from '#webhook/transform.ts';

export interface Attempt {
  /** The URL's template. */
  readonly webhook: string;
  readonly headers: readonly HeaderSetting[];
  /** JSON text. */
  readonly body: string;
  readonly timeoutSeconds: number;
  readonly transforms: Transforms;
  readonly sessionVariables: Readonly<Record<string, string>> | undefined;
  readonly signal: AbortSignal;
}

export interface Outcome {
  readonly delivered: boolean;
  /** HTTP status; undefined where there was no answer. */
  readonly status: number | undefined;
  /** The handler's `Retry-After`: another attempt is due whatever the retry settings say. */
  readonly retryAfterSeconds: number | undefined;
  /** Another attempt cannot help. */
  readonly hopeless: boolean;
  /** As the invocation logs keep them: JSON text. */
  readonly request: string;
  readonly response: string;
}

const LOG_VERSION = '2';
const LONGEST_SECONDS = 30 * 60;

/** Never throws: whatever goes wrong is the outcome. */
export async function deliver(attempt: Attempt, env: EngineConfig['env']): Promise<Outcome> {
  const logged = attempt.headers.map((setting) => ({ ...setting }));
  const requestLog = (body: string) =>
    `{"payload":${jsonOrString(body)},"headers":${JSON.stringify(logged)},"version":"${LOG_VERSION}"}`;
  const failed = (message: string, hopeless: boolean): Outcome => ({
    delivered: false,
    status: undefined,
    retryAfterSeconds: undefined,
    hopeless,
    request: requestLog(attempt.body),
    response: clientError(JSON.stringify({ error: message })),
  });
  try {
    const plain = {
      url: fillTemplate(attempt.webhook, env),
      method: 'POST',
      headers: webhookHeaders(resolveHeaders(attempt.headers, env)),
      body: attempt.body,
    };
    const { transforms, sessionVariables } = attempt;
    const request = transformRequest(transforms.request, plain, { sessionVariables, env });
    const answer = await callWebhook({
      ...request,
      timeoutMs: Math.min(attempt.timeoutSeconds, LONGEST_SECONDS) * 1000,
      signal: attempt.signal,
    });
    const delivered = answer.status >= 200 && answer.status < 300;
    const body = delivered
      ? transformResponse(transforms.response, answer, { sessionVariables, env, request: plain })
      : answer.body;
    return {
      delivered,
      status: answer.status,
      retryAfterSeconds: delivered ? undefined : retryAfter(answer.headers),
      hopeless: false,
      request: requestLog(request.body ?? 'null'),
      response: delivered ? answerLog(answer, body) : clientError(body),
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return failed(message, isRequestFailure(error));
  }
}

function answerLog(answer: WebhookAnswer, body: string): string {
  const headers = answer.headers.map(([name, value]) => ({ name, value }));
  return JSON.stringify({
    type: 'webhook_response',
    data: { status: answer.status, headers, body },
    version: LOG_VERSION,
  });
}

function clientError(message: string): string {
  return JSON.stringify({ type: 'client_error', data: { message }, version: LOG_VERSION });
}

function jsonOrString(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

function retryAfter(headers: HeaderPairs): number | undefined {
  const value = headers.find(([name]) => name.toLowerCase() === 'retry-after')?.[1];
  const seconds = value !== undefined && /^\d+$/.test(value) ? Number(value) : 0;
  return seconds > 0 ? seconds : undefined;
}
