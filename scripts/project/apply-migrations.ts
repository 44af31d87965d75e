import { z } from 'zod';
import type { Applied, Notes } from './applied-state.ts';
import { fingerprint, mark, note } from './applied-state.ts';
import { EngineRefusal, type MetadataApi } from './metadata-api.ts';
import type { Migration } from './migrations.ts';
import { findTransactionEnd } from './transaction-control.ts';

/**
 * Those that are still to run.
 *
 * @param settle what to hold of migrations that were cut off: they took effect, or they are to run again
 * @throws Error where one was cut off and nobody says what became of it
 */
export async function pendingMigrations(
  api: MetadataApi,
  migrations: readonly Migration[],
  applied: Applied,
  { settle, dryRun }: { settle?: 'applied' | 'pending' | undefined; dryRun: boolean },
): Promise<Migration[]> {
  const stateOf = ({ database, version }: Migration): boolean | undefined => applied[database]?.[version];
  const dirty = migrations.filter((migration) => stateOf(migration) === true);
  const [first] = dirty;
  if (first !== undefined && settle === undefined) {
    const names = dirty.map(({ name }) => name);
    throw new Error(settleHint(first.database, names));
  }
  for (const { database, version } of dryRun ? [] : dirty) {
    await mark(api, database, version, settle === 'applied' ? false : undefined);
  }
  return migrations.filter((migration) => {
    const state = stateOf(migration);
    return state === undefined || (state && settle === 'pending');
  });
}

/** The applied ones whose SQL is not what it was when we ran it; of what the hasura CLI ran nothing is known. */
export function editedMigrations(
  migrations: readonly Migration[],
  applied: Applied,
  { migrations: notes }: Notes,
): Migration[] {
  return migrations.filter(({ database, version, up }) => {
    const noted = notes[database]?.[version];
    return applied[database]?.[version] === false && noted !== undefined && noted !== fingerprint(up);
  });
}

/**
 * Runs one migration and records it as the hasura CLI does. Hasura runs it in a transaction, unless it ends
 * that itself.
 *
 * Beforehand it is marked as begun ("dirty", which the CLI heeds too), so that a run cut off in
 * the middle is never taken for one that was not made. If Hasura refuses the SQL, nothing of it
 * has happened, and the mark goes; if the SQL controls its own transactions, the mark stays.
 *
 * @throws Error with PostgreSQL's reason, or with what to do where the outcome is not known
 */
export async function runMigration(api: MetadataApi, migration: Migration): Promise<void> {
  const { database, version, name, up } = migration;
  await mark(api, database, version, true);
  try {
    await runSql(api, database, up);
  } catch (cause) {
    if (!(cause instanceof EngineRefusal)) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${reason} ${settleHint(database, [name])}`, { cause });
    }
    throw new Error(await failure(api, migration, cause), { cause });
  }
  await mark(api, database, version, false);
  await note(api, (notes) => ({
    ...notes,
    migrations: {
      ...notes.migrations,
      [database]: { ...notes.migrations[database], [version]: fingerprint(up) },
    },
  }));
}

/**
 * Undoes one migration by its down.sql, and forgets that it was applied.
 *
 * @throws Error with PostgreSQL's reason
 */
export async function undoMigration(api: MetadataApi, migration: Migration, down: string): Promise<void> {
  const { database, version, name } = migration;
  await mark(api, database, version, true);
  try {
    await runSql(api, database, down);
  } catch (cause) {
    if (!(cause instanceof EngineRefusal)) throw cause;
    const control = await findTransactionEnd(down);
    if (control === undefined) await mark(api, database, version, false);
    throw new Error(
      `${database}/${name}/down.sql failed${control === undefined ? ', and nothing of it was done' : ''}: ${sqlReason(cause)}`,
      { cause },
    );
  }
  await mark(api, database, version, undefined);
}

async function runSql(api: MetadataApi, source: string, sql: string): Promise<void> {
  // Unchecked, as the hasura CLI runs them: the metadata are set afterwards as a whole. With the check
  // Hasura untracks what a migration drops, and may refuse what it has committed already.
  const args = { source, sql, check_metadata_consistency: false };
  if (sql.trim() !== '') await api.query('run_sql', args);
}

async function failure(api: MetadataApi, migration: Migration, cause: EngineRefusal): Promise<string> {
  const { database, version, name, up } = migration;
  const control = await findTransactionEnd(up);
  if (control !== undefined) {
    // Its mark stays: it is not run again before somebody has looked.
    return `${database}/${name}/up.sql failed: ${sqlReason(cause)}. It ends transactions itself (${control}), so what stands before that may have been done. ${settleHint(database, [name])}`;
  }
  if (NOT_IN_A_TRANSACTION.test(sqlReason(cause))) {
    return `${database}/${name}/up.sql failed, and nothing of it was done: ${sqlReason(cause)}. Hasura runs each migration in a transaction. Run this one with psql, then latchkey apply --settle applied; or change it, then --settle pending.`;
  }
  await mark(api, database, version, undefined);
  return `${database}/${name}/up.sql failed, and nothing of it was done: ${sqlReason(cause)}`;
}

const NOT_IN_A_TRANSACTION = /cannot (?:run|be executed) (?:inside a transaction block|from a function)/i;

/** What to do about migrations of which nobody knows whether they took effect. */
function settleHint(database: string, names: readonly string[]): string {
  return `Whether ${names.join(', ')} took effect on ${database} is not known: look there, then run latchkey apply --settle applied or --settle pending.`;
}

const SQL_ERROR = z.object({ error: z.object({ message: z.string() }) });

function sqlReason(refusal: EngineRefusal): string {
  const internal = SQL_ERROR.safeParse(refusal.internal);
  return internal.success ? `${refusal.message}: ${internal.data.error.message}` : refusal.message;
}
