import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@latchkey/local/postgres/postgres';
import { freePort } from '@latchkey/local/processes/ports';
import type { Child } from '@latchkey/local/processes/processes';
import { untilAnswers } from '@latchkey/local/processes/wait';
import { startEngine } from '@latchkey/local/programs/engine';
import { startService } from '@latchkey/local/programs/service';
import {
  type Attempt,
  createSender,
  type LocalClerk,
  type Message,
  startLocalClerk,
  type WebhookSender,
} from '@latchkey/local/stand-ins/clerk';
import { createEndpoint } from '@latchkey/local/stand-ins/core';
import { jwtSecretOf } from '@latchkey/scripts/stack/trust';
import { Client } from 'pg';
import { applyProject } from '../support/engine.ts';

/** A process that can be killed and comes back at the same place. */
export interface Program {
  readonly url: string;
  child(): Child;
  /** SIGKILL, as the kernel does when memory runs out. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

export interface World {
  readonly clerk: LocalClerk;
  readonly postgres: Program;
  readonly engine: Program;
  readonly services: readonly Program[];
  /** What the services have printed. */
  readonly log: readonly string[];
  /** Delivers as Svix does, to the service of this index. */
  sender(service: number, onAttempt?: (attempt: Attempt) => void): WebhookSender;
  /** Straight on the database, past the engine. */
  query(sql: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly services?: number;
  readonly serviceEnvironment?: Readonly<Record<string, string>>;
}

/** The waits of the sender: some of them are always longer than a program takes to come back. */
const SCHEDULE_MS = [50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 12_800];

/** PostgreSQL as it is run in earnest (what is committed is on the disk), the engine and the services. */
export async function startWorld({
  services: count = 1,
  serviceEnvironment = {},
}: WorldOptions = {}): Promise<World> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const program = async (
    begin: (port: number) => Promise<{ url: string; child: Child; close(): Promise<void> }>,
  ): Promise<Program> => {
    const port = await freePort();
    let running = await begin(port);
    closers.push(() => running.close());
    return {
      url: running.url,
      child: () => running.child,
      async kill() {
        process.kill(-running.child.pid, 'SIGKILL');
        await running.child.exited;
      },
      async start() {
        running = await begin(port);
      },
    };
  };

  try {
    const clerk = await startLocalClerk({ port: 0 });
    closers.push(() => clerk.close());
    const folder = await mkdtemp(join(tmpdir(), 'latchkey-reliability-'));
    // PostgreSQL runs as another user where this runs as root, and must get in.
    await chmod(folder, 0o755);
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const postgres = await program(async (port) => {
      const started = await withRetry(() => startPostgres({ directory: join(folder, 'postgres'), port }));
      if (started.directory !== join(folder, 'postgres')) {
        closers.splice(2, 0, () => rm(started.directory, { recursive: true, force: true }));
      }
      return started;
    });
    const adminSecret = randomBytes(24).toString('base64url');
    const engine = await program((port) =>
      startEngine({ databaseUrl: postgres.url, adminSecret, jwtSecret: jwtSecretOf(clerk), port }),
    );
    await applyProject(engine.url, adminSecret);
    const log: string[] = [];
    const services: Program[] = [];
    for (let index = 0; index < count; index += 1) {
      const service = await program(async (port) => {
        const env = { ...clerk.serviceEnvironment, ...serviceEnvironment };
        const onLine = (line: string): void => void log.push(line);
        return startService({ engineUrl: engine.url, adminSecret, port, env, onLine });
      });
      await untilAnswers(`${service.url}/readyz`, service.child());
      services.push(service);
    }
    return {
      clerk,
      postgres,
      engine,
      services,
      log,
      sender(index, onAttempt) {
        const sender = createSender({
          endpoint: createEndpoint(`${services[index]?.url}/webhooks/clerk`),
          secret: clerk.serviceEnvironment.CLERK_WEBHOOK_SECRET ?? '',
          scheduleMs: SCHEDULE_MS,
          concurrency: 24,
          ...(onAttempt === undefined ? {} : { onAttempt }),
        });
        closers.push(() => sender.close());
        return sender;
      },
      async query(sql) {
        const client = new Client({ connectionString: postgres.url });
        await client.connect();
        try {
          return (await client.query<Record<string, unknown>>(sql)).rows;
        } finally {
          await client.end();
        }
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** One row for each message, applied at the first attempt that was committed. */
export function expectedLedger(messages: readonly Message[]): Record<string, unknown>[] {
  return messages
    .map(({ id, type }) => ({ id, type, status: 'applied', attempts: 1 }))
    .sort((one, other) => (one.id < other.id ? -1 : 1));
}

/** What is left of a PostgreSQL that was killed needs a moment to notice, and holds its memory until then. */
async function withRetry<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
