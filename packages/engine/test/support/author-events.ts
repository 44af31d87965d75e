/** Event triggers on a table of authors, delivered by engines without a server, on a database per test. */

import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import type pg from 'pg';
import { afterEach, beforeEach } from 'vitest';
import { z } from 'zod';
import { readConfig } from '#base/config.ts';
import { silentLogger } from '#base/log.ts';
import { createEventWorkers } from '#events/workers.ts';
import { metadata } from '#metadata/types.ts';
import { readCatalog } from '#postgres/read-catalog.ts';
import { createMetadataStore } from '#storage/metadata-store.ts';
import { testPool } from './test-pool.ts';
import { until } from './until.ts';
import { type Received, type Receiver, startReceiver } from './webhook-receiver.ts';

export const delivered = z.object({
  id: z.string(),
  created_at: z.string(),
  table: z.object({ schema: z.string(), name: z.string() }),
  trigger: z.object({ name: z.string() }),
  delivery_info: z.object({ current_retry: z.number(), max_retries: z.number() }),
  event: z.object({
    op: z.string(),
    data: z.object({ old: z.unknown(), new: z.unknown() }),
    session_variables: z.unknown(),
    trace_context: z.unknown(),
  }),
});
export const eventOf = (request: Received | undefined) => delivered.parse(request?.body).event;

export const all = { columns: '*' };
export const trigger = (webhook: string, definition: object, more: object = {}) => ({
  name: 'watch',
  definition,
  retry_conf: { num_retries: 0, interval_sec: 0 },
  webhook,
  ...more,
});

export const metadataWith = (...triggers: object[]) => ({
  version: 3,
  sources: [
    {
      name: 'default',
      kind: 'postgres',
      tables: [{ table: 'author', event_triggers: triggers }],
      configuration: { connection_info: { database_url: 'unused' } },
    },
  ],
});

/** To be called once per file of tests. */
export function useAuthorEvents() {
  let database: TestDatabase;
  let pool: pg.Pool;
  const closers: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    database = await createDatabase();
    pool = testPool(database.url);
    await createMetadataStore(pool).prepare();
    await database.query(`
      CREATE TABLE author (id bigint PRIMARY KEY, name text, "Odd ""name""" json, tags text[], spot point);
      CREATE VIEW author_names AS SELECT id, name FROM author`);
  });

  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    await pool.end();
    await database.close();
  });

  async function receiver(...answer: Parameters<typeof startReceiver>): Promise<Receiver> {
    const started = await startReceiver(...answer);
    closers.push(started.close);
    return started;
  }

  function engine(env: Record<string, string> = {}) {
    const config = readConfig({
      HASURA_GRAPHQL_DATABASE_URL: database.url,
      HASURA_GRAPHQL_EVENTS_FETCH_INTERVAL: '10',
      ...env,
    });
    const made = createEventWorkers(pool, config, silentLogger);
    closers.push(() => made.close(0));
    const applyMetadata = async (value: unknown) => {
      const parsed = metadata.parse(value);
      const catalog = await readCatalog(pool);
      await made.apply(
        parsed,
        parsed.sources.map((source) => ({ metadata: source, pool, catalog })),
      );
    };
    return {
      close: made.close,
      applyMetadata,
      apply: (...triggers: object[]) => applyMetadata(metadataWith(...triggers)),
    };
  }

  const settled = () =>
    until(async () => {
      const rows = await database.query(
        'SELECT delivered, error, tries FROM hdb_catalog.event_log ORDER BY created_at',
      );
      return rows.length > 0 && rows.every((row) => row.delivered === true || row.error === true)
        ? rows
        : undefined;
    });

  return {
    get database() {
      return database;
    },
    get pool() {
      return pool;
    },
    receiver,
    engine,
    settled,
  };
}
