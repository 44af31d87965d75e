import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startSchemaSync } from '#api/requests/schema-sync.ts';
import type { Logger } from '#base/log.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

const QUICKLY = { HASURA_GRAPHQL_SCHEMA_SYNC_POLL_INTERVAL: '5' };

let database: TestDatabase;
const engines: TestEngine[] = [];

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE author (id integer PRIMARY KEY)');
}, 60_000);
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});
afterAll(() => database?.close());

async function start(env: Record<string, string>): Promise<TestEngine> {
  const engine = await startEngine(env, database);
  engines.push(engine);
  return engine;
}
const answer = async (engine: TestEngine, query: string) => (await engine.graphql(query)).body;
const answers = (engine: TestEngine, query: string) =>
  until(async () => {
    const body = await answer(engine, query);
    return JSON.stringify(body).includes('errors') ? undefined : body;
  });

describe('an engine on a database that another engine shares', () => {
  it('takes over metadata and changed tables; one that is told not to look does not', async () => {
    const one = await start({ HASURA_GRAPHQL_SCHEMA_SYNC_POLL_INTERVAL: '0' });
    const two = await start(QUICKLY);
    const deaf = await start({ HASURA_GRAPHQL_SCHEMA_SYNC_POLL_INTERVAL: '0' });
    await one.metadata('pg_track_table', { table: 'author' });
    expect(await answers(two, '{ author { id } }')).toEqual({ data: { author: [] } });
    expect(await answer(deaf, '{ author { id } }')).toHaveProperty('errors');

    const headers = { 'content-type': 'application/json', 'x-hasura-admin-secret': 'secret of the tests' };
    const body = JSON.stringify({
      type: 'run_sql',
      args: { sql: 'ALTER TABLE author ADD COLUMN name text' },
    });
    await fetch(`${one.url}/v2/query`, { method: 'POST', headers, body });
    expect(await answers(two, '{ author { id name } }')).toEqual({ data: { author: [] } });

    // Tables may change without metadata: reloading on one engine reloads all of them.
    await database.query('ALTER TABLE author ADD COLUMN age integer');
    await one.metadata('reload_metadata', {});
    expect(await answers(two, '{ author { age } }')).toEqual({ data: { author: [] } });
    expect(await answer(deaf, '{ author { id } }')).toHaveProperty('errors');
  });

  it('writes on top of what the other wrote', async () => {
    const one = await start(QUICKLY);
    const two = await start(QUICKLY);
    const names = ['a', 'b', 'c', 'd'];
    for (const [index, name] of names.entries()) {
      const engine = index % 2 === 0 ? one : two;
      await until(async () => {
        const refused = await engine.refusal('create_query_collection', {
          name,
          definition: { queries: [] },
        });
        return JSON.stringify(refused).includes('success') || undefined;
      });
    }
    for (const engine of [one, two]) {
      await until(async () => {
        const { query_collections: collections } = JSON.parse(
          JSON.stringify(await engine.metadata('export_metadata', {})),
        );
        return JSON.stringify(collections?.map((one: { name: string }) => one.name)) === JSON.stringify(names)
          ? true
          : undefined;
      });
    }
  });

  it('leaves word for a Hasura beside it', async () => {
    const one = await start({});
    await one.metadata('reload_metadata', {});
    const [row] = await database.query(
      `SELECT n.notification, n.resource_version = m.resource_version AS current
       FROM hdb_catalog.hdb_schema_notifications AS n, hdb_catalog.hdb_metadata AS m`,
    );
    expect(row).toEqual({
      notification: { metadata: true, remote_schemas: [], sources: ['default'], data_connectors: [] },
      current: true,
    });
  });
});

describe('a database that fails', () => {
  it('does not keep the engine from looking again once it answers', async () => {
    const one = await start({ HASURA_GRAPHQL_SCHEMA_SYNC_POLL_INTERVAL: '0' });
    const two = await start(QUICKLY);
    await database.query('ALTER TABLE hdb_catalog.hdb_metadata RENAME TO elsewhere');
    expect(await answer(two, '{ __typename }')).toEqual({ data: { __typename: 'query_root' } });
    await database.query('ALTER TABLE hdb_catalog.elsewhere RENAME TO hdb_metadata');
    await database.query('CREATE TABLE later (id integer)');
    await one.metadata('pg_track_table', { table: 'later' });
    expect(await answers(two, '{ later { id } }')).toEqual({ data: { later: [] } });
  });

  it('is told of once, until it answers again', async () => {
    const told: string[] = [];
    const note = (level: string) => (type: string) => void told.push(`${level} ${type}`);
    const log: Logger = { info: note('info'), warn: note('warn'), error: note('error') };
    let asked = 0;
    const sync = startSchemaSync(
      {
        followOthers: async () => {
          asked += 1;
          if (asked <= 3) throw new Error('gone');
          if (asked === 5) throw new Error('gone');
        },
      },
      1,
      log,
    );
    await until(async () => (asked >= 7 ? true : undefined));
    await sync.close();
    expect(told).toEqual(['error schema-sync', 'info schema-sync', 'error schema-sync', 'info schema-sync']);
  });

  it('does not keep the engine from stopping while it hangs', async () => {
    const two = await startEngine(QUICKLY, database);
    await database.query('BEGIN; LOCK TABLE hdb_catalog.hdb_metadata IN ACCESS EXCLUSIVE MODE');
    try {
      await until(async () => {
        const waiting = await database.query(
          "SELECT FROM pg_locks WHERE NOT granted AND relation = 'hdb_catalog.hdb_metadata'::regclass",
        );
        return waiting.length > 0 ? true : undefined;
      });
      await two.close();
    } finally {
      await database.query('ROLLBACK');
    }
  });
});
