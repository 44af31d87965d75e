import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_ROOT } from '@latchkey/local/environment';
import { startPostgres } from '@latchkey/local/postgres/postgres';
import { startEngine } from '@latchkey/local/programs/engine';
import { applyProject } from '@latchkey/scripts/project/apply-project';
import { createMetadataApi } from '@latchkey/scripts/project/metadata-api';
import { readProject } from '@latchkey/scripts/project/project';
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
