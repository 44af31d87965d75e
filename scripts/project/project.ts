import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { LatchkeyError } from '@latchkey/core/errors';
import type { Environment } from '@latchkey/local/environment';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';

/** A Hasura project: what its config.yaml and the variables that the hasura CLI reads say, folders as absolute paths. */
export type Project = {
  endpoint: string;
  adminSecret: string | undefined;
  metadataDirectory: string;
  migrationsDirectory: string;
};

/** Empty counts as not given, as for the CLI. */
const text = z
  .string()
  .optional()
  .transform((value) => (value === '' ? undefined : value));

const CONFIG = z.looseObject({
  // A file without one is as old as the first version to the CLI, which hardly any is: metadata say theirs themselves.
  version: z
    .union([z.literal(3), z.literal('3')], {
      error: 'must be 3 (hasura scripts update-config-v3 brings an older project there)',
    })
    .default(3),
  endpoint: text,
  admin_secret: text,
  access_key: text,
  metadata_directory: text,
  migrations_directory: text,
});

/**
 * Reads the project file that the hasura CLI reads too, and as it does: what the environment says goes before the
 * project's `.env`, and that before config.yaml.
 *
 * @param folder where config.yaml is
 * @throws LatchkeyError `configuration-invalid`, naming the file
 */
export async function readProject(folder: string, environment: Environment = {}): Promise<Project> {
  const file = join(folder, 'config.yaml');
  const content = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new LatchkeyError(
      'configuration-invalid',
      `${file} cannot be read: name the folder of a Hasura project with --project.`,
      { cause },
    );
  });
  const config = CONFIG.safeParse(parseConfig(file, content));
  if (!config.success) {
    const [issue] = config.error.issues;
    const key = issue?.path.join('.') || 'the file';
    throw new LatchkeyError(
      'configuration-invalid',
      `${file}: ${key}: ${issue?.message ?? 'not as expected'}`,
    );
  }
  const fromFile: Environment = parseEnv(await readFile(join(folder, '.env'), 'utf8').catch(() => ''));
  const setting = (name: keyof typeof config.data & string): string | undefined => {
    const variable = `HASURA_GRAPHQL_${name.toUpperCase()}`;
    const inConfig = config.data[name];
    return (
      environment[variable] || fromFile[variable] || (typeof inConfig === 'string' ? inConfig : undefined)
    );
  };
  return {
    endpoint: setting('endpoint') ?? 'http://127.0.0.1:8080',
    adminSecret: setting('admin_secret') ?? setting('access_key'),
    metadataDirectory: resolve(folder, setting('metadata_directory') ?? 'metadata'),
    migrationsDirectory: resolve(folder, setting('migrations_directory') ?? 'migrations'),
  };
}

function parseConfig(file: string, content: string): unknown {
  try {
    return parse(content, { merge: true }) ?? {};
  } catch (cause) {
    if (!(cause instanceof YAMLParseError)) throw cause;
    throw new LatchkeyError('configuration-invalid', `${file}: ${cause.message.split('\n')[0]}`, { cause });
  }
}
