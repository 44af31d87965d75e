/** Connections to the databases of the metadata's sources: one pool per source and connection string. */
import pg from 'pg';
import type { EngineConfig, Environment } from '../config.ts';
import { EngineError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { DatabaseUrl, Source } from '../metadata/types.ts';

// Values travel as JSON text made by the database; whatever else is read stays the text PostgreSQL sent.
const CONNECT_TIMEOUT_MS = 10_000;

/** @throws {EngineError} `invalid-configuration` where a variable is not set */
export function resolveDatabaseUrl(url: DatabaseUrl, env: Environment): string {
  if (typeof url === 'string') return url;
  if ('from_env' in url) {
    const value = env[url.from_env];
    if (value !== undefined) return value;
    throw new EngineError('invalid-configuration', `environment variable '${url.from_env}' not set`);
  }
  const { host, port, database, username, password } = url.connection_parameters;
  const login = `${encodeURIComponent(username)}${password === undefined ? '' : `:${encodeURIComponent(password)}`}`;
  return `postgresql://${login}@${host}:${port}/${encodeURIComponent(database)}`;
}

export interface SourcePools {
  /** The pool of a source; made when first asked for, and again when its configuration changed. */
  pool(source: Source): pg.Pool;
  /** Ends the pools of sources that are no longer there. */
  retain(sources: readonly Source[]): void;
  close(): Promise<void>;
}

export function createPool(url: string, size: number, log: Logger, idleSeconds = 180): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: size,
    idleTimeoutMillis: idleSeconds * 1000,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'hasura-embedded',
  });
  // A connection that breaks while idle is replaced by the next request; unhandled it would end the process.
  pool.on('error', (error) => log.warn('postgres-connection', { error: error.message }));
  // The pool listens only to idle connections: one that breaks in use fails its query, and emits this too.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

export function createSourcePools(config: EngineConfig, log: Logger): SourcePools {
  const pools = new Map<string, { readonly key: string; readonly pool: pg.Pool }>();
  const end = (name: string) => {
    const entry = pools.get(name);
    pools.delete(name);
    return entry?.pool.end();
  };
  return {
    pool(source) {
      const { connection_info: info } = source.configuration;
      const url = resolveDatabaseUrl(info.database_url, config.env);
      const size = info.pool_settings?.max_connections ?? config.pgConnections;
      const key = JSON.stringify([url, size, info.pool_settings?.idle_timeout]);
      const known = pools.get(source.name);
      if (known?.key === key) return known.pool;
      if (known !== undefined) void end(source.name);
      const pool = createPool(url, size, log, info.pool_settings?.idle_timeout);
      pools.set(source.name, { key, pool });
      return pool;
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
