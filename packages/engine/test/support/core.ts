import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { z } from 'zod';
import { readConfig } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';
import { ADMIN_SESSION, createSession, type Session } from '#base/session.ts';
import { buildCore } from '#core/build-core.ts';
import type { RowCommand, RunnableOperation, Subscription } from '#execute/operation.ts';
import { metadata } from '#metadata/types.ts';
import { readCatalog } from '#postgres/read-catalog.ts';
import { testPool } from './test-pool.ts';

export interface TestCore {
  readonly inconsistencies: readonly { readonly name: string; readonly reason: string }[];
  /** Statements that ran since the last look, with their values. */
  statements(): { text: string; values: unknown }[];
  /** The answer's `data`. */
  query(query: string, session?: Session, variables?: Record<string, unknown>): Promise<unknown>;
  /** The answer's JSON text. */
  raw(query: string): Promise<string>;
  /** The error it ends in, as `code path message`. */
  failure(query: string, session?: Session, variables?: Record<string, unknown>): Promise<string>;
  subscription(query: string, session?: Session, variables?: Record<string, unknown>): Subscription;
  /** A row command of the old query APIs. */
  rows(type: RowCommand, args: unknown, session?: Session): Promise<unknown>;
  /** On the first source's database, or on that of another by its name. */
  sql(text: string, source?: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

const statement = z.object({ text: z.string(), values: z.unknown() });

const CONTEXT = { headers: [], requestId: 'test' };

type Ran = { text: string; values: unknown }[];

/** A new database made by SQL, or one that is there and stays; its pool notes what it runs. */
async function openDatabase(from: string | TestDatabase, ran: Ran) {
  const database = typeof from === 'string' ? await createDatabase() : from;
  if (typeof from === 'string') await database.query(from);
  const pool = testPool(database.url);
  // Statements of transactions run on a connection of their own, so it is there that all are seen.
  pool.on('connect', (client) => {
    client.query = new Proxy(client.query.bind(client), {
      apply(target, self, given: unknown[]) {
        const [config] = given;
        const parsed = statement.safeParse(config);
        // Every transaction begins by telling who asks.
        if (parsed.success && !parsed.data.text.includes("set_config('hasura.user'")) ran.push(parsed.data);
        return Reflect.apply(target, self, given);
      },
    });
  });
  return {
    database,
    pool,
    async close() {
      await pool.end();
      if (typeof from === 'string') await database.close();
    },
  };
}

/** A source beside the first one. */
export interface OtherSource {
  readonly name: string;
  readonly sql: string;
  readonly tables: readonly unknown[];
  readonly customization?: unknown;
}

/**
 * GraphQL on a database under the `source`'s tables and functions.
 *
 * @param from the SQL that makes the database, or one that several cores share: to make one takes longer than most
 *   tests
 */
export async function startCore(
  from: string | TestDatabase,
  source: Record<string, unknown>,
  settings: {
    env?: Record<string, string>;
    metadata?: Record<string, unknown>;
    others?: readonly OtherSource[];
  } = {},
): Promise<TestCore> {
  const ran: Ran = [];
  const main = await openDatabase(from, ran);
  const { database, pool } = main;
  const first: Record<string, unknown> & { name: string } = { name: 'default', tables: [], ...source };
  const opened = [{ ...main, source: first }];
  for (const { sql: text, ...other } of settings.others ?? [])
    opened.push({ ...(await openDatabase(text, ran)), source: { ...other } });
  const parsed = metadata.parse({
    version: 3,
    sources: opened.map((one) => ({
      kind: 'postgres',
      configuration: { connection_info: { database_url: one.database.url } },
      ...one.source,
    })),
    ...settings.metadata,
  });
  const core = await buildCore({
    metadata: parsed,
    sources: await Promise.all(
      opened.map(async (one) => {
        const entry = parsed.sources.find(({ name }) => name === one.source.name);
        if (entry === undefined) throw new Error('unreachable');
        return { metadata: entry, pool: one.pool, catalog: await readCatalog(one.pool) };
      }),
    ),
    metadataPool: pool,
    config: readConfig({ HASURA_GRAPHQL_DATABASE_URL: database.url, ...settings.env }),
  });
  ran.length = 0;
  const prepare = (query: string, session: Session, variables: Record<string, unknown>) =>
    core.prepare({ query, variables }, session);
  const runnable = (
    query: string,
    session: Session,
    variables: Record<string, unknown>,
  ): RunnableOperation => {
    const operation = prepare(query, session, variables);
    if (operation.kind === 'subscription') throw new Error('a subscription is polled, not run');
    return operation;
  };
  return {
    inconsistencies: core.inconsistencies,
    statements: () => ran.splice(0),
    async query(query, session = ADMIN_SESSION, variables = {}) {
      const { body } = await runnable(query, session, variables).run(CONTEXT);
      return JSON.parse(body).data;
    },
    raw: async (query) => (await runnable(query, ADMIN_SESSION, {}).run(CONTEXT)).body,
    async failure(query, session = ADMIN_SESSION, variables = {}) {
      try {
        const { body } = await runnable(query, session, variables).run(CONTEXT);
        return `no error: ${body}`;
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        return `${error.code} ${error.path} ${error.message}`;
      }
    },
    subscription(query, session = ADMIN_SESSION, variables = {}) {
      const operation = prepare(query, session, variables);
      if (operation.kind !== 'subscription') throw new Error('not a subscription');
      return operation;
    },
    rows: (type, args, session = ADMIN_SESSION) => core.rows.run(type, args, session),
    async sql(text, name = 'default') {
      const found = opened.find((one) => one.source.name === name);
      if (found === undefined) throw new Error(`there is no source ${name}`);
      return found.database.query(text);
    },
    async close() {
      for (const one of opened) await one.close();
    },
  };
}

export const as = (role: string, variables: Record<string, string> = {}) => createSession(role, variables);
