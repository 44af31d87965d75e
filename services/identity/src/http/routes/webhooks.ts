import type { FastifyInstance } from 'fastify';
import type { ProviderName } from '#core/records.ts';
import { withoutPart } from '#providers/parts.ts';
import type { Registry } from '#providers/registry.ts';
import { deliver, toHttpError } from '#sync/deliver.ts';
import type { ReconcileJob } from '#sync/reconcile-job.ts';
import type { Writer } from '#sync/writer.ts';

/** `POST /webhooks/<provider>`: verify, hand over, answer. 2xx only after the commit. */
export function webhooks(
  app: FastifyInstance,
  services: { providers: Registry; writer: Writer; reconcile: Pick<ReconcileJob, 'schedule'> },
): void {
  /** If the process ends before that is done, the next scheduled reconcile does it. */
  function scheduleReconcile(provider: ProviderName): void {
    app.log.info({ provider }, 'more has changed than was read at once: a reconcile brings the rest');
    services.reconcile.schedule(provider).then(
      (outcome) => app.log.info({ providers: [outcome] }, 'reconciled'),
      (err: unknown) => app.log.error({ err }, 'the reconcile failed'),
    );
  }

  void app.register(async (scope) => {
    // Signatures are made over the bytes, whatever the content type says they are.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

    for (const provider of services.providers.values()) {
      const { webhooks } = provider;
      scope.post(`/webhooks/${provider.name}`, async (request) => {
        if (webhooks === undefined) throw withoutPart(provider, 'webhooks', 'not-found');
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const delivery = webhooks.verify({ headers: request.headers, body, receivedAt: Date.now() });
        const result = await deliver(webhooks, services.writer, delivery);
        const { status, type, error } = result;
        // Reasons of dead ones may quote what was sent.
        const why = status === 'ignored' && error !== null ? { reason: error } : {};
        request.log.info({ delivery: delivery.id, provider: provider.name, type, status, ...why }, 'settled');
        const httpError = toHttpError(result);
        if (httpError !== undefined) throw httpError;
        if (result.isPartial) scheduleReconcile(provider.name);
        // With a body, as some senders take only 200 for success: Casdoor files a record of any other answer.
        return { status };
      });
    }
  });
}
