import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CommandError } from '../command.ts';
import { type AdminApi, ConnectionLostError, HasuraError } from './admin-api.ts';

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

/** All migrations of a project, in the order they are to run. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const databases = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const migrations: Migration[] = [];
  for (const database of databases.filter((entry) => entry.isDirectory())) {
    const path = join(folder, database.name);
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const [, version] = /^(\d+)_.+$/.exec(entry.name) ?? [];
      if (version === undefined) continue;
      if (!entry.isDirectory()) {
        throw new CommandError(
          `${join(path, entry.name)}: put it into a folder ${entry.name.replace(/\..*/, '')}/ as up.sql (and down.sql).`,
          2,
        );
      }
      const up = await readFile(join(path, entry.name, 'up.sql'), 'utf8').catch((cause: unknown) => {
        throw new CommandError(`${join(path, entry.name, 'up.sql')} is missing.`, 2, { cause });
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
export async function readApplied(admin: AdminApi): Promise<Applied> {
  return (await readState(admin)).migrations ?? {};
}

/**
 * Runs one migration in a transaction and records it as the hasura CLI does.
 *
 * Beforehand it is marked as begun ("dirty", which the CLI heeds too), so that a run cut off in
 * the middle is never taken for one that was not made. If Hasura refuses the SQL, nothing of it
 * has happened, and the mark goes.
 */
export async function runMigration(admin: AdminApi, migration: Migration): Promise<void> {
  const { database, version, name, up } = migration;
  await mark(admin, database, version, true);
  try {
    if (up.trim() !== '') await admin.runSql(database, up);
  } catch (error) {
    if (error instanceof ConnectionLostError) {
      throw new CommandError(`${error.message} ${settleHint(database, [name])}`, 1, { cause: error });
    }
    await mark(admin, database, version, undefined);
    if (!(error instanceof HasuraError)) throw error;
    throw new CommandError(
      `${database}/${name}/up.sql failed, and nothing of it was done: ${sqlReason(error)}`,
      1,
      {
        cause: error,
      },
    );
  }
  await mark(admin, database, version, false);
}

/** What to do about migrations of which nobody knows whether they took effect. */
export function settleHint(database: string, names: string[]): string {
  return `Whether ${names.join(', ')} took effect on ${database} is not known: look there, then run latchkey apply --settle applied or --settle pending.`;
}

/** @param dirty undefined forgets the version */
export async function mark(
  admin: AdminApi,
  database: string,
  version: string,
  dirty: boolean | undefined,
): Promise<void> {
  const state = await readState(admin);
  const versions = { ...state.migrations?.[database] };
  if (dirty === undefined) delete versions[version];
  else versions[version] = dirty;
  await admin.metadata('set_catalog_state', {
    type: 'cli',
    state: {
      settings: {},
      ...state,
      migrations: { ...state.migrations, [database]: versions },
      // Without it the CLI looks for the state of its first version before it believes this one.
      isStateCopyCompleted: true,
    },
  });
}

async function readState(admin: AdminApi): Promise<{ migrations?: Applied | undefined }> {
  return stateSchema.parse(await admin.metadata('get_catalog_state', {})).cli_state ?? {};
}

const sqlErrorSchema = z.object({
  internal: z.object({ error: z.object({ message: z.string(), status_code: z.string().nullish() }) }),
});

function sqlReason(error: HasuraError): string {
  const internal = sqlErrorSchema.safeParse(error.body);
  return internal.success ? `${error.message}: ${internal.data.internal.error.message}` : error.message;
}
