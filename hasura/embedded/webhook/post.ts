/** One HTTP request to a handler: its whole answer, or why there was none. */
import type { HeaderPairs } from './env-template.ts';

export interface WebhookRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers: HeaderPairs;
  /** Undefined: no body. */
  readonly body: string | undefined;
  /** For the whole exchange; 0 is no limit. */
  readonly timeoutMs: number;
  /** Gives up early. */
  readonly signal?: AbortSignal;
}

export interface WebhookAnswer {
  readonly status: number;
  readonly headers: HeaderPairs;
  readonly body: string;
}

/** The handler was not reached, broke off or took too long. */
export class WebhookUnreachable extends Error {
  override readonly name = 'WebhookUnreachable';
  readonly timedOut: boolean;
  constructor(message: string, timedOut: boolean, cause: unknown) {
    super(message, { cause });
    this.timedOut = timedOut;
  }
}

const DEFAULT_HEADERS: HeaderPairs = [
  ['Content-Type', 'application/json'],
  ['User-Agent', 'hasura-graphql-engine/embedded'],
];

/** What HTTP itself sets; a client of ours that forwards them would break the request. */
const HOP_BY_HOP = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Of several headers of one name the first is sent; Hasura's defaults fill in where there is none. */
export function webhookHeaders(...lists: readonly HeaderPairs[]): [name: string, value: string][] {
  const seen = new Set<string>();
  const kept: [string, string][] = [];
  for (const [name, value] of [...lists, DEFAULT_HEADERS].flat()) {
    const key = name.toLowerCase();
    if (seen.has(key) || HOP_BY_HOP.has(key)) continue;
    seen.add(key);
    kept.push([name, value]);
  }
  return kept;
}

/** @throws {WebhookUnreachable} whatever kept the answer from coming; any status is an answer */
export async function callWebhook(request: WebhookRequest): Promise<WebhookAnswer> {
  const timeout = request.timeoutMs > 0 ? AbortSignal.timeout(request.timeoutMs) : undefined;
  const signals = [timeout, request.signal].filter((signal) => signal !== undefined);
  try {
    const answer = await fetch(request.url, {
      method: request.method ?? 'POST',
      headers: webhookHeaders(request.headers),
      signal: AbortSignal.any(signals),
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    const body = await answer.text();
    return { status: answer.status, headers: answerHeaders(answer.headers), body };
  } catch (error) {
    const timedOut = timeout?.aborted === true;
    throw new WebhookUnreachable(timedOut ? 'response timeout' : reason(error), timedOut, error);
  }
}

function answerHeaders(headers: Headers): HeaderPairs {
  const rest = [...headers].filter(([name]) => name !== 'set-cookie');
  return [...rest, ...headers.getSetCookie().map((cookie) => ['set-cookie', cookie] as const)];
}

/** `fetch failed` says nothing; its cause does. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error.cause instanceof Error)) return error.message;
  return 'code' in error.cause ? String(error.cause.code) : error.cause.message;
}
