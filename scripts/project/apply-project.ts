import { LatchkeyError } from '@latchkey/core/errors';
import { z } from 'zod';
import { type Metadata, readMetadata } from './metadata.ts';
import { EngineRefusal, type MetadataApi } from './metadata-api.ts';
import { type Migration, mark, readApplied, readMigrations, runMigration, settleHint } from './migrations.ts';
import type { Project } from './project.ts';

export type ApplyOptions = {
  /** Say what would be done, do nothing. */
  dryRun?: boolean;
  /** Set metadata of which parts do not fit the database; they are reported all the same. */
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

/** What Hasura answers, with one code or another, to a wrong or missing admin secret. */
const NOT_AN_ADMIN = new Set(['access-denied', 'invalid-headers', 'invalid-jwt', 'jwt-invalid-claims']);

const inconsistencySchema = z.object({
  type: z.string().optional(),
  name: z.string().optional(),
  reason: z.string(),
  message: z.unknown().optional(),
});
const replacedSchema = z.object({ inconsistent_objects: z.array(inconsistencySchema).default([]) });
const refusedSchema = z.array(inconsistencySchema);
const exportedSchema = z.object({
  metadata: z.object({ sources: z.array(z.object({ name: z.string() })).default([]) }),
});

/**
 * Brings a Hasura to what the project says: its migrations, then its metadata. What was done
 * before, by this or by the hasura CLI, is not done again. Metadata that do not fit the database
 * are not set, unless allowed.
 *
 * @throws LatchkeyError `engine-unreachable`, or `engine-refused` for a wrong admin secret
 * @throws Error where a migration fails, with the reason
 */
export async function applyProject(
  api: MetadataApi,
  project: Project,
  options: ApplyOptions = {},
): Promise<ApplyResult> {
  const { dryRun = false, allowInconsistent = false, report = () => {} } = options;
  const [metadata, migrations] = await Promise.all([
    readMetadata(project.metadataDirectory),
    readMigrations(project.migrationsDirectory),
  ]);
  const pending = await pendingMigrations(api, migrations, options).catch(explainRefusal);
  if (dryRun) {
    for (const { database, name } of pending) report(`would run migration ${database}/${name}`);
    report(`would set the metadata: ${describe(metadata)}`);
    return { migrations: pending, inconsistent: [] };
  }

  if (pending.length > 0) await connectSources(api, metadata, pending);
  for (const migration of pending) {
    await runMigration(api, migration);
    report(`ran migration ${migration.database}/${migration.name}`);
  }
  if (pending.length === 0) report(`migrations: nothing to do (${migrations.length} applied before)`);

  const inconsistent = await replaceMetadata(api, metadata, allowInconsistent);
  for (const line of inconsistent) report(`inconsistent: ${line}`);
  const unset = unsetVariables(inconsistent);
  if (unset.length > 0) {
    report(
      `to fix that: set ${unset.join(' and ')} in the environment of Hasura itself, as .env.example says, and start it again`,
    );
  }
  if (inconsistent.length === 0 || allowInconsistent) report(`set the metadata: ${describe(metadata)}`);
  return { migrations: pending, inconsistent };
}

async function pendingMigrations(
  api: MetadataApi,
  migrations: Migration[],
  { settle, dryRun }: ApplyOptions,
): Promise<Migration[]> {
  const applied = await readApplied(api);
  const stateOf = ({ database, version }: Migration): boolean | undefined => applied[database]?.[version];
  const dirty = migrations.filter((migration) => stateOf(migration) === true);
  const [first] = dirty;
  if (first !== undefined && settle === undefined) {
    const names = dirty.map(({ name }) => name);
    throw new Error(settleHint(first.database, names));
  }
  for (const { database, version } of dryRun === true ? [] : dirty) {
    await mark(api, database, version, settle === 'applied' ? false : undefined);
  }
  return migrations.filter((migration) => {
    const state = stateOf(migration);
    return state === undefined || (state && settle === 'pending');
  });
}

/** SQL can only be run on a database that Hasura knows: it may learn of it from these metadata. */
async function connectSources(api: MetadataApi, metadata: Metadata, pending: Migration[]): Promise<void> {
  const exported = exportedSchema.parse(await api.metadata('export_metadata', {}, 2));
  const known = new Set(exported.metadata.sources.map(({ name }) => name));
  if (pending.every(({ database }) => known.has(database))) return;
  await replaceMetadata(api, metadata, true);
}

/** @returns what does not fit; unless that is allowed, Hasura then keeps the metadata it had */
async function replaceMetadata(api: MetadataApi, metadata: Metadata, allow: boolean): Promise<string[]> {
  try {
    const answer = await api.metadata(
      'replace_metadata',
      { allow_inconsistent_metadata: allow, metadata },
      2,
    );
    return replacedSchema.parse(answer).inconsistent_objects.map(inconsistency);
  } catch (cause) {
    if (!(cause instanceof EngineRefusal)) throw cause;
    const refused = refusedSchema.safeParse(cause.internal);
    if (refused.success) return refused.data.map(inconsistency);
    throw new Error(`Hasura refuses the metadata (${cause.code} at ${cause.path}): ${cause.message}`, {
      cause,
    });
  }
}

/** The variables that Hasura misses, in the words of its handlers' URLs and of their headers. */
function unsetVariables(inconsistent: readonly string[]): string[] {
  const names = inconsistent.flatMap((line) => {
    const [, listed, quoted] =
      /environment variables not found: ([A-Z0-9_, ]+)|environment variable '([^']+)' not set/i.exec(line) ??
      [];
    return listed?.split(/,\s*/) ?? (quoted === undefined ? [] : [quoted]);
  });
  return [...new Set(names)].sort();
}

function explainRefusal(cause: unknown): never {
  if (!(cause instanceof EngineRefusal && NOT_AN_ADMIN.has(cause.code))) throw cause;
  throw new LatchkeyError(
    'engine-refused',
    `Hasura refuses the admin secret (${cause.code}): set HASURA_GRAPHQL_ADMIN_SECRET or --admin-secret to the one it was started with.`,
    { cause },
  );
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
