import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { readConfig } from '#core/config.ts';
import { createHasuraClient, type HasuraClient } from '#hasura/client.ts';
import { createLogger } from '#http/logger.ts';
import { webhooks } from '#http/routes/webhooks.ts';
import { loadProviders } from '#providers/registry.ts';
import type { Entry } from '#sync/rows.ts';

/**
 * Serves the webhooks just as the service does, its signatures and its reading of payloads included;
 * only how an event is written is the caller's.
 */
export async function serveWebhooks(
  write: (entry: Entry, engine: HasuraClient) => Promise<unknown>,
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
      async write(entry) {
        await write(entry, engine);
        return { status: 'applied', error: null };
      },
      close: async () => {},
    },
    reconcile: { soon: () => Promise.reject(new Error('Nothing is reconciled here.')) },
  });
  process.on('SIGTERM', () => void app.close());
  await app.listen(config.http);
}
