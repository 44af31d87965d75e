/** HTTP in and out: reading bodies, writing answers, nothing of what they mean. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { EngineError } from '#base/errors.ts';
import { describeJsonError } from './json-error.ts';

/** Migrations and metadata of a large project fit well; what is larger is a mistake or an attack. */
const BODY_LIMIT = 100 * 1024 * 1024;
/** Of a GraphQL request, as anyone may send it. */
export const QUERY_LIMIT = 16 * 1024 * 1024;
const COMPRESS_FROM = 700;

export interface Answer {
  readonly status: number;
  /** JSON text unless a `Content-Type` says otherwise. */
  readonly body: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

/** @throws {EngineError} 413 for a body over the limit, in bytes */
export function readBody(request: IncomingMessage, limit = BODY_LIMIT): Promise<string> {
  // By events: iterating over the stream costs every request several ticks.
  return new Promise((resolve, reject) => {
    const gone = () => reject(new EngineError('bad-request', 'the client went away'));
    if (request.destroyed) return gone();
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else {
        chunks.length = 0;
        const message = `request body over ${limit} bytes; send less at a time`;
        reject(new EngineError('bad-request', message, { status: 413 }));
      }
    });
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
    request.on('aborted', gone);
  });
}

/**
 * @param parse how numbers are to be read
 * @throws {EngineError} `invalid-json`
 */
export function parseJson(text: string, parse: (text: string) => unknown = JSON.parse): unknown {
  try {
    return parse(text);
  } catch {
    throw new EngineError('invalid-json', describeJsonError(text));
  }
}

export function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body, headers = [] }: Answer,
  extra: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  for (const [name, value] of Object.entries(extra)) response.setHeader(name, value);
  if (status !== 204) response.setHeader('Content-Type', 'application/json; charset=utf-8');
  for (const [name, value] of headers) {
    if (name.toLowerCase() === 'set-cookie') response.appendHeader(name, value);
    else response.setHeader(name, value);
  }
  const compressed = body.length < COMPRESS_FROM ? undefined : compress(request, response, body);
  response.setHeader('Content-Length', compressed?.length ?? Buffer.byteLength(body));
  // Text goes out in one piece with the headers, and leaves no buffer behind.
  response.end(compressed ?? body);
}

/** Says how in the headers; undefined where the client takes it as it is. */
function compress(request: IncomingMessage, response: ServerResponse, body: string): Buffer | undefined {
  const accepted = String(request.headers['accept-encoding'] ?? '');
  if (/\bgzip\b/.test(accepted)) {
    response.setHeader('Content-Encoding', 'gzip');
    return gzipSync(body, { level: 1 });
  }
  if (/\bbr\b/.test(accepted)) {
    response.setHeader('Content-Encoding', 'br');
    return brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });
  }
  return undefined;
}
