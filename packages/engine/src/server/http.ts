/** HTTP in and out: reading bodies, writing answers, nothing of what they mean. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { EngineError } from '#base/errors.ts';
import { parseFirstKeyJson } from '#values/exact-json.ts';
import { describeJsonError, NO_UTF8 } from './json-error.ts';

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
export function readBody(request: IncomingMessage, limit = BODY_LIMIT): Promise<Buffer> {
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
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('aborted', gone);
  });
}

/**
 * @param parse how numbers are to be read
 * @throws {EngineError} `invalid-json`
 */
export function parseJson(body: Buffer, parse: (text: string) => unknown = parseFirstKeyJson): unknown {
  if (!isUtf8(body)) throw new EngineError('invalid-json', NO_UTF8);
  const text = body.toString('utf8');
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
  const size = Buffer.byteLength(body);
  const compressed = isCompressed(request.headers['accept-encoding'], size)
    ? gzipSync(body, { level: 1 })
    : undefined;
  if (compressed !== undefined) response.setHeader('Content-Encoding', 'gzip');
  response.setHeader('Content-Length', compressed?.length ?? size);
  // Text goes out in one piece with the headers, and leaves no buffer behind.
  response.end(compressed ?? body);
}

/**
 * Whether a body of `size` bytes is zipped. As in Hasura, qualities count where they are written as `;q=0` alone,
 * and a client that takes nothing but gzip gets it however little there is.
 */
function isCompressed(accepted: string | readonly string[] | undefined, size: number): boolean {
  if (accepted === undefined) return false;
  const codings = String(accepted)
    .split(',')
    .map((coding) => coding.trim());
  if (!codings.some((coding) => coding.startsWith('gzip')) || codings.includes('gzip;q=0')) return false;
  const identityRefused =
    codings.includes('identity;q=0') ||
    (codings.includes('*;q=0') && !codings.some((coding) => coding.startsWith('identity')));
  return identityRefused || size >= COMPRESS_FROM;
}
