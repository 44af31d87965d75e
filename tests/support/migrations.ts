import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TestDatabase } from './postgres.ts';

const MIGRATIONS = new URL('../../migrations/default/', import.meta.url);

/** The names of this project's migrations, in their order. */
export const MIGRATION_NAMES: readonly string[] = globSync('*/up.sql', { cwd: MIGRATIONS })
  .map((file) => dirname(file))
  .toSorted();

/** Runs these migrations (all if not given), in the order given, with nothing of Hasura's. */
export async function migrate(
  database: Pick<TestDatabase, 'query'>,
  names: readonly string[] = MIGRATION_NAMES,
  direction: 'up' | 'down' = 'up',
): Promise<void> {
  for (const name of names) {
    await database.query(readFileSync(new URL(`${name}/${direction}.sql`, MIGRATIONS), 'utf8'));
  }
}
