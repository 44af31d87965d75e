/** How long a request may take to arrive, and what is answered to those that never become one. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { apiErrorBody, EngineError } from '#base/errors.ts';
import { http } from '#base/node-http.ts';

/** For a whole request, its body included. */
const SLOWEST_REQUEST_MS = 15_000;

/** For Node's HTTP server. */
export const SERVER_OPTIONS = {
  requestTimeout: SLOWEST_REQUEST_MS,
  // If it were the larger one, and it is 60 s by default, Node would take the one for the other.
  headersTimeout: SLOWEST_REQUEST_MS,
  // By itself Node looks for slow requests every 30 s only.
  connectionsCheckingInterval: 1_000,
};

/** Answers in the words of the metadata API, and ends the connection. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  writeError(socket, explain(error.code));
  // A client that sends slowly may read slowly too.
  setTimeout(() => socket.destroy(), 1_000).unref();
}

function explain(code: string | undefined): EngineError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new EngineError(
        'timeout',
        `the request took more than ${SLOWEST_REQUEST_MS / 1000} s to arrive; send it without pauses`,
      );
    case 'HPE_HEADER_OVERFLOW':
      return new EngineError('bad-request', 'the headers are too large; send fewer or shorter ones', {
        status: 431,
      });
    default:
      return new EngineError('bad-request', 'this is no HTTP/1.1 request');
  }
}

/**
 * Answers on a connection that has no response object.
 *
 * @param body what is told of the error, as JSON
 */
export function writeError(
  socket: Duplex,
  error: EngineError,
  body: Record<string, unknown> = apiErrorBody(error, false),
): void {
  const text = JSON.stringify(body);
  socket.end(
    [
      `HTTP/1.1 ${error.status} ${http.STATUS_CODES[error.status] ?? ''}`,
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(text)}`,
      'Connection: close',
      '',
      text,
    ].join('\r\n'),
  );
}
