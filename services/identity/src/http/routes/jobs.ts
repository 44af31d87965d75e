import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { HasuraClient } from '#hasura/client.ts';
import { requireEngineSecret } from '#http/engine-secret.ts';
import type { ReconcileJob } from '#sync/reconcile-job.ts';
import { clearLedger, erasePayloads } from '#sync/retention.ts';

/** Less than Hasura waits. A reconcile may take hours; its result is in identity.reconciles. */
const MAX_WAIT_MS = 20_000;

/** `POST /jobs/…`: what Hasura's cron triggers call. Each may be called at any time, and twice at once. */
export function jobs(
  app: FastifyInstance,
  services: {
    readonly engineSecrets: readonly string[];
    /** How long the ledger keeps a delivery. */
    readonly retentionDays: number;
    /** How long `/jobs/reconcile` waits for the end of the run before it answers, in milliseconds. */
    readonly maxWaitMs?: number;
    readonly engine: Pick<HasuraClient, 'request'>;
    readonly reconcile: Pick<ReconcileJob, 'run'>;
  },
): void {
  const { engine, engineSecrets, retentionDays, reconcile, maxWaitMs = MAX_WAIT_MS } = services;

  void app.register(async (scope) => {
    requireEngineSecret(scope, engineSecrets);

    scope.post('/jobs/retention', async ({ log }) => {
      const cleared = await clearLedger(engine, { days: retentionDays });
      log.info(cleared, 'old deliveries removed');
      return cleared;
    });

    scope.post('/jobs/erasure', async ({ log }) => {
      const cleared = await erasePayloads(engine);
      log.info(cleared, 'payloads of deleted users erased');
      return cleared;
    });

    scope.post('/jobs/reconcile', async ({ log }, reply) => {
      const running = reconcile.run();
      running.then(
        (providers) => log.info({ providers }, 'reconciled'),
        (err: unknown) => log.error({ err }, 'the reconcile failed'),
      );
      const waited = new AbortController();
      const outcome = await Promise.race([
        running,
        sleep(maxWaitMs, undefined, { signal: waited.signal }),
      ]).finally(() => waited.abort());
      if (outcome === undefined) return reply.code(202).send({ status: 'under-way' });
      const isWell = outcome.every(({ status }) => status !== 'failed');
      return reply.code(isWell ? 200 : 503).send({ providers: outcome });
    });
  });
}
