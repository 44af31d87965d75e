import { createDatabase } from '@latchkey/tests/support/postgres';
import { createApiService } from '#api/requests/service.ts';
import { createStateBuilder } from '#api/state.ts';
import { readConfig } from '#base/config.ts';
import { silentLogger } from '#base/log.ts';
import { ADMIN_SESSION, createSession } from '#base/session.ts';
import type { Core } from '#core/core.ts';
import { createMetadataStore } from '#storage/metadata-store.ts';
import { createPool, createSourcePools } from '#storage/sources.ts';

const core: Core = {
  inconsistencies: [],
  prepare: () => {
    throw new Error('no GraphQL in these tests');
  },
  explain: async () => [],
  openApi: () => ({}),
  rows: { run: async () => [] },
};

/** The metadata and query APIs on a database of their own, without GraphQL. */
export async function startApi() {
  const database = await createDatabase();
  const open = async () => {
    const config = readConfig({ HASURA_GRAPHQL_DATABASE_URL: database.url });
    const metadataPool = createPool(database.url, 2, silentLogger);
    const pools = createSourcePools(config, silentLogger);
    const service = await createApiService({
      config,
      store: createMetadataStore(metadataPool),
      metadataPool,
      builder: createStateBuilder(config, pools, metadataPool, async () => core),
      pools,
      log: silentLogger,
    });
    return {
      service,
      async close() {
        await pools.close();
        await metadataPool.end();
      },
    };
  };
  const engines = [await open()];
  const [first] = engines;
  if (first === undefined) throw new Error('unreachable');
  const { service } = first;
  return {
    database,
    service,
    /** Another engine on the same database. */
    async another() {
      const engine = await open();
      engines.push(engine);
      return engine.service;
    },
    metadata: (type: string, args: unknown = {}, more: Record<string, unknown> = {}) =>
      service.handle('v1/metadata', { type, args, ...more }, ADMIN_SESSION),
    asUser: (type: string) => service.handle('v1/metadata', { type, args: {} }, createSession('user')),
    sql: (sql: string, options: Record<string, unknown> = {}) =>
      service.handle('v2/query', { type: 'run_sql', args: { sql, ...options } }, ADMIN_SESSION),
    /** One tracked table's part of the export. */
    async table(name: string): Promise<Record<string, unknown> | undefined> {
      const metadata = service.state.metadata.sources[0]?.tables.find(({ table }) => table.name === name);
      return metadata;
    },
    async close() {
      for (const engine of engines) await engine.close();
      await database.close();
    },
  };
}
