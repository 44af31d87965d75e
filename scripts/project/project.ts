import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LatchkeyError } from '@latchkey/core/errors';
import { parse } from 'yaml';
import { z } from 'zod';

/** A Hasura project: the folders its config.yaml names, as absolute paths. */
export type Project = {
  endpoint: string;
  metadataDirectory: string;
  migrationsDirectory: string;
};

const configSchema = z.object({
  version: z.literal(3),
  endpoint: z.string().default('http://127.0.0.1:8080'),
  metadata_directory: z.string().default('metadata'),
  migrations_directory: z.string().default('migrations'),
});

/**
 * Reads the project file that the hasura CLI reads too.
 *
 * @param folder where config.yaml is
 */
export async function readProject(folder: string): Promise<Project> {
  const file = join(folder, 'config.yaml');
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new LatchkeyError(
      'configuration-invalid',
      `${file} cannot be read: name the folder of a Hasura project with --project.`,
      { cause },
    );
  });
  const config = configSchema.safeParse(parse(text));
  if (!config.success) {
    const [issue] = config.error.issues;
    const key = issue?.path.join('.') || 'the file';
    throw new LatchkeyError(
      'configuration-invalid',
      `${file}: ${key}: ${issue?.message ?? 'not as expected'}`,
    );
  }
  return {
    endpoint: config.data.endpoint,
    metadataDirectory: resolve(folder, config.data.metadata_directory),
    migrationsDirectory: resolve(folder, config.data.migrations_directory),
  };
}
