import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHasuraClient as createHasura } from '@latchkey/identity/hasura/client';
import { type PostgresServer, startPostgres } from '@latchkey/local/postgres/postgres';
import { type EngineProcess, startEngine } from '@latchkey/local/programs/engine';
import { Client, escapeLiteral } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { applyProject } from '../support/engine.ts';

const PASSWORD = "it's secret";
const adminSecret = 'the-admin-secret-of-this-test';
const SCRIPT = join(import.meta.dirname, '../../deploy/postgres/hasura.sql');

let postgres: PostgresServer;
let databaseUrl: string;
let engine: EngineProcess;

beforeAll(async () => {
  // A server of its own: roles belong to all databases of a server.
  postgres = await startPostgres();
  await runScript(postgres.url);
  databaseUrl = Object.assign(new URL(postgres.url), {
    username: 'hasura',
    password: encodeURIComponent(PASSWORD),
    pathname: '/hasura',
  }).href;
  engine = await startEngine({ databaseUrl, adminSecret });
  await applyProject(engine.url, adminSecret);
});
afterAll(async () => {
  await engine?.close();
  await postgres?.close();
});

/** As psql would, whose variables PostgreSQL does not know. */
async function runScript(url: string): Promise<void> {
  const script = (await readFile(SCRIPT, 'utf8'))
    .replaceAll(/^(--|\\getenv).*$/gm, '')
    .replaceAll(":'password'", escapeLiteral(PASSWORD));
  const client = new Client({ connectionString: url });
  await client.connect();
  for (const statement of script.split(';\n')) await client.query(statement);
  await client.end();
}

const answerSchema = z.object({
  result: z.array(z.array(z.string())).nullish(),
  error: z.string().optional(),
});

/** With the admin secret, by Hasura's API: the most that can be done through it. */
async function runSql(sql: string) {
  const response = await fetch(`${engine.url}/v2/query`, {
    method: 'POST',
    headers: { 'x-hasura-admin-secret': adminSecret },
    body: JSON.stringify({ type: 'run_sql', args: { sql } }),
  });
  return { status: response.status, text: await response.text() };
}

test('migrations, metadata and the service’s queries work as a role without rights beyond its database', async () => {
  const service = createHasura({ endpoint: engine.url, adminSecret, timeoutMs: 10_000 });
  expect(Object.values(await service.checkTables()).flat()).toEqual([]);
  const owners = await runSql(
    "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'identity', 'hdb_catalog')",
  );
  expect(answerSchema.parse(JSON.parse(owners.text)).result).toEqual([['tableowner'], ['hasura']]);
});

test('trusted extensions can be made', async () => {
  expect(await runSql('CREATE EXTENSION IF NOT EXISTS pgcrypto')).toMatchObject({ status: 200 });
});

test.each([
  ["COPY (SELECT 'owned') TO PROGRAM 'cat > /tmp/owned'"],
  ["SELECT pg_read_file('/etc/passwd')"],
  ["COPY pg_class TO '/tmp/owned'"],
  ['CREATE ROLE mallory SUPERUSER'],
  ['ALTER ROLE hasura SUPERUSER'],
  ['SET ROLE postgres'],
  ['SELECT passwd FROM pg_shadow'],
])('whoever has the admin secret cannot %s', async (sql) => {
  const { status, text } = await runSql(sql);
  expect(status).toBe(400);
  // insufficient_privilege
  expect(text).toContain('"status_code":"42501"');
});

test.each(['postgres', 'template1'])('nor connect to database %s', async (database) => {
  const client = new Client({
    connectionString: Object.assign(new URL(databaseUrl), { pathname: `/${database}` }).href,
  });
  await expect(client.connect()).rejects.toMatchObject({ code: '42501' });
});
