import type { EngineConfig } from '@latchkey/identity/core/settings/service';
import { startEngine } from '@latchkey/local/programs/engine';
import { applyProject } from './engine.ts';
import { createDatabase, type TestDatabase } from './postgres.ts';

export type EmbeddedProject = {
  config: EngineConfig;
  database: TestDatabase;
  close(): Promise<void>;
};

/**
 * The embedded engine on a database of its own, for tests of what talks to an engine.
 *
 * @param options.bare without this project's migrations and metadata
 */
export async function startEmbedded({ bare = false } = {}): Promise<EmbeddedProject> {
  const adminSecret = 'the-admin-secret-of-a-test';
  const database = await createDatabase();
  const engine = await startEngine({ databaseUrl: database.url, adminSecret });
  if (!bare) await applyProject(engine.url, adminSecret);
  return {
    config: { endpoint: engine.url, adminSecret, timeoutMs: 30_000 },
    database,
    async close() {
      await engine.close();
      await database.close();
    },
  };
}
