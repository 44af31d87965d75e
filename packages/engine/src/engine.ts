/** The embedded engine as a library: `startEngineServer(readConfig())`. */

import type { AddressInfo } from 'node:net';
import { startSchemaSync } from '#api/requests/schema-sync.ts';
import { createApiService } from '#api/requests/service.ts';
import { createStateBuilder, type EngineState } from '#api/state.ts';
import { createAuthenticator } from '#auth/authenticator.ts';
import { ConfigError, type EngineConfig } from '#base/config.ts';
import { apiErrorBody, EngineError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { http } from '#base/node-http.ts';
import { buildCore } from '#core/build-core.ts';
import { createEventWorkers } from '#events/workers.ts';
import { ineffectiveSettings } from '#metadata/ineffective-settings.ts';
import { corsHeaders, createCorsPolicy, preflightHeaders } from '#server/cors.ts';
import { send } from '#server/http.ts';
import { createLiveQueries } from '#server/live-queries.ts';
import { refuseForeign } from '#server/loopback-only.ts';
import { createRoutes } from '#server/routes.ts';
import { answerClientError, SERVER_OPTIONS } from '#server/slow-requests.ts';
import { attachWebSockets } from '#server/websocket.ts';
import { describeFailure } from '#storage/attempting-pool.ts';
import { createMetadataStore } from '#storage/metadata-store.ts';
import { createPool, createSourcePools } from '#storage/sources.ts';

export interface EngineServer {
  /** Without a trailing slash. */
  readonly url: string;
  /** Finishes what is in flight, closes WebSockets and database connections. */
  close(): Promise<void>;
}

const METADATA_CONNECTIONS = 5;
const KEEP_ALIVE_MS = 60_000;
/** How long requests in flight may take once the engine is asked to stop. */
const GRACE_MS = 5000;

/**
 * Starts an engine and resolves when it answers.
 * @throws {ConfigError} for settings that Hasura does not start with, or a database that does not answer
 */
export async function startEngineServer(config: EngineConfig, log: Logger): Promise<EngineServer> {
  const { metadataDatabaseUrl } = config;
  if (metadataDatabaseUrl === undefined) throw new ConfigError('HASURA_GRAPHQL_DATABASE_URL: missing');
  if (config.adminSecrets.length === 0) {
    log.warn('startup', {
      message:
        'no HASURA_GRAPHQL_ADMIN_SECRET: whoever reaches this engine is admin, so it answers programs and pages of this machine alone',
    });
  }
  for (const warning of config.warnings) log.warn('startup', { message: warning });
  const cors = createCorsPolicy(config.corsDomain, config.disableCors, config.wsReadCookie);
  const metadataPool = openMetadataPool(metadataDatabaseUrl, log);
  const pools = createSourcePools(config, log);
  const closeAll: (() => unknown)[] = [() => pools.close(), () => metadataPool.end()];
  try {
    await assertReachable(metadataPool);
    const store = createMetadataStore(metadataPool);
    const builder = createStateBuilder(config, pools, metadataPool, buildCore);
    const authenticator = await createAuthenticator(config, log);
    closeAll.push(() => authenticator.close());
    const api = await createApiService({ config, store, metadataPool, builder, pools, log }).catch(
      (error: unknown) => {
        throw explain(error);
      },
    );
    const events = createEventWorkers(metadataPool, config, log);
    closeAll.unshift(() => events.close());
    await events.apply(api.state.metadata, api.state.sources);
    api.onChange((_, { metadata, sources }) => events.apply(metadata, sources));
    let warned: readonly string[] = [];
    const warn = ({ metadata }: Pick<EngineState, 'metadata'>) => {
      const warnings = ineffectiveSettings(metadata);
      for (const message of warnings.filter((one) => !warned.includes(one)))
        log.warn('metadata', { message });
      warned = warnings;
    };
    warn(api.state);
    warnInconsistent(api.state, log);
    api.onChange((_, state) => warn(state));
    const routes = createRoutes({ config, authenticator, api, store, pools, log });
    const server = http.createServer(SERVER_OPTIONS, (request, response) => {
      const refusal = refuseForeign(config, request.headers);
      if (refusal !== undefined) {
        const body = JSON.stringify(apiErrorBody(refusal, false));
        return send(request, response, { status: refusal.status, body });
      }
      const headers = corsHeaders(cors, request.headers.origin);
      if (request.method === 'OPTIONS' && Object.keys(headers).length > 0) {
        const requested = request.headers['access-control-request-headers'];
        for (const [name, value] of Object.entries(preflightHeaders(requested)))
          response.setHeader(name, value);
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        response.writeHead(204).end();
        return;
      }
      void routes(request).then((answer) => send(request, response, answer, headers));
    });
    server.on('clientError', answerClientError);
    // Node's five seconds end a connection just as a client that pauses between two requests takes it
    // up again; this is longer than clients keep one.
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    const liveQueries = createLiveQueries(
      { live: config.liveQueries, streaming: config.streamingQueries },
      log,
    );
    const sockets = attachWebSockets(server, { config, authenticator, api, liveQueries, log }, cors);
    await new Promise<void>((resolve, reject) => {
      server
        .once('error', reject)
        .listen(config.port, config.host === '*' ? '0.0.0.0' : config.host, resolve);
    }).catch((error: unknown) => {
      throw portError(config, error);
    });
    const { port } = server.address() as AddressInfo;
    const sync = startSchemaSync(api, config.schemaSyncIntervalMs, log);
    return {
      url: `http://${urlHost(config.host)}:${port}`,
      async close() {
        await sync.close();
        // Before the server, while handlers under way can still call back.
        await events.close();
        liveQueries.close();
        sockets.close();
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeIdleConnections();
        const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS);
        await closed;
        clearTimeout(timer);
        for (const close of closeAll) await close();
      },
    };
  } catch (error) {
    for (const close of closeAll) await Promise.allSettled([close()]);
    throw error;
  }
}

/** The name by which the engine is reached from this machine. */
function urlHost(host: string): string {
  if (host === '*' || host === '0.0.0.0') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

/** What of the stored metadata is left out. */
function warnInconsistent({ inconsistencies }: Pick<EngineState, 'inconsistencies'>, log: Logger): void {
  if (inconsistencies.length === 0) return;
  log.warn('startup', {
    message: `${inconsistencies.length} objects of the metadata are inconsistent, and are left out`,
    objects: inconsistencies.map(({ name, reason }) => ({ name, reason })),
  });
}

/** @throws {ConfigError} for a connection string that cannot be read */
function openMetadataPool(url: string, log: Logger): ReturnType<typeof createPool> {
  try {
    return createPool(url, METADATA_CONNECTIONS, log);
  } catch (error) {
    throw new ConfigError(`HASURA_GRAPHQL_DATABASE_URL: ${describeFailure(error)}`);
  }
}

/** @throws {ConfigError} in one line, whatever it is that keeps the engine from its database */
async function assertReachable(pool: ReturnType<typeof createPool>): Promise<void> {
  await pool.query('SELECT 1').catch((error: unknown) => {
    throw new ConfigError(
      `HASURA_GRAPHQL_DATABASE_URL: the database does not answer (${describeFailure(error)}); start it, or correct the URL`,
    );
  });
}

function explain(error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  return new ConfigError(
    `stored metadata: ${error.message} (at ${error.path}); correct or clear hdb_catalog.hdb_metadata`,
  );
}

function portError(config: EngineConfig, error: unknown): unknown {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new ConfigError(
      `HASURA_GRAPHQL_SERVER_PORT: port ${config.port} is taken; choose another, or 0 for a free one`,
    );
  }
  if (code === 'EADDRNOTAVAIL' || code === 'EACCES') {
    return new ConfigError(
      `HASURA_GRAPHQL_SERVER_HOST: cannot listen on ${config.host}:${config.port} (${code}); choose another`,
    );
  }
  return error;
}
