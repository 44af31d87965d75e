import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LatchkeyError } from '@latchkey/core/errors';
import type { Personas } from '@latchkey/local/personas';
import { type PostgresServer, startPostgres } from '@latchkey/local/postgres/postgres';
import { freePort, LOOPBACK } from '@latchkey/local/processes/ports';
import { type Child, describeExit } from '@latchkey/local/processes/processes';
import { untilAnswers } from '@latchkey/local/processes/wait';
import { type EngineProcess, linkEnvironment, startEngine } from '@latchkey/local/programs/engine';
import { type ServiceProcess, startService } from '@latchkey/local/programs/service';
import type { StandInGuide } from '@latchkey/local/stand-ins/core';
import {
  type DeliveryAttempt,
  type LocalProviders,
  type StandInName,
  startLocalProviders,
} from '@latchkey/local/stand-ins/start';
import { Client } from 'pg';
import { PROJECT_ROOT } from '../environment.ts';
import { applyProject } from '../project/apply-project.ts';
import { createMetadataApi } from '../project/metadata-api.ts';
import { readProject } from '../project/project.ts';
import { jwtModeOf } from './trust.ts';

export type StackOptions = {
  /** Where data, keys and secrets are kept between runs; everything is thrown away without it. */
  stateDirectory?: string;
  /** A PostgreSQL to use instead of starting one. */
  databaseUrl?: string | undefined;
  /** A shell command for another engine than the embedded one. */
  engineCommand?: string | undefined;
  /** Free ports where none are given. */
  ports?: Partial<Record<'postgres' | 'engine' | 'service' | StandInName, number>>;
  /** The providers to have stand-ins of (default: Clerk). Of several, the service verifies the tokens. */
  providers?: readonly StandInName[];
  /** Who has signed up at each of them when they start. */
  personas?: Personas | undefined;
  /** Called for each line a program prints. */
  onLine?: (program: string, line: string) => void;
  /** Called for each attempt of a provider to deliver a webhook. */
  onAttempt?: (attempt: DeliveryAttempt) => void;
};

export type Stack = {
  /** Absent where a database was given. */
  postgres: PostgresServer | undefined;
  databaseUrl: string;
  providers: LocalProviders;
  /** What to do with each of them. */
  guides: readonly RunningGuide[];
  engine: EngineProcess;
  service: ServiceProcess;
  /** Settles, with a sentence on it, when one of the programs ends by itself. */
  failed: Promise<string>;
  close(): Promise<void>;
};

/** What to do with a stand-in, and where it runs. */
export interface RunningGuide extends StandInGuide {
  readonly url: string;
}

/** Nobody else looks into it. Root's PostgreSQL runs as another user, who must get through to its data. */
const STATE_MODE = process.getuid?.() === 0 ? 0o711 : 0o700;

/**
 * Starts everything, brings the database to the project's migrations and metadata, and waits until
 * the service is ready. Where a part cannot be started, those that were are ended.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { stateDirectory, ports = {} } = options;
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    // The last one started is the first to go: nobody is left talking to what is gone already.
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const track = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    closers.push(() => started.close());
    return started;
  };
  const printer = (program: string): { onLine?: (line: string) => void } => {
    const { onLine } = options;
    return onLine === undefined ? {} : { onLine: (line) => onLine(program, line) };
  };

  try {
    if (stateDirectory !== undefined) await mkdir(stateDirectory, { recursive: true, mode: STATE_MODE });
    const adminSecret = await keptSecret(stateDirectory, 'admin-secret');
    const servicePort = ports.service ?? (await freePort());
    // Engine and service know one another from the start, whichever is up first.
    const link = {
      url: `http://${LOOPBACK}:${servicePort}`,
      actionSecret: await keptSecret(stateDirectory, 'action-secret'),
    };
    const guides = new Map<string, RunningGuide>();
    const foundation = [
      options.databaseUrl === undefined
        ? track(
            startPostgres({
              ...(stateDirectory === undefined ? {} : { directory: join(stateDirectory, 'postgres') }),
              ...(ports.postgres === undefined ? {} : { port: ports.postgres }),
              ...printer('postgres'),
            }),
          )
        : requireDatabase(options.databaseUrl),
      // An engine does not start while its key set is silent, so the providers come before it.
      startLocalProviders(options.providers ?? ['clerk'], {
        ports,
        stateDirectory,
        personas: options.personas,
        ...(options.onAttempt && { onAttempt: options.onAttempt }),
        ...(options.onLine && { onLine: options.onLine }),
        onStarted: (provider, guide) => {
          closers.push(() => provider.close());
          guides.set(provider.name, { ...guide, url: provider.url });
        },
      }),
    ] as const;
    // If one fails, the other must be known before it can be ended.
    await Promise.allSettled(foundation);
    const [postgres, providers] = await Promise.all(foundation);
    const databaseUrl = postgres?.url ?? options.databaseUrl ?? '';
    const running = Object.values(providers);
    const jwtSecret = jwtModeOf(running);
    const enginePort = ports.engine ?? (await freePort());
    const starting = [
      track(
        startEngine({
          databaseUrl,
          adminSecret,
          ...(jwtSecret === undefined ? { authHook: true } : { jwtSecret }),
          service: link,
          port: enginePort,
          command: options.engineCommand,
          ...printer('engine'),
        }),
      ),
      track(
        startService({
          engineUrl: `http://127.0.0.1:${enginePort}`,
          adminSecret,
          port: servicePort,
          env: {
            ...Object.fromEntries(running.flatMap((provider) => Object.entries(provider.serviceEnvironment))),
            ...linkEnvironment(link),
          },
          ...printer('service'),
        }),
      ),
    ] as const;
    await Promise.allSettled(starting);
    const [engine, service] = await Promise.all(starting);

    const project = await readProject(join(PROJECT_ROOT, 'hasura'));
    const { inconsistent } = await applyProject(createMetadataApi(engine.url, adminSecret), project, {
      // What somebody has tracked by hand since is theirs to keep.
      onForeign: 'merge',
      keepConflicts: true,
      report: (line) => line.startsWith('kept ') && options.onLine?.('latchkey', line),
    });
    if (inconsistent.length > 0) {
      throw new Error(`The metadata do not fit the database:\n${inconsistent.join('\n')}`);
    }
    await untilAnswers(`${service.url}/readyz`, service.child);
    // Not before: Casdoor sends three times in all, and what the personas have caused waits to be told.
    for (const provider of running) provider.deliverTo(`${service.url}/webhooks/${provider.name}`);

    const children = [postgres?.child, engine.child, service.child].filter((child) => child !== undefined);
    return {
      postgres,
      databaseUrl,
      providers,
      guides: running.flatMap(({ name }) => guides.get(name) ?? []),
      engine,
      service,
      failed: firstEnd(children),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @throws LatchkeyError `configuration-invalid` where nobody answers at this address */
async function requireDatabase(url: string): Promise<undefined> {
  try {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
    await client.connect();
    await client.end();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LatchkeyError(
      'configuration-invalid',
      `LATCHKEY_DATABASE_URL cannot be connected to (${reason}): start that PostgreSQL, correct the URL (postgres://user:password@host:port/database), or unset it for a PostgreSQL of our own.`,
      { cause },
    );
  }
}

function firstEnd(children: Child[]): Promise<string> {
  return Promise.race(children.map(async (child) => describeExit(child, await child.exited)));
}

/** A secret, the same in each run where something is kept. */
async function keptSecret(stateDirectory: string | undefined, name: string): Promise<string> {
  const fresh = randomBytes(24).toString('base64url');
  if (stateDirectory === undefined) return fresh;
  const file = join(stateDirectory, name);
  const kept = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (kept !== '') return kept;
  await writeFile(file, `${fresh}\n`, { mode: 0o600 });
  return fresh;
}
