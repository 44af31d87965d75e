import { startPostgres } from '@latchkey/local/postgres/postgres';
import { Client, escapeIdentifier } from 'pg';
import type { TestProject } from 'vitest/node';
import { RUN_PREFIX } from './run.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The server that createDatabase() makes databases on. */
    postgresUrl: string;
  }
}

/**
 * Starts one throw-away PostgreSQL for the whole run, or takes the server of LATCHKEY_DATABASE_URL
 * (whose user must be allowed to create databases) and leaves it as it was.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.LATCHKEY_DATABASE_URL;
  if (given !== undefined && given !== '') {
    project.provide('postgresUrl', given);
    return () => dropLeftovers(given);
  }
  const server = await startPostgres();
  project.provide('postgresUrl', server.url);
  return () => server.close();
}

async function dropLeftovers(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>(
      'select datname from pg_database where starts_with(datname, $1)',
      [RUN_PREFIX],
    );
    for (const { datname } of rows) {
      await client.query(`drop database if exists ${escapeIdentifier(datname)} with (force)`);
    }
  } finally {
    await client.end();
  }
}
