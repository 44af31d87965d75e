import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../environment.ts';
import { applyProject } from '../project/apply-project.ts';
import { createMetadataApi } from '../project/metadata-api.ts';
import { readProject } from '../project/project.ts';
import { startEngine } from '../stack/engine.ts';
import { startPostgres } from '../stack/postgres.ts';
import { generateTypes, introspect, SCHEMA_FILE, TYPES_FILE } from './generate.ts';

// Asks an engine of its own, freshly brought to this project's migrations and metadata.
const adminSecret = randomBytes(24).toString('base64url');
const postgres = await startPostgres();
try {
  const engine = await startEngine({ databaseUrl: postgres.url, adminSecret });
  try {
    const project = await readProject(join(PROJECT_ROOT, 'hasura'));
    await applyProject(createMetadataApi(engine.url, adminSecret), project);
    const schema = await introspect(engine.url, adminSecret);
    await writeFile(SCHEMA_FILE, schema);
    await writeFile(TYPES_FILE, await generateTypes(schema));
    console.log(`Wrote the admin schema and the typed documents, asking the ${engine.description}.`);
  } finally {
    await engine.close();
  }
} finally {
  await postgres.close();
}
