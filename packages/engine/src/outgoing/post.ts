/** One HTTP request to a handler: its whole answer, or why there was none. */
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { headerList } from '#base/headers.ts';
import { http } from '#base/node-http.ts';
import { HASURA_VERSION } from '#base/version.ts';
import type { HeaderPairs } from './env-template.ts';

export interface WebhookRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers: HeaderPairs;
  /** Undefined: no body. */
  readonly body: string | undefined;
  /** For the whole exchange; 0 is no limit. */
  readonly timeoutMs: number;
  /** Aborts the request. */
  readonly signal?: AbortSignal;
}

export interface WebhookAnswer {
  readonly status: number;
  readonly headers: HeaderPairs;
  readonly body: string;
}

/** The handler was not reached, closed the connection or took too long. */
class WebhookUnreachable extends Error {
  override readonly name = 'WebhookUnreachable';
  readonly timedOut: boolean;
  constructor(message: string, timedOut: boolean, cause: unknown) {
    super(message, { cause });
    this.timedOut = timedOut;
  }
}

/** Whether the timeout was the reason. */
export function isTimeout(error: unknown): boolean {
  return error instanceof WebhookUnreachable && error.timedOut;
}

const HTTP_AGENT = new http.Agent({ keepAlive: true });
const HTTPS_AGENT = new https.Agent({ keepAlive: true });

const DEFAULT_HEADERS: HeaderPairs = [
  ['Content-Type', 'application/json'],
  ['User-Agent', `hasura-graphql-engine/${HASURA_VERSION}`],
];

/** What HTTP itself sets: forwarding them would break the request. */
const HOP_BY_HOP = new Set([
  'accept-encoding',
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

/** Hasura's own first; of several headers of one name the first is sent. */
export function webhookHeaders(...lists: readonly HeaderPairs[]): [name: string, value: string][] {
  return firstOfEach([DEFAULT_HEADERS, ...lists].flat());
}

/** The same where the client's come before Hasura's own, as for actions. */
export function forwardedHeaders(
  client: HeaderPairs,
  configured: HeaderPairs,
): [name: string, value: string][] {
  return firstOfEach([...client, ...DEFAULT_HEADERS, ...configured]);
}

function firstOfEach(headers: HeaderPairs): [name: string, value: string][] {
  const seen = new Set<string>();
  const kept: [string, string][] = [];
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (seen.has(key) || HOP_BY_HOP.has(key)) continue;
    seen.add(key);
    kept.push([name, value]);
  }
  return kept;
}

/** @throws {WebhookUnreachable} where no answer came; any status is an answer */
export async function callWebhook(request: WebhookRequest): Promise<WebhookAnswer> {
  const timeout = request.timeoutMs > 0 ? AbortSignal.timeout(request.timeoutMs) : undefined;
  const signals = [timeout, request.signal].filter((signal) => signal !== undefined);
  try {
    return await exchange(request, AbortSignal.any(signals));
  } catch (error) {
    const timedOut = timeout?.aborted === true;
    throw new WebhookUnreachable(timedOut ? 'response timeout' : reason(error), timedOut, error);
  }
}

async function exchange(request: WebhookRequest, signal: AbortSignal): Promise<WebhookAnswer> {
  const answer = await ask(request, signal);
  const bytes = await buffer(answer);
  const zipped = answer.headers['content-encoding'] === 'gzip';
  return {
    status: answer.statusCode ?? 0,
    headers: headerList(answer.rawHeaders),
    body: (zipped ? gunzipSync(bytes) : bytes).toString(),
  };
}

/**
 * Asks once more where a connection that was used before ends without an answer: most likely the handler closed it
 * just then. It may have read the request all the same, as with Hasura.
 */
async function ask(request: WebhookRequest, signal: AbortSignal): Promise<IncomingMessage> {
  for (;;) {
    const client = send(request, signal);
    try {
      const [answer] = z
        .tuple([z.instanceof(http.IncomingMessage)])
        .parse(await once(client, 'response', { signal }));
      return answer;
    } catch (error) {
      if (signal.aborted || !client.reusedSocket) throw error;
    }
  }
}

/** Not `fetch`: it adds headers of its own and gives up after five minutes whatever the timeout says. */
function send(request: WebhookRequest, signal: AbortSignal): ClientRequest {
  const url = new URL(request.url);
  const secure = url.protocol === 'https:';
  const client = (secure ? https : http).request(url, {
    method: request.method ?? 'POST',
    agent: secure ? HTTPS_AGENT : HTTP_AGENT,
    setDefaultHeaders: false,
    signal,
  });
  const body = request.body === undefined ? undefined : Buffer.from(request.body);
  client.setHeader('Host', url.host);
  client.setHeader('Accept-Encoding', 'gzip');
  if (body !== undefined) client.setHeader('Content-Length', body.length);
  // Keeping connections is HTTP/1.1's default and needs no header.
  client.removeHeader('Connection');
  for (const [name, value] of firstOfEach(request.headers)) client.setHeader(name, value);
  client.end(body);
  return client;
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}
