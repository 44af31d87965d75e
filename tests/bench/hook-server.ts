/**
 * Serves the auth hook just as the service does. With the argument `without-rows` it goes by the token
 * alone and looks at nobody's row.
 */
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { createSessionUsers } from '../../services/identity/auth/session-users.ts';
import { readConfig } from '../../services/identity/core/config.ts';
import { createEngine } from '../../services/identity/hasura/graphql.ts';
import { createLogger } from '../../services/identity/http/logger.ts';
import { authHook } from '../../services/identity/http/routes/auth-hook.ts';
import { loadProviders } from '../../services/identity/providers/registry.ts';

const config = readConfig();
const engine = createEngine(config.engine);
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
