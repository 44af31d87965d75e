/** Connections to the databases of the metadata's sources: one pool per source and connection string. */

import type pg from 'pg';
import type { Pool } from 'pg';
import type { EngineConfig, Environment } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { DatabaseUrl, Source } from '#metadata/types.ts';
import type { Catalog } from '#postgres/catalog.ts';
import { AttemptingPool } from './attempting-pool.ts';
import { connectionAttempts } from './connection-attempts.ts';
import { installCrypto } from './install-crypto.ts';

/** Not set where the server or a pooler does not know the setting. */
const ignore = () => {};

const notSupported = (what: string) =>
  new EngineError('not-supported', `${what} are not supported by the embedded engine`);

/**
 * With them a request would go to another database, or as somebody else: the source is not used without them.
 * @throws {EngineError} `not-supported`
 */
function assertPlainConnection({ configuration }: Source): void {
  if (configuration.connection_info.ssl_configuration !== undefined)
    throw notSupported('client certificates (ssl_configuration)');
  if (configuration.connection_template !== undefined) throw notSupported('connection templates');
  if (configuration.connection_set !== undefined) throw notSupported('connection sets');
}

/** @throws {EngineError} `invalid-configuration` where a variable is not set, `not-supported` for dynamic secrets */
export function resolveDatabaseUrl(url: DatabaseUrl, env: Environment): string {
  if (typeof url === 'string') return url;
  if ('from_env' in url) {
    const value = env[url.from_env];
    if (value !== undefined) return value;
    throw new EngineError('invalid-configuration', `environment variable '${url.from_env}' not set`);
  }
  if ('dynamic_from_file' in url) throw notSupported('dynamic secrets (dynamic_from_file)');
  const { host, port, database, username, password } = url.connection_parameters;
  const login = `${encodeURIComponent(username)}${password === undefined ? '' : `:${encodeURIComponent(password)}`}`;
  return `postgresql://${login}@${host}:${port}/${encodeURIComponent(database)}`;
}

export interface SourcePools {
  /** The pool of a source; made when first asked for, and again when its configuration changed. */
  pool(source: Source): pg.Pool;
  /** Makes what Hasura makes in the database of a source before it looks at it: the functions of pgcrypto. */
  prepare(source: Source): Promise<void>;
  /** Ends the pools of sources that were removed. */
  retain(sources: readonly Source[]): void;
  close(): Promise<void>;
}

/** In seconds. */
export interface PoolTimes {
  readonly idle?: number | undefined;
  /** How long a connection is used at most. */
  readonly lifetime?: number | undefined;
  /** How long a request waits for one while all are in use. */
  readonly wait?: number | undefined;
}

export function createPool(url: string, size: number, log: Logger, times: PoolTimes = {}): pg.Pool {
  const { idle = 180, lifetime = 0, wait = 0 } = times;
  const pool = new AttemptingPool(connectionAttempts(url), {
    max: size,
    idleTimeoutMillis: idle * 1000,
    maxLifetimeSeconds: lifetime,
    connectionTimeoutMillis: wait * 1000,
    application_name: 'hasura-embedded',
    // PostgreSQL thinks nested queries costly enough to be compiled, which takes it longer than to run them:
    // half a second at twenty levels.
    onConnect: (client) => client.query('SET jit = off').then(ignore, ignore),
  });
  // A connection that breaks while idle is replaced by the next request; unhandled it would end the process.
  pool.on('error', (error) => log.warn('postgres-connection', { error: error.message }));
  // The pool listens only to idle connections: one that breaks in use fails its query, and emits this too.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

export function createSourcePools(config: EngineConfig, log: Logger): SourcePools {
  const pools = new Map<string, { readonly key: string; readonly pool: pg.Pool }>();
  const poolOf = (source: Source): pg.Pool => {
    assertPlainConnection(source);
    const { connection_info: info } = source.configuration;
    const url = resolveDatabaseUrl(info.database_url, config.env);
    const size = info.pool_settings?.max_connections ?? config.pgConnections;
    const settings = info.pool_settings;
    const times: PoolTimes = {
      idle: settings?.idle_timeout,
      lifetime: settings?.connection_lifetime,
      wait: settings?.pool_timeout,
    };
    const key = JSON.stringify([url, size, times]);
    const known = pools.get(source.name);
    if (known?.key === key) return known.pool;
    if (known !== undefined) void end(source.name);
    const pool = createPool(url, size, log, times);
    pools.set(source.name, { key, pool });
    return pool;
  };
  const end = (name: string) => {
    const entry = pools.get(name);
    pools.delete(name);
    return entry?.pool.end();
  };
  return {
    pool: poolOf,
    async prepare(source) {
      const { name, configuration } = source;
      const failure = await installCrypto(poolOf(source), configuration.extensions_schema);
      if (failure !== undefined)
        log.warn('source', { message: `pgcrypto is not installed: ${failure}`, source: name });
    },
    retain(sources) {
      const names = new Set(sources.map(({ name }) => name));
      for (const name of [...pools.keys()]) if (!names.has(name)) void end(name);
    },
    async close() {
      await Promise.all([...pools.keys()].map(end));
    },
  };
}

/** A source whose database answered. The API reports those that did not. */
export interface ConnectedSource {
  readonly metadata: Source;
  readonly pool: Pool;
  readonly catalog: Catalog;
}
