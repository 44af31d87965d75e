import Fastify from 'fastify';
import { z } from 'zod';
import { LOOPBACK } from '#processes/ports.ts';
import type { Endpoint } from '#stand-ins/core/endpoint.ts';
import type { Faults } from '#stand-ins/core/faults.ts';
import { answerThisMachineOnly } from '#stand-ins/core/loopback-only.ts';
import type { StandInAttempt } from '#stand-ins/core/provider.ts';

export interface WebhookRelay {
  /** What the Lambda functions take for the service. */
  url: string;
  close(): Promise<void>;
}

const HINT = z.object({ type: z.string() });
const PASSED_ON = ['content-type', 'webhook-id', 'webhook-timestamp', 'webhook-signature'];
const PASSED_BACK = ['content-type', 'retry-after', 'location'];

/**
 * Stands between the Lambda functions and the service, where the other stand-ins send by themselves: it passes
 * on what the functions have signed, as it is, and lets it fail as the faults say.
 */
export async function startWebhookRelay({
  endpoint,
  faults,
  onAttempt,
}: {
  endpoint: Endpoint;
  faults: Faults;
  onAttempt?: ((attempt: StandInAttempt) => void) | undefined;
}): Promise<WebhookRelay> {
  /** Of the deliveries that have not been taken yet, how often they came. */
  const numbers = new Map<string, number>();
  const app = Fastify({ forceCloseConnections: true });
  answerThisMachineOnly(app);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body);
  app.post<{ Body: string }>('/', async (request, reply) => {
    const { headers, body } = request;
    const { type } = HINT.parse(JSON.parse(body));
    const id = String(headers['webhook-id']);
    const number = (numbers.get(id) ?? 0) + 1;
    const forward = async (): Promise<Response> =>
      fetch(endpoint.url() ?? '', {
        method: 'POST',
        redirect: 'manual',
        headers: Object.fromEntries(PASSED_ON.map((name) => [name, String(headers[name])])),
        body,
      });

    const plan = faults.onWebhook(type);
    await plan.held;
    let answer: Response | undefined;
    if (!plan.lost && !plan.dropped) {
      answer = await forward().catch(() => undefined);
      if (plan.duplicated) await forward().catch(() => undefined);
    }
    plan.done();

    const status = answer?.status;
    const delivered = answer?.ok ?? false;
    // Whether there is time left for another attempt the function alone knows.
    const willRetry = !delivered && !plan.lost && (status === undefined || status === 429 || status >= 500);
    if (willRetry) numbers.set(id, number);
    else numbers.delete(id);
    onAttempt?.({ type, number, status, delivered, willRetry });

    if (plan.lost) return reply.code(204).send();
    if (answer === undefined) {
      reply.hijack();
      request.raw.destroy();
      return reply;
    }
    for (const name of PASSED_BACK) {
      const value = answer.headers.get(name);
      if (value !== null) reply.header(name, value);
    }
    return reply.code(answer.status).send(await answer.text());
  });
  const url = await app.listen({ host: LOOPBACK, port: 0 });
  return { url, close: () => app.close() };
}
