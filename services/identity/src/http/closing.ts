import { setTimeout as sleep } from 'node:timers/promises';
import { LatchkeyError } from '@latchkey/core/errors';
import type { FastifyInstance } from 'fastify';

/**
 * How long connections are still answered on once the service is asked to stop. A client that keeps one open
 * may be sending its next request at that moment: it is told to come back, and that the connection ends.
 */
const LAST_REQUESTS_MS = 300;

/**
 * Makes the app end so that each request gets an answer: its own if it was under way, and else 503 with
 * `Retry-After` (Fastify's own 503 has neither that nor our codes).
 *
 * @param stopJobs ends what the app does without being asked
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
  // New connections are taken until these hooks are through.
  app.addHook('preClose', async () => {
    isClosing = true;
    await Promise.all([stopJobs(), lastRequests(app)]);
  });
}

async function lastRequests({ server }: FastifyInstance): Promise<void> {
  const connections = await new Promise<number>((resolve) => {
    server.getConnections((error, count) => resolve(error === null ? count : 0));
  });
  if (connections > 0) await sleep(LAST_REQUESTS_MS);
}
