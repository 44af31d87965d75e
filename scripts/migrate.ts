import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LatchkeyError } from '@latchkey/core/errors';
import { defineCommand, defineGroup } from './command.ts';
import { readApplied } from './project/applied-state.ts';
import { undoMigration } from './project/apply-migrations.ts';
import { type Migration, readMigrations } from './project/migrations.ts';
import { connect, HASURA_OPTIONS } from './project/options.ts';

const down = defineCommand({
  name: 'down',
  summary: 'Undo the last migrations, by their down.sql.',
  description: `
Undoes the last migrations that were applied, the last one first, each by its down.sql in a transaction, and forgets
that they were applied. The metadata stay: they may name what is gone then, until latchkey apply.`,
  options: {
    ...HASURA_OPTIONS,
    steps: { type: 'string', placeholder: 'number', help: 'How many (default 1).' },
    database: { type: 'string', placeholder: 'name', help: 'Of which database (default: the only one).' },
    'dry-run': { type: 'boolean', help: 'Say what would be undone, and do nothing.' },
  },
  async run(values) {
    const steps = Number(values.steps ?? '1');
    if (!Number.isSafeInteger(steps) || steps < 1) {
      throw new LatchkeyError('configuration-invalid', `--steps takes a number from 1, not ${values.steps}.`);
    }
    const { api, project } = await connect(values);
    console.log(`Hasura ${await api.version()} at ${api.endpoint}`);
    const { applied } = await readApplied(api);
    const migrations = await readMigrations(project.migrationsDirectory);
    const database = values.database ?? onlyDatabase(migrations);
    const known = migrations.filter((one) => one.database === database);
    const last = Object.keys(applied[database] ?? {})
      .sort((a, b) => (BigInt(a) < BigInt(b) ? 1 : -1))
      .slice(0, steps);
    for (const version of last) {
      const migration = known.find((one) => one.version === version);
      if (migration === undefined) {
        throw new LatchkeyError(
          'configuration-invalid',
          `Migration ${version} of ${database} was applied and is not in ${project.migrationsDirectory}: bring its folder back, with the down.sql that undoes it.`,
        );
      }
      const sql = await downOf(migration);
      if (values['dry-run'] !== true) await undoMigration(api, migration, sql);
      console.log(
        `${values['dry-run'] === true ? 'would undo' : 'undid'} migration ${database}/${migration.name}`,
      );
    }
    if (last.length === 0) console.log(`migrations: none was applied to ${database}`);
    return 0;
  },
});

async function downOf({ folder }: Migration): Promise<string> {
  const file = join(folder, 'down.sql');
  const sql = await readFile(file, 'utf8').catch(() => '');
  if (sql.trim() !== '') return sql;
  throw new LatchkeyError(
    'configuration-invalid',
    `${file} is missing or empty: write what undoes the migration.`,
  );
}

function onlyDatabase(migrations: readonly Migration[]): string {
  const names = [...new Set(migrations.map(({ database }) => database))];
  const [only = 'default', ...others] = names;
  if (others.length === 0) return only;
  throw new LatchkeyError('configuration-invalid', `Give one of --database ${names.join(', ')}.`);
}

export const migrate = defineGroup('migrate', [down]);
