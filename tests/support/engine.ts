import { join } from 'node:path';
import { freePort } from '@latchkey/local/processes/ports';
import { startEngine } from '@latchkey/local/programs/engine';
import { applyProject as apply } from '@latchkey/scripts/project/apply-project';
import { createMetadataApi } from '@latchkey/scripts/project/metadata-api';
import { readProject } from '@latchkey/scripts/project/project';
import { createDatabase } from './postgres.ts';
import { readTarget } from './target.ts';
import type { EngineSettings, TestEngine } from './test-engine.ts';

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
