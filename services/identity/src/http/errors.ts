import { type ErrorCode, LatchkeyError } from '@latchkey/core/errors';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

const RETRY_AFTER_SECONDS = 5;

/** Fastify's own errors by our codes. */
const FASTIFY_CODES: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload-too-large',
};

const NOT_STORED = 'Nothing was stored. Send it again later.';
const NOT_NOW = 'This cannot be answered just now: ask again later. The log of the service says why.';

/**
 * Answers errors as `{code, message}`. 4xx explain themselves; 5xx say nothing of the inside and are
 * logged whole.
 */
export function errorHandler(
  error: FastifyError | LatchkeyError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const latchkeyError = toLatchkeyError(error);
  if (latchkeyError.status < 500) {
    request.log.info({ code: latchkeyError.code }, 'refused');
    return reply
      .code(latchkeyError.status)
      .send({ code: latchkeyError.code, message: latchkeyError.message });
  }
  // Nothing is wrong while the service stops.
  const level = latchkeyError.code === 'shutting-down' ? 'info' : 'error';
  request.log[level]({ err: error, code: latchkeyError.code }, 'failed');
  if (latchkeyError.retriable) {
    return reply
      .code(latchkeyError.status)
      .header('retry-after', RETRY_AFTER_SECONDS)
      .send({ code: 'unavailable', message: isDelivery(request) ? NOT_STORED : NOT_NOW });
  }
  return reply.code(500).send({ code: 'internal', message: 'Something went wrong here; it was logged.' });
}

/** Whether somebody waits to hear that what they sent is stored. */
function isDelivery({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.startsWith('/webhooks/') ?? false;
}

export function notFoundHandler(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply
    .code(404)
    .send({ code: 'not-found', message: `There is no ${request.method} of this path: see the README.` });
}

/** Any error as a LatchkeyError. */
export function toLatchkeyError(error: FastifyError | LatchkeyError): LatchkeyError {
  if (error instanceof LatchkeyError) return error;
  if (error.statusCode === undefined || error.statusCode >= 500) {
    return new LatchkeyError('internal', 'Unforeseen.', { cause: error });
  }
  return new LatchkeyError(FASTIFY_CODES[error.code] ?? 'request-invalid', error.message);
}
