import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Engine } from '../../hasura/graphql.ts';
import { createReconcileJob } from '../../sync/reconcile-job.ts';
import { clearLedger, erasePayloads } from '../../sync/retention.ts';
import type { Services } from '../app.ts';
import { requireEngineSecret } from '../engine-secret.ts';

/** Less than Hasura waits. A reconcile may take hours; what became of it is in identity.reconciles. */
const LONGEST_WAIT_MS = 20_000;

/** `POST /jobs/…`: what Hasura's cron triggers call. Each may be called at any time, and twice at once. */
export function jobs(
  app: FastifyInstance,
  services: Pick<Services, 'providers' | 'writer' | 'engineSecrets' | 'retentionDays' | 'vanishing'> & {
    readonly engine: Pick<Engine, 'ask'>;
  },
): void {
  const { engine, engineSecrets, retentionDays } = services;
  const reconcile = createReconcileJob(services);
  app.addHook('preClose', () => reconcile.close());

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
        sleep(LONGEST_WAIT_MS, undefined, { signal: waited.signal }),
      ]).finally(() => waited.abort());
      if (outcome === undefined) return reply.code(202).send({ status: 'under-way' });
      const isWell = outcome.every(({ status }) => status !== 'failed');
      return reply.code(isWell ? 200 : 503).send({ providers: outcome });
    });
  });
}
