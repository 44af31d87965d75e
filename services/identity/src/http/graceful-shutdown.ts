import { setTimeout as sleep } from 'node:timers/promises';
import { LatchkeyError } from '@latchkey/core/errors';
import type { FastifyInstance } from 'fastify';

/**
 * How long requests on open connections are still answered after the signal to stop. A client with a keep-alive
 * connection may be sending its next request at that moment: it gets 503 and `connection: close`.
 */
const KEEP_ALIVE_GRACE_MS = 300;

/**
 * Makes `app.close()` answer each request: those in flight as usual, later ones by 503 with
 * `Retry-After` (Fastify's own 503 has neither that nor our codes).
 *
 * @param stopJobs ends the background jobs
 */
export function closeGracefully(app: FastifyInstance, stopJobs: () => Promise<void>): void {
  let isClosing = false;
  app.addHook('onRequest', async () => {
    if (isClosing) throw new LatchkeyError('shutting-down', 'The service is stopping: send it again.');
  });
  // A connection kept alive after its last answer would keep the process alive as well.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isClosing) reply.header('connection', 'close');
    done(null, payload);
  });
  // New connections are accepted until these hooks have ended.
  app.addHook('preClose', async () => {
    isClosing = true;
    await Promise.all([stopJobs(), answerLastRequests(app)]);
  });
}

async function answerLastRequests({ server }: FastifyInstance): Promise<void> {
  const connections = await new Promise<number>((resolve) => {
    server.getConnections((error, count) => resolve(error === null ? count : 0));
  });
  if (connections > 0) await sleep(KEEP_ALIVE_GRACE_MS);
}
