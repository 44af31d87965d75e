/** `/v1alpha1/pg_dump`: the schema (or rows) of a source as SQL, from PostgreSQL's own pg_dump. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Environment } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import { parseWith } from '#metadata/parse.ts';
import { nonEmptyText, object } from '#metadata/primitives.ts';
import type { Metadata, Source } from '#metadata/types.ts';
import { resolveDatabaseUrl } from '#storage/sources.ts';
import { dumpSchema, type Queryable, readDumpOptions } from './schema-dump.ts';

const request = object({
  source: nonEmptyText.default('default'),
  opts: z.array(z.string()),
  clean_output: z.boolean().default(false),
});

/** The answer is all that a dump may write. */
const WRITES_FILES = /^(-f|--file|-F|--format|-j|--jobs)/;

const FRONT_MATTER = new Set([
  'SET statement_timeout = 0;',
  'SET lock_timeout = 0;',
  'SET idle_in_transaction_session_timeout = 0;',
  'SET transaction_timeout = 0;',
  "SET client_encoding = 'UTF8';",
  'SET standard_conforming_strings = on;',
  "SELECT pg_catalog.set_config('search_path', '', false);",
  'SET xmloption = content;',
  'SET client_min_messages = warning;',
  'SET row_security = off;',
  "SET default_tablespace = '';",
  'SET default_with_oids = false;',
  'SET default_table_access_method = heap;',
  'CREATE SCHEMA public;',
  "COMMENT ON SCHEMA public IS 'standard public schema';",
]);
const EVENT_TRIGGER =
  /^CREATE TRIGGER "?notify_hasura_.+"? AFTER \w+ ON .+ FOR EACH ROW EXECUTE (FUNCTION|PROCEDURE) /;

/**
 * @param body the request's JSON
 * @param poolOf for the engine's own dump, where pg_dump is missing or older than the server
 * @throws {EngineError} `not-found` for an unknown source, `unexpected` where pg_dump fails
 */
export async function dumpDatabase(
  body: unknown,
  metadata: Metadata,
  env: Environment,
  poolOf: (source: Source) => Queryable,
): Promise<string> {
  const { source: name, opts, clean_output: clean } = parseWith(request, body);
  const source = metadata.sources.find((candidate) => candidate.name === name);
  if (source === undefined) {
    throw new EngineError('not-found', `source ${name} not found`, { status: 400 });
  }
  const writing = opts.find((option) => WRITES_FILES.test(option));
  if (writing !== undefined) {
    throw new EngineError(
      'bad-request',
      `pg_dump option ${writing} is not supported; the dump is the answer`,
    );
  }
  const url = new URL(resolveDatabaseUrl(source.configuration.connection_info.database_url, env));
  const dumped = await run(opts, connection(url), env);
  if (dumped === undefined) return dumpSchema(poolOf(source), readDumpOptions(opts));
  const lines = dumped.split('\n');
  // `\restrict` is for psql alone; a migration goes through the query API.
  const sql = lines.filter((line) => !/^\\(un)?restrict /.test(line));
  return clean ? `${sql.filter((line) => !isNoise(line)).join('\n')}\n` : sql.join('\n');
}

const isNoise = (line: string) =>
  line.trim() === '' || line.startsWith('--') || FRONT_MATTER.has(line) || EVENT_TRIGGER.test(line);

/** In the environment, where other users of the machine do not see the password. */
function connection(url: URL): Record<string, string> {
  const parts = {
    PGHOST: decodeURIComponent(url.hostname),
    PGPORT: url.port,
    PGUSER: decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: decodeURIComponent(url.pathname.slice(1)),
    PGSSLMODE: url.searchParams.get('sslmode') ?? '',
  };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== ''));
}

/** Undefined where there is no pg_dump that can read this server. */
async function run(
  opts: readonly string[],
  pgEnv: Record<string, string>,
  env: Environment,
): Promise<string | undefined> {
  const child = spawn('pg_dump', ['--encoding=utf8', ...opts], {
    env: { PATH: env.PATH, ...pgEnv },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const missing = new Promise<undefined>((resolve) => child.once('error', () => resolve(undefined)));
  const finished = Promise.all([
    new Promise<number | null>((resolve) => child.once('close', resolve)),
    text(child.stdout),
    text(child.stderr),
  ]);
  const outcome = await Promise.race([missing, finished]);
  if (outcome === undefined) return undefined;
  const [code, output, errors] = outcome;
  if (code === 0) return output;
  if (errors.includes('server version mismatch')) return undefined;
  throw new EngineError('unexpected', 'error while executing pg_dump', { internal: errors });
}
