import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes a folder that nobody but its owner can look into, and all that an earlier run left there too.
 *
 * @param path a folder that is ours alone, or none yet
 */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) await makePrivateFolder(inner);
    else if (entry.isFile()) await chmod(inner, 0o600);
  }
}
