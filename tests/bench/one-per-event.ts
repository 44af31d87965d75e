/**
 * The service, but for one thing: each event is a mutation of its own.
 *
 * With the argument `in-turn` the next one begins when the one before it has ended, as a writer does
 * whose batches are limited to one event. Without it all of them are under way at once.
 */
import { readConfig } from '../../services/identity/core/config.ts';
import { createEngine } from '../../services/identity/hasura/graphql.ts';
import { buildApp } from '../../services/identity/http/app.ts';
import { createLogger } from '../../services/identity/http/logger.ts';
import { loadProviders } from '../../services/identity/providers/registry.ts';
import { batchOf } from '../../services/identity/sync/rows.ts';

const isInTurn = process.argv.includes('in-turn');
const config = readConfig();
const engine = createEngine(config.engine);
let last: Promise<unknown> = Promise.resolve();

const app = buildApp({
  providers: await loadProviders(config.providers, engine),
  writer: {
    async write(entry) {
      const before = isInTurn ? last : undefined;
      const written = Promise.resolve(before).then(() => engine.writeBatch(batchOf([entry])));
      last = written.catch(() => {});
      await written;
      return { status: 'applied', error: null };
    },
    close: async () => {},
  },
  engine,
  engineSecrets: config.engineSecrets,
  retentionDays: config.retentionDays,
  logger: createLogger(config.logLevel),
});
process.on('SIGTERM', () => void app.close());
await app.listen(config.http);
