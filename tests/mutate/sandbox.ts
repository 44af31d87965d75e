import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROJECT_ROOT } from '@latchkey/scripts/environment';

/** Removes it: its tests are no tests of the project. */
export function removeSandbox(root: string): void {
  rmSync(root, { recursive: true, force: true });
}

/**
 * A copy of the project's files in which sources may be broken; `node_modules` are links to those of the project,
 * but for the workspaces, which are the copy's own.
 *
 * @returns its folder
 */
export function createSandbox(name: string): string {
  const root = join(PROJECT_ROOT, 'dist', 'mutate', name);
  rmSync(root, { recursive: true, force: true });
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: PROJECT_ROOT,
    encoding: 'utf8',
  });
  for (const file of listed.split('\0')) {
    if (file === '') continue;
    mkdirSync(dirname(join(root, file)), { recursive: true });
    cpSync(join(PROJECT_ROOT, file), join(root, file), { force: true, errorOnExist: false });
  }
  const [from, to] = [join(PROJECT_ROOT, 'node_modules'), join(root, 'node_modules')];
  mkdirSync(join(to, '@latchkey'), { recursive: true });
  for (const entry of readdirSync(from)) {
    if (entry !== '@latchkey' && entry !== '.cache') symlinkSync(join(from, entry), join(to, entry));
  }
  for (const folder of ['packages', 'services']) {
    for (const entry of readdirSync(join(root, folder))) {
      symlinkSync(join(root, folder, entry), join(to, '@latchkey', entry));
    }
  }
  for (const entry of ['scripts', 'tests']) symlinkSync(join(root, entry), join(to, '@latchkey', entry));
  return root;
}
