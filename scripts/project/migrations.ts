import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LatchkeyError } from '@latchkey/core/errors';

export type Migration = {
  /** The source it is for: the name of its folder. */
  database: string;
  /** Digits, as in the folder's name; kept as text, since that is how Hasura keeps it. */
  version: string;
  /** `<version>_<name>`. */
  name: string;
  up: string;
  /** Its folder. */
  folder: string;
};

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
      migrations.push({
        database: database.name,
        version: String(BigInt(version)),
        name: entry.name,
        up,
        folder: join(path, entry.name),
      });
    }
  }
  return migrations.sort((a, b) => {
    if (a.database !== b.database) return a.database < b.database ? -1 : 1;
    return BigInt(a.version) < BigInt(b.version) ? -1 : 1;
  });
}
