import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { LatchkeyError } from '@latchkey/core/errors';
import { defineCommand, defineGroup } from './command.ts';
import { environmentWithDotEnv, PROJECT_ROOT } from './environment.ts';
import { readProject } from './project/project.ts';

const migration = defineCommand({
  name: 'migration',
  summary: 'Make the two files of a new migration.',
  description:
    'Makes a folder for a new migration, with an up.sql and a down.sql to fill in, as hasura migrate create does.',
  argument: 'name',
  options: {
    project: { type: 'string', placeholder: 'folder', help: 'Where config.yaml is (default: hasura).' },
    database: { type: 'string', placeholder: 'name', help: 'For which database (default: default).' },
  },
  async run(values, name) {
    if (!/^\w[\w-]*$/.test(name)) {
      throw new LatchkeyError(
        'configuration-invalid',
        `A migration is named by letters, digits, _ and -, not ${JSON.stringify(name)}.`,
      );
    }
    const folder = values.project === undefined ? join(PROJECT_ROOT, 'hasura') : resolve(values.project);
    const { migrationsDirectory } = await readProject(folder, environmentWithDotEnv());
    const path = join(migrationsDirectory, values.database ?? 'default', `${Date.now()}_${name}`);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'up.sql'), '', { flag: 'wx' });
    await writeFile(join(path, 'down.sql'), '', { flag: 'wx' });
    console.log(relative(process.cwd(), path));
    return 0;
  },
});

/** Named "new" on the command line, which is no name in TypeScript. */
export const create = defineGroup('new', [migration]);
