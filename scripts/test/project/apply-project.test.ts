import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyProject } from '../../project/apply-project.ts';
import { EngineRefusal, type MetadataApi } from '../../project/metadata-api.ts';
import { readProject } from '../../project/project.ts';

const PROJECT = join(import.meta.dirname, '..', '..', '..', 'hasura');

test('variables that the engine misses are told once, with what to do', async () => {
  const reasons = [
    'Inconsistent object: in action "syncMe"; Value for environment variables not found: LATCHKEY_SERVICE_URL',
    'Inconsistent object: Value for environment variables not found: LATCHKEY_SERVICE_URL',
    "Inconsistent object: environment variable 'LATCHKEY_ACTION_SECRET' not set",
  ];
  const project = await readProject(PROJECT);
  // An engine on which every migration has run.
  const api: MetadataApi = {
    endpoint: 'http://127.0.0.1:8080',
    hasSecret: true,
    async metadata(type) {
      if (type === 'get_catalog_state') return { cli_state: { migrations: { default: {} } } };
      if (type === 'set_catalog_state') return { message: 'success' };
      if (type === 'get_inconsistent_metadata') return { is_consistent: true, inconsistent_objects: [] };
      if (type === 'export_metadata') return { metadata: { sources: [{ name: 'default' }] } };
      const internal = reasons.map((reason) => ({ type: 'action', name: 'a', reason }));
      throw new EngineRefusal({ error: 'inconsistent metadata', code: 'unexpected', path: '$', internal });
    },
    query: async () => ({ result_type: 'CommandOk', result: null }),
    version: async () => 'v2.48.16',
  };
  const lines: string[] = [];
  await applyProject(api, project, { report: (line) => lines.push(line) });
  expect(lines.filter((line) => line.startsWith('inconsistent: '))).toHaveLength(3);
  expect(lines.at(-1)).toBe(
    'to fix that: set LATCHKEY_ACTION_SECRET and LATCHKEY_SERVICE_URL in the environment of Hasura itself, as .env.example says, and start it again',
  );
});
