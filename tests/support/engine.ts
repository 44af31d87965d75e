import { join } from 'node:path';
import { applyProject as apply } from '../../scripts/project/apply-project.ts';
import { createMetadataApi } from '../../scripts/project/metadata-api.ts';
import { readProject } from '../../scripts/project/project.ts';
import { type ServiceLink, startEngine } from '../../scripts/stack/engine.ts';
import { freePort } from '../../scripts/stack/ports.ts';
import type { JwtSecret } from '../../services/identity/providers/provider.ts';
import { createDatabase } from './postgres.ts';
import { readTarget } from './target.ts';

export type EngineSettings = {
  adminSecret: string;
  /** Whose tokens it accepts. */
  jwtSecret?: JwtSecret;
  /** Ask the service who a client is, in place of a `jwtSecret`. */
  authHook?: boolean;
  /** A free one if not given. */
  port?: number;
  /** For what calls the service: actions and cron triggers. */
  service?: ServiceLink;
  env?: Readonly<Record<string, string>>;
};

/** An engine under test: a black box with an address, which can be taken away and brought back. */
export type TestEngine = {
  url: string;
  /** Which engine and version this is. */
  description: string;
  /** Takes it away; its database stays. */
  stop(): Promise<void>;
  /** Brings it back at the same address, with the same settings. */
  start(): Promise<void>;
  /** Ends it and drops its database. */
  close(): Promise<void>;
};

/** Starts the engine that the suite is meant to run against, on a database of its own, and says which. */
export async function startTestEngine(settings: EngineSettings): Promise<TestEngine> {
  const target = readTarget();
  const engine =
    target.kind === 'docker'
      ? await (await import('./docker.ts')).dockerEngine(settings)
      : await localEngine(settings, target.kind === 'command' ? target.command : undefined);
  console.log(`End-to-end tests on ${engine.description}.`);
  return engine;
}

async function localEngine(settings: EngineSettings, command: string | undefined): Promise<TestEngine> {
  const database = await createDatabase();
  const port = settings.port ?? (await freePort());
  const start = () => startEngine({ databaseUrl: database.url, port, command, ...settings });
  let engine = await start();
  return {
    url: engine.url,
    description: engine.description,
    stop: () => engine.close(),
    async start() {
      engine = await start();
    },
    async close() {
      await engine.close();
      await database.close();
    },
  };
}

/** Brings an engine to this project's migrations and metadata, as `latchkey apply` does. */
export async function applyProject(engineUrl: string, adminSecret: string): Promise<void> {
  const project = await readProject(join(import.meta.dirname, '..', '..', 'hasura'));
  const { inconsistent } = await apply(createMetadataApi(engineUrl, adminSecret), project);
  if (inconsistent.length > 0) throw new Error(`The metadata do not fit:\n${inconsistent.join('\n')}`);
}
