import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorCode, LatchkeyError } from '@latchkey/core/errors';
import type { FastifyInstance } from 'fastify';

/** Of all headers together, in bytes; Node's own default, whatever NODE_OPTIONS says. */
const MAX_HEADER_SIZE = 16 * 1024;
/** Hasura's requests have some twenty of them, browsers' as many. */
export const MAX_HEADERS = 200;
/** In bytes. Providers' events have some thousand; those of large organizations a hundred thousand. */
export const BODY_LIMIT = 1024 * 1024;
/** For a whole request to arrive: providers send at once, and a trickle is an attack. */
export const REQUEST_TIMEOUT_MS = 15_000;

/** For Node's HTTP server. */
export const SERVER_OPTIONS = {
  maxHeaderSize: MAX_HEADER_SIZE,
  requestTimeout: REQUEST_TIMEOUT_MS,
  // If it were the larger one, and it is 60 s by default, Node would take the one for the other.
  headersTimeout: REQUEST_TIMEOUT_MS,
  // By itself Node looks for slow requests every 30 s only.
  connectionsCheckingInterval: 1_000,
};

/** @throws LatchkeyError `headers-too-large` */
export function checkHeaderCount(count: number): void {
  if (count <= MAX_HEADERS) return;
  throw new LatchkeyError(
    'headers-too-large',
    `The request has ${count} headers: send at most ${MAX_HEADERS}.`,
  );
}

/** Refuses requests with too many headers before anything else is done with them. */
export function limitHeaders(app: FastifyInstance): void {
  // A flat list of names and values.
  app.addHook('onRequest', async ({ raw }) => checkHeaderCount(raw.rawHeaders.length / 2));
}

const CLIENT_ERRORS: Record<string, readonly [ErrorCode, string]> = {
  HPE_HEADER_OVERFLOW: [
    'headers-too-large',
    `The headers have more than ${MAX_HEADER_SIZE} bytes together: send fewer or shorter ones.`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    'request-timeout',
    `The request took more than ${REQUEST_TIMEOUT_MS / 1000} s to arrive: send it without pauses.`,
  ],
};

/** Answers what never became a request, `{code, message}` as everywhere, and ends the connection. */
export function clientErrorHandler(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, message] = CLIENT_ERRORS[error.code ?? ''] ?? [
    'request-invalid',
    'This is no HTTP/1.1 request.',
  ];
  const { status } = new LatchkeyError(code, message);
  const body = JSON.stringify({ code, message });
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  // Whoever sends slowly may read slowly too.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

const LINGER_MS = 1_000;
