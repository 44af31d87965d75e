/**
 * Serves the auth hook just as the service does. With the argument `without-rows` it goes by the token
 * alone and looks at nobody's row.
 */
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { createSessionUsers } from '#auth/session-users.ts';
import { readConfig } from '#config/read-config.ts';
import { createHasuraClient } from '#hasura/client.ts';
import { createLogger } from '#http/logger.ts';
import { authHook } from '#http/routes/auth-hook.ts';
import { loadProviders } from '#providers/registry.ts';

const config = readConfig();
const engine = createHasuraClient(config.engine);
const { claims } = config.providers;
const loggerInstance: FastifyBaseLogger = createLogger(config.logLevel);
const logController = new LogController({ disableRequestLogging: true });
const app = Fastify({ loggerInstance, logController });
app.get('/healthz', async () => ({ status: 'ok' }));
authHook(app, {
  providers: await loadProviders(config.providers, engine),
  users:
    process.argv[2] === 'without-rows' ? { find: async () => undefined } : createSessionUsers(engine, claims),
  claims,
  unauthorizedRole: config.unauthorizedRole,
});
process.on('SIGTERM', () => void app.close());
await app.listen(config.http);
