import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LatchkeyError } from '@latchkey/core/errors';
import { z } from 'zod';
import { EngineRefusal, type MetadataApi } from './metadata-api.ts';

export type Migration = {
  /** The source it is for: the name of its folder. */
  database: string;
  /** Digits, as in the folder's name; kept as text, since that is how Hasura keeps it. */
  version: string;
  /** `<version>_<name>`. */
  name: string;
  up: string;
};

/** By database, by version: whether a run of it began and never came to a known end. */
export type Applied = Record<string, Record<string, boolean>>;

/** The hasura CLI's state in Hasura's catalogue; what else is in there is kept as it is. */
const stateSchema = z.object({
  cli_state: z
    .looseObject({ migrations: z.record(z.string(), z.record(z.string(), z.boolean())).optional() })
    .nullish(),
});

/**
 * All migrations of a project, in the order they are to run.
 *
 * @throws LatchkeyError `configuration-invalid`, naming the file, for a layout that would be passed over
 */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const databases = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const migrations: Migration[] = [];
  for (const database of databases.filter((entry) => entry.isDirectory())) {
    const path = join(folder, database.name);
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const [, version] = /^(\d+)_.+$/.exec(entry.name) ?? [];
      if (version === undefined) continue;
      if (!entry.isDirectory()) {
        const wanted = join(path, entry.name.replace(/\..*/, ''), 'up.sql');
        throw new LatchkeyError(
          'configuration-invalid',
          `${join(path, entry.name)} is no folder: move it to ${wanted}.`,
        );
      }
      const file = join(path, entry.name, 'up.sql');
      const up = await readFile(file, 'utf8').catch((cause: unknown) => {
        throw new LatchkeyError('configuration-invalid', `${file} is missing.`, { cause });
      });
      migrations.push({ database: database.name, version: String(BigInt(version)), name: entry.name, up });
    }
  }
  return migrations.sort((a, b) => {
    if (a.database !== b.database) return a.database < b.database ? -1 : 1;
    return BigInt(a.version) < BigInt(b.version) ? -1 : 1;
  });
}

/** What Hasura's catalogue says of earlier runs, of ours and of the hasura CLI's. */
export async function readApplied(api: MetadataApi): Promise<Applied> {
  return (await readState(api)).migrations ?? {};
}

/**
 * Runs one migration in a transaction and records it as the hasura CLI does.
 *
 * Beforehand it is marked as begun ("dirty", which the CLI heeds too), so that a run cut off in
 * the middle is never taken for one that was not made. If Hasura refuses the SQL, nothing of it
 * has happened, and the mark goes.
 *
 * @throws Error with PostgreSQL's reason, or with what to do where the outcome is not known
 */
export async function runMigration(api: MetadataApi, migration: Migration): Promise<void> {
  const { database, version, name, up } = migration;
  await mark(api, database, version, true);
  try {
    // Unchecked, as the hasura CLI runs them: the metadata are set afterwards as a whole. With the check
    // Hasura untracks what a migration drops, and may refuse what it has committed already.
    const args = { source: database, sql: up, check_metadata_consistency: false };
    if (up.trim() !== '') await api.query('run_sql', args);
  } catch (cause) {
    if (!(cause instanceof EngineRefusal)) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${reason} ${settleHint(database, [name])}`, { cause });
    }
    await mark(api, database, version, undefined);
    throw new Error(`${database}/${name}/up.sql failed, and nothing of it was done: ${sqlReason(cause)}`, {
      cause,
    });
  }
  await mark(api, database, version, false);
}

/** What to do about migrations of which nobody knows whether they took effect. */
export function settleHint(database: string, names: string[]): string {
  return `Whether ${names.join(', ')} took effect on ${database} is not known: look there, then run latchkey apply --settle applied or --settle pending.`;
}

/** @param dirty undefined forgets the version */
export async function mark(
  api: MetadataApi,
  database: string,
  version: string,
  dirty: boolean | undefined,
): Promise<void> {
  const state = await readState(api);
  const versions = { ...state.migrations?.[database] };
  if (dirty === undefined) delete versions[version];
  else versions[version] = dirty;
  await api.metadata('set_catalog_state', {
    type: 'cli',
    state: {
      settings: { migration_mode: 'true' },
      ...state,
      migrations: { ...state.migrations, [database]: versions },
      // Without it the CLI looks for the state of its first version before it believes this one.
      isStateCopyCompleted: true,
    },
  });
}

async function readState(api: MetadataApi): Promise<{ migrations?: Applied | undefined }> {
  return stateSchema.parse(await api.metadata('get_catalog_state', {})).cli_state ?? {};
}

const sqlErrorSchema = z.object({ error: z.object({ message: z.string() }) });

function sqlReason(refusal: EngineRefusal): string {
  const internal = sqlErrorSchema.safeParse(refusal.internal);
  return internal.success ? `${refusal.message}: ${internal.data.error.message}` : refusal.message;
}
