import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@latchkey/local/postgres/postgres';
import { freePort } from '@latchkey/local/processes/ports';
import { type Child, PATH_TO_NODE, startChild } from '@latchkey/local/processes/processes';
import { untilAnswers } from '@latchkey/local/processes/wait';
import { type EngineProcess, startEngine } from '@latchkey/local/programs/engine';
import { applyProject } from '../support/engine.ts';

export interface Server {
  readonly url: string;
  readonly child: Child;
}

export interface Stand {
  readonly postgres: PostgresServer;
  readonly engine: EngineProcess;
  readonly secret: string;
  /** Starts a program of this project that listens where LATCHKEY_PORT says, and waits until it answers. */
  serve(file: string, options?: { args?: string[]; env?: Record<string, string> }): Promise<Server>;
  close(): Promise<void>;
}

const ROOT = join(import.meta.dirname, '..', '..');

/**
 * A PostgreSQL with its own default settings, fsync among them, and the embedded engine, with this
 * project's tables.
 */
export async function openStand(): Promise<Stand> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'latchkey-bench-'));
    // PostgreSQL runs as another user where this runs as root, and must get in.
    await chmod(folder, 0o755);
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const postgres = await startPostgres({ directory: join(folder, 'postgres') });
    // Where the server's user cannot reach the folder, the data are elsewhere.
    closers.push(() => rm(postgres.directory, { recursive: true, force: true }));
    closers.push(() => postgres.close());
    const adminSecret = randomBytes(24).toString('base64url');
    const engine = await startEngine({ databaseUrl: postgres.url, adminSecret });
    closers.push(() => engine.close());
    await applyProject(engine.url, adminSecret);

    const secret = `whsec_${randomBytes(24).toString('base64')}`;
    return {
      postgres,
      engine,
      secret,
      async serve(file, { args = [], env = {} } = {}) {
        const port = await freePort();
        const child = await startChild({
          name: file,
          // Each with the service's settings of Node, so that the figures can be compared.
          command: join(ROOT, 'services', 'identity', 'start'),
          args: [join(ROOT, file), ...args],
          cwd: ROOT,
          env: {
            PATH: PATH_TO_NODE,
            HASURA_GRAPHQL_ENDPOINT: engine.url,
            HASURA_GRAPHQL_ADMIN_SECRET: adminSecret,
            CLERK_WEBHOOK_SECRET: secret,
            LATCHKEY_PORT: String(port),
            // Lines for each request would be read by the sender, and so measured.
            LATCHKEY_LOG_LEVEL: 'error',
            ...env,
          },
          onLine: (line) => console.error(line),
        });
        closers.push(() => child.stop());
        const url = `http://127.0.0.1:${port}`;
        await untilAnswers(`${url}/healthz`, child);
        return { url, child };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a process holds in memory, in megabytes. */
export function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}

/** Of the process that this one started, as scripts/latchkey.js starts a Node with other settings. */
export function residentMegabytesOfChild(pid: number): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  return child === undefined || child === '' ? Number.NaN : residentMegabytes(Number(child));
}

/** The machine in a line: what figures cannot be read without. */
export function describeMachine(postgres: PostgresServer): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} × ${model}, ${memory} GB; Node ${process.version}, PostgreSQL ${postgres.version} (fsync on)`;
}
