import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { readConfig } from '#base/config.ts';
import { silentLogger } from '#base/log.ts';
import { startEngineServer } from '#engine.ts';

export const ADMIN_SECRET = 'secret of the tests';

export type Answer = { status: number; headers: Headers; body: unknown };

export type TestEngine = {
  url: string;
  database: TestDatabase;
  /** A command of the metadata API; throws where it is refused. */
  metadata(type: string, args: unknown): Promise<unknown>;
  /** The same, giving the refusal. */
  refusal(type: string, args: unknown): Promise<unknown>;
  /** `run_sql`; what it answers, or the refusal. */
  runSql(args: unknown): Promise<unknown>;
  /** As admin unless headers name a role; the admin secret always comes along. */
  graphql(
    query: string,
    options?: { variables?: unknown; headers?: Record<string, string> },
  ): Promise<Answer>;
  close(): Promise<void>;
};

/** An engine over HTTP on a database of its own, or on `database`. */
export async function startEngine(
  env: Record<string, string> = {},
  database?: TestDatabase,
): Promise<TestEngine> {
  const own = database ?? (await createDatabase());
  const config = readConfig({
    HASURA_GRAPHQL_DATABASE_URL: own.url,
    HASURA_GRAPHQL_ADMIN_SECRET: ADMIN_SECRET,
    HASURA_GRAPHQL_SERVER_PORT: '0',
    HASURA_GRAPHQL_ASYNC_ACTIONS_FETCH_INTERVAL: '10',
    HASURA_GRAPHQL_EVENTS_FETCH_INTERVAL: '10',
    ...env,
  });
  const engine = await startEngineServer(config, silentLogger);
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
    const answer = await fetch(engine.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-hasura-admin-secret': ADMIN_SECRET, ...headers },
      body: JSON.stringify(body),
    });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
  };
  return {
    url: engine.url,
    database: own,
    async metadata(type, args) {
      const { status, body } = await post('/v1/metadata', { type, args });
      if (status !== 200) throw new Error(`${type}: ${JSON.stringify(body)}`);
      return body;
    },
    refusal: async (type, args) => (await post('/v1/metadata', { type, args })).body,
    runSql: async (args) => (await post('/v2/query', { type: 'run_sql', args })).body,
    graphql: (query, { variables, headers } = {}) => post('/v1/graphql', { query, variables }, headers),
    async close() {
      await engine.close();
      if (database === undefined) await own.close();
    },
  };
}
