import { randomBytes } from 'node:crypto';
import { Client, escapeIdentifier } from 'pg';
import { inject } from 'vitest';
import { RUN_PREFIX } from './run.ts';

export type TestDatabase = {
  /** As its owner, a superuser unless LATCHKEY_DATABASE_URL says otherwise. */
  url: string;
  /** Runs SQL on it (several statements too, if there are no values) and gives back the rows. */
  query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Cuts off whoever is still connected and drops it. */
  close(): Promise<void>;
};

/**
 * A new empty database on the run's PostgreSQL.
 *
 * @example
 * const database = await createDatabase();
 * afterAll(() => database.close());
 */
export async function createDatabase(): Promise<TestDatabase> {
  // The unit tier has none.
  const server: string | undefined = inject('postgresUrl');
  if (server === undefined) {
    throw new Error('A unit test has no database: name this file <name>.integration.test.ts.');
  }
  const name = `${RUN_PREFIX}${randomBytes(6).toString('hex')}`;
  await runOn(server, `create database ${escapeIdentifier(name)}`);
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;

  let client: Promise<Client> | undefined;
  const connect = async (): Promise<Client> => {
    const fresh = new Client({ connectionString: url });
    // The server may go away at the end of a run before we do.
    fresh.on('error', () => {});
    await fresh.connect();
    return fresh;
  };
  return {
    url,
    async query(sql, values) {
      client ??= connect();
      const result = await (await client).query<Record<string, unknown>>(sql, values);
      // Several statements in one text give an array of results; the last one is meant.
      return (Array.isArray(result) ? result.at(-1) : result).rows;
    },
    async close() {
      await (await client)?.end();
      await runOn(server, `drop database if exists ${escapeIdentifier(name)} with (force)`);
    },
  };
}

async function runOn(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
