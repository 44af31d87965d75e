import { LatchkeyError } from '@latchkey/core/errors';
import { note, readApplied } from './applied-state.ts';
import { editedMigrations, pendingMigrations, runMigration } from './apply-migrations.ts';
import { type Metadata, readMetadata, unlistedFiles } from './metadata.ts';
import { EngineRefusal, type MetadataApi } from './metadata-api.ts';
import {
  isBlank,
  listSome,
  type MetadataChange,
  type OnForeign,
  planChange,
  unifiedDiff,
} from './metadata-change.ts';
import { type Migration, readMigrations } from './migrations.ts';
import { foreignTo, notesOf, ownerOf } from './own-objects.ts';
import type { Project } from './project.ts';
import { exportMetadata, setMetadata, sourcesOf, unsetVariables, unusableSources } from './set-metadata.ts';

export type ApplyOptions = {
  /** Say what would be done, do nothing. */
  dryRun?: boolean;
  /** Set metadata of which parts do not fit the database; they are reported all the same. */
  allowInconsistent?: boolean;
  /** What to do about metadata of Hasura's that are not in the files; `refuse` if not given. */
  onForeign?: OnForeign;
  /** Where `merge` finds an object that both have and that differs: keep Hasura's and say so, in place of an error. */
  keepConflicts?: boolean;
  /** What to hold of migrations that were cut off: they took effect, or they are to run again. */
  settle?: 'applied' | 'pending';
  /** Called with each line of the report. */
  report?: (line: string) => void;
  /** Keeps metadata that are about to be replaced, and says where. */
  backUp?: (metadata: Metadata) => Promise<string>;
};

export type ApplyResult = {
  /** The migrations run now (or, in a dry run, to be run). */
  migrations: Migration[];
  /** What of the metadata does not fit, one line each: the object and why. */
  inconsistent: string[];
};

/** What Hasura answers, with one code or another, to a wrong or missing admin secret. */
const NOT_AN_ADMIN = new Set(['access-denied', 'invalid-headers', 'invalid-jwt', 'jwt-invalid-claims']);

/**
 * Brings a Hasura to what the project says: its migrations, then its metadata. What was done
 * before, by this or by the hasura CLI, is not done again. Metadata that do not fit the database
 * are not set, unless allowed; neither are such as would drop or change what somebody else put there.
 *
 * @throws LatchkeyError `engine-unreachable`, or `engine-refused` for a wrong admin secret
 * @throws Error where a migration fails, with the reason; where something of somebody else's would be dropped or
 *   changed, nothing was done
 */
export async function applyProject(
  api: MetadataApi,
  project: Project,
  options: ApplyOptions = {},
): Promise<ApplyResult> {
  const { dryRun = false, allowInconsistent = false, onForeign = 'refuse', report = () => {} } = options;
  const [metadata, migrations, unlisted] = await Promise.all([
    readMetadata(project.metadataDirectory),
    readMigrations(project.migrationsDirectory),
    unlistedFiles(project.metadataDirectory),
  ]);
  for (const file of unlisted) report(`passed over: ${file} is in no list, so Hasura is not told of it`);
  const { applied, notes } = await readApplied(api).catch((cause) => explainRefusal(api, cause));
  const there = await exportMetadata(api);
  const owner = ownerOf(migrations);
  // Where nobody has put anything yet, how the database is reached is not somebody else's either.
  const isForeign = isBlank(there) ? () => false : foreignTo(owner, there, notes);
  const change = planChange(there, metadata, onForeign, isForeign);
  if (!dryRun) refuseForeign(api, there, change, options);

  for (const { database, name } of editedMigrations(migrations, applied, notes)) {
    report(`edited: ${database}/${name} is not what it was when it was applied, and it is not run again`);
  }
  const pending = await pendingMigrations(api, migrations, applied, { settle: options.settle, dryRun });
  if (dryRun) {
    for (const { database, name } of pending) report(`would run migration ${database}/${name}`);
    report(`would set the metadata: ${describe(change.target)}`);
    if (!isBlank(there)) reportChange(there, change, onForeign, report);
    return { migrations: pending, inconsistent: [] };
  }
  if (change.losses.length > 0 && options.backUp !== undefined) {
    report(`the metadata that were there: ${await options.backUp(there)}`);
  }

  const run = await runMigrations(api, change.target, pending, report);
  if (pending.length === 0) report(`migrations: nothing to do (${migrations.length} applied before)`);

  const inconsistent = await setMetadata(api, change.target, allowInconsistent);
  for (const line of inconsistent) report(`inconsistent: ${line}`);
  const unset = unsetVariables(inconsistent);
  if (unset.length > 0) {
    report(
      `to fix that: set ${unset.join(' and ')} in the environment of Hasura itself, as .env.example says, and start it again`,
    );
  }
  if (inconsistent.length === 0 || allowInconsistent) {
    report(`set the metadata: ${describe(change.target)}`);
    const put = notesOf(await exportMetadata(api), metadata, change.kept);
    await note(api, (earlier) => ({ ...earlier, metadata: { ...earlier.metadata, [owner]: put } }));
  }
  return { migrations: run, inconsistent };
}

/** SQL can only be run on a database that Hasura knows: it may learn of it from these metadata. */
async function runMigrations(
  api: MetadataApi,
  target: Metadata,
  pending: readonly Migration[],
  report: (line: string) => void,
): Promise<Migration[]> {
  const known = sourcesOf(await exportMetadata(api));
  if (pending.some(({ database }) => !known.has(database) && sourcesOf(target).has(database))) {
    await setMetadata(api, target, true);
  }
  const unusable = pending.length === 0 ? new Map<string, string>() : await unusableSources(api);
  const reachable = sourcesOf(await exportMetadata(api));
  const run: Migration[] = [];
  for (const migration of pending) {
    const { database, name } = migration;
    const reason = reachable.has(database) ? unusable.get(database) : 'Hasura has no database of this name';
    if (reason !== undefined) {
      report(`passed over: migration ${database}/${name}, for ${reason}`);
      continue;
    }
    await runMigration(api, migration);
    report(`ran migration ${database}/${name}`);
    run.push(migration);
  }
  return run;
}

function reportChange(
  there: Metadata,
  change: MetadataChange,
  onForeign: OnForeign,
  report: (line: string) => void,
): void {
  const diff = unifiedDiff(there, change.target);
  if (diff !== '') report(diff);
  if (onForeign === 'refuse' && change.losses.length > 0) {
    report(`would be refused without --replace or --merge, for it would\n${listSome(change.losses)}`);
  }
}

/** @throws Error where something of somebody else's would be dropped or changed */
function refuseForeign(
  { endpoint }: MetadataApi,
  there: Metadata,
  { target, losses, conflicts }: MetadataChange,
  { onForeign = 'refuse', keepConflicts = false, report = () => {} }: ApplyOptions,
): void {
  if (keepConflicts) {
    for (const path of conflicts) {
      report(`kept as Hasura has it: ${path} (latchkey apply --replace takes this project’s)`);
    }
  } else if (conflicts.length > 0) {
    throw new Error(
      `Hasura at ${endpoint} has some of this project’s objects, and they differ; nothing was done:\n${listSome(conflicts)}\nMake them the same, or take this project’s metadata alone with --replace (--dry-run shows the difference).`,
    );
  }
  if (onForeign !== 'refuse' || losses.length === 0) return;
  report(unifiedDiff(there, target));
  throw new Error(
    `Hasura at ${endpoint} has metadata that are not this project’s; nothing was done, for it would\n${listSome(losses)}\nAdd this project’s to them with --merge, or take this project’s alone with --replace.`,
  );
}

function explainRefusal({ endpoint, hasSecret }: MetadataApi, cause: unknown): never {
  if (!(cause instanceof EngineRefusal && NOT_AN_ADMIN.has(cause.code))) throw cause;
  throw new LatchkeyError(
    'engine-refused',
    hasSecret
      ? `Hasura at ${endpoint} refuses the admin secret (${cause.code}): set HASURA_GRAPHQL_ADMIN_SECRET or --admin-secret to the one it was started with.`
      : `Hasura at ${endpoint} asks for an admin secret, and none was given (${cause.code}): set HASURA_GRAPHQL_ADMIN_SECRET or --admin-secret to the one it was started with.`,
    { cause },
  );
}

function describe({ sources }: Metadata): string {
  const tables = sources.flatMap((source) => {
    const { tables: listed } = Object(source);
    return Array.isArray(listed) ? listed : [];
  });
  return `${sources.length} database${sources.length === 1 ? '' : 's'}, ${tables.length} tables`;
}
