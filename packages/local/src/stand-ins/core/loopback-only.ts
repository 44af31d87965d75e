import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** What is answered, with status 403, to anybody else. */
export const FOREIGN = {
  error: 'forbidden',
  message:
    'This stand-in answers programs and pages of this machine alone: call it by http://127.0.0.1 or http://localhost, from a page of either.',
};

/** Long enough for a session of development. */
const PREFLIGHT_SECONDS = 7_200;

/**
 * Whether a request came by a name of this machine, and from no page of another host. Web pages can send
 * requests to this machine, and by a name of their own that leads here read the answers too.
 */
export function isFromThisMachine({ host, origin, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (!isLoopback(`http://${host}`)) return false;
  // No origin, but a page elsewhere: an image of it, or a link that was followed.
  return origin === undefined ? site !== 'cross-site' : isLoopback(origin);
}

/**
 * Refuses whoever is not of this machine, and lets pages of this machine on other ports, such as that of a
 * development server, read the answers (CORS).
 */
export function answerThisMachineOnly(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ method, headers }, reply) => {
    if (!isFromThisMachine(headers)) return reply.code(403).send(FOREIGN);
    const { origin, 'access-control-request-headers': wanted } = headers;
    if (origin === undefined) return;
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': '*',
      vary: 'origin',
    });
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return;
    return reply
      .code(204)
      .headers({
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'access-control-max-age': PREFLIGHT_SECONDS,
        ...(wanted !== undefined && { 'access-control-allow-headers': wanted }),
      })
      .send();
  });
}

function isLoopback(url: string): boolean {
  const { protocol = '', hostname = '' } = URL.parse(url) ?? {};
  return /^https?:$/.test(protocol) && /^(localhost|.+\.localhost|\[::1\]|127(\.\d{1,3}){3})$/.test(hostname);
}
