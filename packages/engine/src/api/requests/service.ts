/** Holds the engine's state and runs the metadata and query APIs on it, one request at a time. */
import type { Pool } from 'pg';
import type { Api, CommandContext } from '#api/command.ts';
import { createDraft } from '#api/draft.ts';
import type { EngineState, StateBuilder } from '#api/state.ts';
import type { EngineConfig } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Session } from '#base/session.ts';
import { exportMetadata } from '#metadata/export.ts';
import { parseMetadata } from '#metadata/parse.ts';
import { EMPTY_METADATA, type Metadata } from '#metadata/types.ts';
import type { MetadataStore } from '#storage/metadata-store.ts';
import type { SourcePools } from '#storage/sources.ts';
import { readRequest } from './dispatch.ts';

export interface ApiService {
  readonly state: EngineState;
  /** @throws {EngineError} */
  handle(api: Api, body: unknown, session: Session): Promise<unknown>;
  /**
   * Takes over what another engine on the same database has stored, if anything: metadata and catalogues
   * are then read anew.
   */
  followOthers(signal: AbortSignal): Promise<void>;
  /**
   * Calls `listener` after every change of the metadata, before the change is answered. Returns what stops
   * that.
   */
  onChange(listener: ChangeListener): () => void;
}

export type ChangeListener = (api: Api, state: EngineState) => unknown;

interface Parts {
  readonly config: EngineConfig;
  readonly store: MetadataStore;
  readonly metadataPool: Pool;
  readonly builder: StateBuilder;
  readonly pools: SourcePools;
  readonly log: Logger;
}

/** Loads what is stored, or stores what a fresh database starts with. */
export async function createApiService(parts: Parts): Promise<ApiService> {
  const { config, store, metadataPool, builder, pools, log } = parts;
  await store.prepare();
  let state = await load(config, store, builder);
  const listeners = new Set<ChangeListener>();
  let queue: Promise<unknown> = Promise.resolve();

  const tellListeners = (api: Api) => Promise.all([...listeners].map((listener) => listener(api, state)));

  const run = async (api: Api, work: (context: CommandContext) => Promise<unknown>, session: Session) => {
    const draft = createDraft(state, builder);
    const context = { draft, session, config, store, metadataPool, builder, log };
    try {
      const result = await work(context);
      if (draft.modified) {
        const resourceVersion = await store.save(
          exportMetadata(draft.state.metadata, true),
          state.resourceVersion,
          draft.state.metadata.sources.map(({ name }) => name),
        );
        state = { ...draft.state, resourceVersion };
        await tellListeners(api);
        // Last: listeners stop what they do for sources that are gone.
        pools.retain(state.metadata.sources);
      }
      return result;
    } catch (error) {
      if (error instanceof EngineError && error.code === 'conflict') await followStore();
      throw error;
    } finally {
      // What became stale stays stale, whether the request succeeded or not.
      state = { ...state, catalogs: draft.catalogs };
    }
  };

  /** Another engine on the same database may have changed the metadata. */
  const followStore = async () => {
    const stored = await store.load();
    if (stored === undefined || stored.resourceVersion === state.resourceVersion) return;
    state = await builder.build(parseMetadata(stored.metadata), stored.resourceVersion, new Map());
    await tellListeners('v1/metadata');
    pools.retain(state.metadata.sources);
  };

  /** After all requests that came before. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = queue.then(work);
    queue = result.catch(() => {});
    return result;
  };

  return {
    get state() {
      return state;
    },
    async handle(api, body, session) {
      const work = readRequest(api, body, session.isAdmin);
      return inTurn(() => run(api, work, session));
    },
    async followOthers(signal) {
      const version = await store.version(signal);
      if (version !== undefined && version !== state.resourceVersion) await inTurn(followStore);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

async function load(config: EngineConfig, store: MetadataStore, builder: StateBuilder): Promise<EngineState> {
  const stored = await store.load();
  if (stored !== undefined) {
    return builder.build(parseMetadata(stored.metadata), stored.resourceVersion, new Map());
  }
  const metadata = firstMetadata(config);
  const version = await store.create(exportMetadata(metadata, true));
  return builder.build(metadata, version, new Map());
}

function firstMetadata(config: EngineConfig): Metadata {
  if (config.databaseUrl === undefined) return EMPTY_METADATA;
  return parseMetadata({
    version: 3,
    sources: [
      {
        name: 'default',
        kind: 'postgres',
        tables: [],
        configuration: {
          connection_info: {
            database_url: { from_env: 'HASURA_GRAPHQL_DATABASE_URL' },
            isolation_level: 'read-committed',
            pool_settings: {
              connection_lifetime: 600,
              idle_timeout: 180,
              max_connections: config.pgConnections,
              retries: 1,
            },
            use_prepared_statements: true,
          },
        },
      },
    ],
  });
}
