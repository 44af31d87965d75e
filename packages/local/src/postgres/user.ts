import { spawnSync } from 'node:child_process';
import type { RunAs } from './binaries.ts';

/**
 * Whom PostgreSQL is to run as. It refuses to run as root, so root hands it to a user without
 * rights: postgres where there is one, else nobody, else one made for it.
 *
 * @throws if root finds no such user and cannot make one
 */
export function unprivilegedUser(): RunAs {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', '_postgres', 'nobody']) {
    const user = lookUp(name);
    if (user !== undefined) return user;
  }
  // useradd is Debian's and Red Hat's, adduser -S busybox's.
  run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']);
  if (lookUp('postgres') === undefined) run('adduser', ['-S', '-D', '-H', 'postgres']);
  const made = lookUp('postgres');
  if (made !== undefined) return made;
  throw new Error(
    'PostgreSQL does not run as root, and no user postgres or nobody exists or can be made: run this as another user, make one (useradd --system postgres), or set LATCHKEY_DATABASE_URL to a PostgreSQL of your own.',
  );
}

function lookUp(name: string): RunAs {
  const uid = Number.parseInt(run('id', ['-u', name]), 10);
  const gid = Number.parseInt(run('id', ['-g', name]), 10);
  return uid > 0 && gid >= 0 ? { uid, gid } : undefined;
}

function run(command: string, args: string[]): string {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout : '';
}
