import { type ChildProcess, spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { environment, PROJECT_ROOT } from '#environment.ts';

/** Where Node keeps what it has compiled (NODE_COMPILE_CACHE): the next start takes half the time. */
export const COMPILE_CACHE = join(PROJECT_ROOT, 'node_modules', '.cache', 'compiled');

/** A PATH on which `node` is the Node that runs this: scripts find the same one. */
export const PATH_TO_NODE = [dirname(process.execPath), environment.PATH ?? ''].join(delimiter);

/** How a child ended: its exit code, or the signal that ended it. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null };

export type ChildOptions = {
  /** What people call it: used in messages. */
  name: string;
  command: string;
  args?: readonly string[];
  /** The whole environment of the child; nothing is inherited. */
  env: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** The signal that asks for an orderly end (default SIGTERM). */
  stopSignal?: 'SIGTERM' | 'SIGINT';
  /** How long an orderly end may take before SIGKILL, in milliseconds (default 15 s). */
  graceMs?: number;
  /** Called with each line the child prints, on either stream. */
  onLine?: (line: string) => void;
};

export type Child = {
  name: string;
  pid: number;
  /** Settles once the child itself has ended, asked or not. */
  exited: Promise<Exit>;
  hasExited(): boolean;
  /** The last lines it printed, for messages about its end. */
  tail(): string;
  /** Ends the child and everything it started; safe to call twice. */
  stop(): Promise<void>;
};

const TAIL_LINES = 40;
/** What was killed is gone at once; only what escaped the killing takes longer. */
const AFTER_KILL_MS = 2_000;

/**
 * The child runs behind this: a reader in its process group that waits for the pipe from us to
 * close, which the kernel does however we end, SIGKILL included, and then ends the group. It runs
 * beside the command (which takes this shell's place), so the command keeps pid, signals and code.
 */
const GUARD = `
signal=$1 grace=$2; shift 2
( (
  trap '' INT TERM HUP
  while read -r line <&3; do :; done
  kill -s "$signal" -- "-$$"
  waited=0
  while [ "$waited" -lt "$grace" ] && kill -0 "$$"; do sleep 0.1; waited=$((waited + 1)); done
  sleep 1
  kill -s KILL -- "-$$"
) >/dev/null 2>&1 & )
exec "$@" 3<&-
`;

/**
 * Starts a program in a process group of its own that cannot outlive this process.
 *
 * @throws if the program cannot be started at all
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, stopSignal = 'SIGTERM', graceMs = 15_000 } = options;
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      GUARD,
      name,
      stopSignal.slice('SIG'.length),
      String(Math.ceil(graceMs / 100)),
      options.command,
      ...(options.args ?? []),
    ],
    {
      cwd: options.cwd,
      env: { ...options.env },
      detached: true,
      // The last one is the pipe that tells of our end; it stays open even if the command itself ends
      // before what it started.
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    },
  );
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) =>
      reject(new Error(`${name} cannot be started: ${cause.message}`, { cause })),
    );
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${name} cannot be started`);

  const lines = collectLines(child, options.onLine);
  const lifeline = child.stdio[3];
  lifeline?.on('error', () => {});
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  // The output is at its end only when all that inherited it have ended: the command's own children too.
  const emptied = Promise.all([exited, ended(child.stdout), ended(child.stderr)]).then(() => {
    signalGroup(pid, 'SIGKILL');
    lifeline?.destroy();
  });

  let stopping: Promise<void> | undefined;
  return {
    name,
    pid,
    exited,
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    tail: () => lines.join('\n'),
    stop() {
      stopping ??= (async () => {
        signalGroup(pid, stopSignal);
        if (await settlesWithin(emptied, graceMs)) return;
        signalGroup(pid, 'SIGKILL');
        // Whatever has left the group and still holds the output is not ours to end.
        if (await settlesWithin(emptied, AFTER_KILL_MS)) return;
        for (const stream of child.stdio) stream?.destroy();
      })();
      return stopping;
    },
  };
}

/** One sentence on how a child ended, with what it last said. */
export function describeExit(child: Child, exit: Exit): string {
  const how = exit.signal === null ? `ended with exit code ${exit.code}` : `was ended by ${exit.signal}`;
  const tail = child.tail().trim();
  return tail === '' ? `${child.name} ${how}` : `${child.name} ${how}; it last printed:\n${tail}`;
}

/** Whether a process of this id is alive (its owner does not matter). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function ended(stream: Readable | null): Promise<void> {
  return new Promise((resolve) => {
    if (stream === null) resolve();
    else stream.once('close', () => resolve());
  });
}

async function settlesWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), milliseconds);
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

function collectLines(child: ChildProcess, onLine: ((line: string) => void) | undefined): string[] {
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      onLine?.(line);
    });
  }
  return tail;
}
