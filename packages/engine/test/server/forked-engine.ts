import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { z } from 'zod';
import { ADMIN_SECRET } from '../support/engine.ts';

const PROCESS = fileURLToPath(new URL('engine-process.ts', import.meta.url));
const started = z.tuple([z.object({ url: z.string() }), z.unknown()]);
const usage = z.object({ cpuSeconds: z.number(), memoryMb: z.number() });
export type Usage = z.infer<typeof usage>;

export interface ForkedEngine {
  readonly url: string;
  readonly database: TestDatabase;
  /** What its process has used so far. */
  usage(): Promise<Usage>;
  /** A command of the metadata API; throws where it is refused. */
  metadata(type: string, args: unknown): Promise<void>;
  close(): Promise<void>;
}

/** An engine in a process of its own, on a database made by `sql`. */
export async function forkEngine(sql: string, env: Record<string, string> = {}): Promise<ForkedEngine> {
  const database = await createDatabase();
  await database.query(sql);
  const child = fork(PROCESS, [], {
    env: {
      HASURA_GRAPHQL_DATABASE_URL: database.url,
      HASURA_GRAPHQL_ADMIN_SECRET: ADMIN_SECRET,
      HASURA_GRAPHQL_SERVER_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const told = await Promise.race([once(child, 'message'), exited]);
  const [{ url }] = started.parse(told);
  return {
    url,
    database,
    async usage() {
      const answer = once(child, 'message');
      child.send('usage');
      const [value] = await answer;
      return usage.parse(value);
    },
    async metadata(type, args) {
      const answer = await fetch(`${url}/v1/metadata`, {
        method: 'POST',
        headers: { 'x-hasura-admin-secret': ADMIN_SECRET },
        body: JSON.stringify({ type, args }),
      });
      if (!answer.ok) throw new Error(`${type}: ${await answer.text()}`);
    },
    async close() {
      if (child.exitCode === null) child.disconnect();
      await exited;
      await database.close();
    },
  };
}
