import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { readConfig } from '#config/read-config.ts';
import type { LedgerEntry } from '#core/deliveries.ts';
import type { IdentityRecord } from '#core/records.ts';
import { createHasuraClient, type HasuraClient } from '#hasura/client.ts';
import { createLogger } from '#http/logger.ts';
import { webhooks } from '#http/routes/webhooks.ts';
import { loadProviders } from '#providers/registry.ts';

/**
 * Serves the webhooks just as the service does, its signatures and its reading of payloads included;
 * only how an event is written is the caller's.
 */
export async function serveWebhooks(
  write: (entry: LedgerEntry, records: readonly IdentityRecord[], engine: HasuraClient) => Promise<unknown>,
): Promise<void> {
  const config = readConfig();
  const engine = createHasuraClient(config.engine);
  const loggerInstance: FastifyBaseLogger = createLogger(config.logLevel);
  const logController = new LogController({ disableRequestLogging: true });
  const app = Fastify({ loggerInstance, logController });
  app.get('/healthz', async () => ({ status: 'ok' }));
  webhooks(app, {
    providers: await loadProviders(config.providers, engine),
    writer: {
      write: () => Promise.reject(new Error('Nothing but deliveries is written here.')),
      async writeDelivery(entry, records) {
        await write(entry, records, engine);
        return entry;
      },
      close: async () => {},
    },
    reconcile: { schedule: () => Promise.reject(new Error('Nothing is reconciled here.')) },
  });
  process.on('SIGTERM', () => void app.close());
  await app.listen(config.http);
}
