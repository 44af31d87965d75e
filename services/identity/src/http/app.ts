import type { CustomClaim } from '@latchkey/core/settings/claims';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { createSessionUsers } from '#auth/session-users.ts';
import type { DeletionLimit } from '#core/settings/deletion-limit.ts';
import type { HasuraClient } from '#hasura/client.ts';
import type { TrustMode } from '#hasura/trust-mode.ts';
import { actions } from '#http/routes/actions.ts';
import { authHook } from '#http/routes/auth-hook.ts';
import { health } from '#http/routes/health.ts';
import { jobs } from '#http/routes/jobs.ts';
import { keyRelay } from '#http/routes/key-relay.ts';
import { webhooks } from '#http/routes/webhooks.ts';
import type { Registry } from '#providers/registry.ts';
import { createReconcileJob } from '#sync/reconcile-job.ts';
import { withSessionInvalidation } from '#sync/session-invalidation.ts';
import type { Writer } from '#sync/writer.ts';
import { errorHandler, notFoundHandler } from './errors.ts';
import { closeGracefully } from './graceful-shutdown.ts';
import {
  BODY_LIMIT,
  clientErrorHandler,
  limitHeaders,
  REQUEST_TIMEOUT_MS,
  SERVER_OPTIONS,
} from './limits.ts';

export interface Services {
  readonly providers: Registry;
  readonly writer: Writer;
  readonly engine: Pick<HasuraClient, 'request' | 'checkTables'>;
  /** With any of which Hasura may call; without one nobody may. */
  readonly engineSecrets: readonly string[];
  /** How long the ledger keeps a delivery. */
  readonly retentionDays: number;
  /** How much the reconcile may delete at once. */
  readonly deletionLimit: DeletionLimit;
  /** How long `/jobs/reconcile` waits for the end of the run before it answers, in milliseconds. */
  readonly maxWaitMs?: number;
  readonly logger: FastifyBaseLogger;
  /** The role that the auth hook gives to clients without a token; they are refused if undefined. */
  readonly unauthorizedRole?: string | undefined;
  /** How the engine trusts tokens; undefined where it does not tell. */
  readonly trustMode?: () => Promise<TrustMode | undefined>;
  /** The users' attributes that become session variables. */
  readonly claims?: readonly CustomClaim[];
  /** The longest that Hasura may take a session for good, in seconds. */
  readonly sessionSeconds?: number | undefined;
}

/** Builds the app. It opens no port and handles no signals: server.ts does. */
export function buildApp(services: Services): FastifyInstance {
  const app = Fastify({
    loggerInstance: services.logger,
    // One line for each request, below: Fastify's own two would hold addresses and query strings.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: SERVER_OPTIONS,
    clientErrorHandler,
    frameworkErrors: errorHandler,
    return503OnClosing: false,
  });
  app.setErrorHandler(errorHandler);
  app.setNotFoundHandler(notFoundHandler);
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request;
    const took = Math.round(reply.elapsedTime);
    request.log.info({ method, route: routeOptions.url, status: reply.statusCode, ms: took }, 'answered');
    done();
  });
  const { providers, engine, claims = [], unauthorizedRole, sessionSeconds } = services;
  const users = createSessionUsers(engine, claims);
  const writer = withSessionInvalidation(services.writer, users);
  const reconcile = createReconcileJob({ ...services, writer });
  limitHeaders(app);
  closeGracefully(app, () => reconcile.close());
  // Runs when the requests under way have been answered.
  app.addHook('onClose', () => services.writer.close());

  health(app, services);
  webhooks(app, { providers, writer, reconcile });
  actions(app, { ...services, writer, users });
  jobs(app, { ...services, reconcile });
  authHook(app, { providers, users, claims, unauthorizedRole, sessionSeconds });
  keyRelay(app, services);
  return app;
}
