import { z } from 'zod';
import { CommandError } from '../command.ts';
import { type AdminApi, HasuraError } from './admin-api.ts';
import { type Metadata, readMetadata } from './metadata.ts';
import { type Migration, mark, readApplied, readMigrations, runMigration, settleHint } from './migrations.ts';
import type { Project } from './project.ts';

export type ApplyOptions = {
  /** Say what would be done, do nothing. */
  dryRun?: boolean;
  /** Take metadata of which parts do not fit the database; they are reported all the same. */
  allowInconsistent?: boolean;
  /** What to hold of migrations that were cut off: they took effect, or they are to run again. */
  settle?: 'applied' | 'pending';
  /** Called with each line of the report. */
  report?: (line: string) => void;
};

export type ApplyResult = {
  /** The migrations run now (or, in a dry run, to be run). */
  migrations: Migration[];
  /** What of the metadata does not fit, one line each: the object and why. */
  inconsistent: string[];
};

const inconsistencySchema = z.object({
  type: z.string().optional(),
  name: z.string().optional(),
  reason: z.string(),
  message: z.unknown().optional(),
});
const replacedSchema = z.object({ inconsistent_objects: z.array(inconsistencySchema).default([]) });
const refusedSchema = z.object({ internal: z.array(inconsistencySchema) });
const exportedSchema = z.object({
  metadata: z.object({ sources: z.array(z.object({ name: z.string() })).default([]) }),
});

/**
 * Brings a Hasura to what the project says: its migrations, then its metadata. What was done
 * before, by this or by the hasura CLI, is not done again.
 *
 * @throws CommandError if Hasura cannot be reached or refuses, naming the mend
 */
export async function applyProject(
  admin: AdminApi,
  project: Project,
  options: ApplyOptions = {},
): Promise<ApplyResult> {
  const { dryRun = false, report = () => {} } = options;
  const [metadata, migrations] = await Promise.all([
    readMetadata(project.metadataDirectory),
    readMigrations(project.migrationsDirectory),
  ]);
  const pending = await pendingMigrations(admin, migrations, options);
  if (dryRun) {
    for (const { database, name } of pending) report(`would run migration ${database}/${name}`);
    report(`would set the metadata: ${describe(metadata)}`);
    return { migrations: pending, inconsistent: [] };
  }

  if (pending.length > 0) await connectSources(admin, metadata, pending);
  for (const migration of pending) {
    await runMigration(admin, migration);
    report(`ran migration ${migration.database}/${migration.name}`);
  }
  if (pending.length === 0) report(`migrations: nothing to do (${migrations.length} applied before)`);

  const inconsistent = await replaceMetadata(admin, metadata, options.allowInconsistent ?? false);
  for (const line of inconsistent) report(`inconsistent: ${line}`);
  if (inconsistent.length === 0 || options.allowInconsistent === true)
    report(`set the metadata: ${describe(metadata)}`);
  return { migrations: pending, inconsistent };
}

async function pendingMigrations(
  admin: AdminApi,
  migrations: Migration[],
  { settle, dryRun }: ApplyOptions,
): Promise<Migration[]> {
  const applied = await readApplied(admin);
  const stateOf = ({ database, version }: Migration): boolean | undefined => applied[database]?.[version];
  const dirty = migrations.filter((migration) => stateOf(migration) === true);
  const [first] = dirty;
  if (first !== undefined && settle === undefined) {
    throw new CommandError(
      settleHint(
        first.database,
        dirty.map(({ name }) => name),
      ),
    );
  }
  for (const { database, version } of dryRun === true ? [] : dirty) {
    await mark(admin, database, version, settle === 'applied' ? false : undefined);
  }
  return migrations.filter((migration) => {
    const state = stateOf(migration);
    return state === undefined || (state && settle === 'pending');
  });
}

/** SQL can only be run on a database that Hasura knows: it may learn of it from these metadata. */
async function connectSources(admin: AdminApi, metadata: Metadata, pending: Migration[]): Promise<void> {
  const exported = exportedSchema.parse(await admin.metadata('export_metadata', {}, 2));
  const known = new Set(exported.metadata.sources.map(({ name }) => name));
  if (pending.every(({ database }) => known.has(database))) return;
  await replaceMetadata(admin, metadata, true);
}

async function replaceMetadata(admin: AdminApi, metadata: Metadata, allow: boolean): Promise<string[]> {
  try {
    const answer = await admin.metadata(
      'replace_metadata',
      { allow_inconsistent_metadata: allow, metadata },
      2,
    );
    return replacedSchema.parse(answer).inconsistent_objects.map(inconsistency);
  } catch (error) {
    if (!(error instanceof HasuraError)) throw error;
    const refused = refusedSchema.safeParse(error.body);
    if (refused.success) return refused.data.internal.map(inconsistency);
    throw new CommandError(`Hasura refuses the metadata (${error.code}): ${error.message}`, 1, {
      cause: error,
    });
  }
}

function inconsistency({
  type = 'object',
  name,
  reason,
  message,
}: z.infer<typeof inconsistencySchema>): string {
  const detail = typeof message === 'string' ? ` (${message})` : '';
  return `${name ?? type}: ${reason}${detail}`;
}

function describe({ sources }: Metadata): string {
  const tables = sources.flatMap((source) => {
    const parsed = z.object({ tables: z.array(z.unknown()).default([]) }).safeParse(source);
    return parsed.success ? parsed.data.tables : [];
  });
  return `${sources.length} database${sources.length === 1 ? '' : 's'}, ${tables.length} tables`;
}
