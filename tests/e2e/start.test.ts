import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startedBy, stillRunning } from '../support/processes.ts';
import { readTarget } from '../support/target.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PROGRAM = join(ROOT, 'scripts', 'latchkey.js');
const TIMEOUT = { timeout: 60_000, interval: 50 };

type Run = {
  child: ChildProcess;
  pid: number;
  output(): string;
  /** Settles when it says that everything is up. */
  ready(): Promise<void>;
  exited: Promise<[number | null, NodeJS.Signals | null]>;
};

const running: Run[] = [];
const folders: string[] = [];
afterAll(async () => {
  for (const { child, exited } of running) {
    child.kill('SIGTERM');
    await exited;
  }
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** A place for one stack's data, which the user that PostgreSQL runs as can get to. */
async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
  await chmod(folder, 0o755);
  folders.push(folder);
  return folder;
}

const start = (folder: string, ...flags: string[]): Run =>
  run(process.execPath, [PROGRAM, 'start', '--data', join(folder, 'data'), ...flags]);
const startWithNpm = (folder: string): Run => run('npm', ['start', '--', '--data', join(folder, 'data')]);

function run(command: string, args: string[]): Run {
  const ports = { ENGINE: '0', SERVICE: '0', CLERK: '0', CASDOOR: '0', COGNITO: '0', POSTGRES: '0' };
  const child = spawn(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      // The stack's own database is part of what is tested here.
      LATCHKEY_DATABASE_URL: '',
      ...Object.fromEntries(Object.entries(ports).map(([part, port]) => [`LATCHKEY_${part}_PORT`, port])),
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const exited = once(child, 'exit') as Run['exited'];
  const started: Run = {
    child,
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    async ready() {
      await vi.waitFor(() => {
        if (child.exitCode !== null) return;
        expect(output).toContain('Ctrl-C ends everything');
      }, TIMEOUT);
      expect(child.exitCode, output).toBeNull();
    },
  };
  running.push(started);
  return started;
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

/** The commands it prints, as they are printed. */
const printedCommands = (output: string): string[] =>
  output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^(curl|TOKEN=)/.test(line));

function paste(commands: string[]): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', commands.join('\n')], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

describe.skipIf(readTarget().kind === 'docker')('npm start', { timeout: 180_000 }, () => {
  describe('while it runs', () => {
    let folder: string;
    let run: Run;
    beforeAll(async () => {
      folder = await newFolder();
      run = start(folder);
      await run.ready();
    });

    test('its three commands, pasted, sign a user up and show them their own row', async () => {
      const [signUp = '', token = '', query = '', ...further] = printedCommands(run.output());
      expect(further).toEqual([]);
      expect(JSON.parse(paste([signUp]))).toMatchObject({ object: 'user' });
      await vi.waitFor(
        () => expect(run.output()).toMatch(/^webhook user\.created: answered 2\d\d$/m),
        TIMEOUT,
      );
      expect(JSON.parse(paste([token, query]))).toEqual({
        data: { users: [{ id: expect.stringMatching(/^user_/), email: 'ada@example.com', name: 'Ada' }] },
      });
    });

    test('what it keeps can be read and listed by nobody else', async () => {
      const data = join(folder, 'data');
      const modes = await Promise.all(
        [data, ...(await readdir(data)).map((name) => join(data, name))].map(modeOf),
      );
      expect(modes.filter((mode) => (mode & 0o066) !== 0)).toEqual([]);
    });

    test('a second one on the same data is refused with what to do, and does not harm it', async () => {
      const second = start(folder);
      expect(await second.exited).toEqual([1, null]);
      expect(second.output()).toMatch(
        /latchkey start: PostgreSQL .* is running on .* already: stop the other run first/,
      );
      expect(run.child.exitCode).toBeNull();
    });

    test('a port that is asked for and taken is named', async () => {
      const [, port = ''] = /^ {2}Hasura\s+http:\/\/127\.0\.0\.1:(\d+)/m.exec(run.output()) ?? [];
      const second = start(await newFolder(), '--engine-port', port);
      expect(await second.exited).toEqual([2, null]);
      expect(second.output()).toBe(
        `latchkey start: Port ${port} is taken: give another one with --engine-port (or LATCHKEY_ENGINE_PORT), or 0 for any free one.\n`,
      );
    });

    test('Ctrl-C ends it, and leaves no process behind', async () => {
      const started = startedBy(run.pid);
      expect(started.length).toBeGreaterThanOrEqual(3);
      run.child.kill('SIGINT');
      expect(await run.exited).toEqual([0, null]);
      expect(stillRunning(started)).toEqual([]);
    });
  });

  test('with three providers side by side each one’s commands, pasted, show their own user, and all of it ends', async () => {
    const run = start(await newFolder(), '--providers', 'cognito,clerk,casdoor');
    await run.ready();
    const commands = printedCommands(run.output());
    expect(commands).toHaveLength(9);
    for (const [at, told, row] of [
      [0, /^webhook user\.created: answered 2\d\d$/m, { email: 'ada@example.com', name: 'Ada' }],
      [3, /^webhook new-user: answered 2\d\d$/m, { email: 'grace@example.com', name: 'Grace' }],
      // The sign-up waits for the function that tells of it.
      [6, /./, { email: 'linus@example.com', name: 'Linus' }],
    ] as const) {
      const [signUp = '', token = '', query = ''] = commands.slice(at);
      paste([signUp]);
      await vi.waitFor(() => expect(run.output()).toMatch(told), TIMEOUT);
      expect(JSON.parse(paste([token, query]))).toEqual({
        data: { users: [{ id: expect.any(String), ...row }] },
      });
    }
    const started = startedBy(run.pid);
    run.child.kill('SIGTERM');
    expect(await run.exited).toEqual([0, null]);
    expect(stillRunning(started)).toEqual([]);
  });

  test('with a file of personas they have signed up, and see their own rows', async () => {
    const run = start(await newFolder(), '--personas', join(ROOT, 'examples/personas/personas.yaml'));
    await run.ready();
    const [, token = '', query = ''] = printedCommands(run.output());
    const grete = token.replace('ada@example.com', 'grete@example.com');
    await vi.waitFor(
      () =>
        expect(JSON.parse(paste([grete, query]))).toEqual({
          data: { users: [{ id: expect.any(String), email: 'grete@example.com', name: 'Grete Hermann' }] },
        }),
      TIMEOUT,
    );
    run.child.kill('SIGTERM');
    expect(await run.exited).toEqual([0, null]);
  });

  test('after it was killed nothing goes on running, the next start finds everything as it was, and SIGTERM ends that', async () => {
    const folder = await newFolder();
    const first = start(folder);
    await first.ready();
    const [signUp = ''] = printedCommands(first.output());
    paste([signUp]);
    await vi.waitFor(() => expect(first.output()).toContain('webhook user.created: answered 2'), TIMEOUT);
    const started = startedBy(first.pid);
    first.child.kill('SIGKILL');
    await first.exited;

    const second = start(folder);
    await second.ready();
    const [, token = '', query = ''] = printedCommands(second.output());
    expect(JSON.parse(paste([token, query]))).toMatchObject({
      data: { users: [{ email: 'ada@example.com' }] },
    });
    await vi.waitFor(() => expect(stillRunning(started)).toEqual([]), TIMEOUT);

    const startedAgain = startedBy(second.pid);
    second.child.kill('SIGTERM');
    expect(await second.exited).toEqual([0, null]);
    expect(stillRunning(startedAgain)).toEqual([]);
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)('%s to npm, which started it, ends it too', async (signal) => {
    const npm = startWithNpm(await newFolder());
    await npm.ready();
    const started = startedBy(npm.pid);
    npm.child.kill(signal);
    await npm.exited;
    await vi.waitFor(() => expect(stillRunning(started)).toEqual([]), TIMEOUT);
  });

  test('if one of the programs dies it says which, ends the others and fails', async () => {
    const run = start(await newFolder());
    await run.ready();
    const started = startedBy(run.pid);
    const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' });
    const service = stdout
      .split('\n')
      .map((line) => /^\s*(\d+) (.*)$/.exec(line))
      .find((match) => match?.[2]?.endsWith('server.ts') && started.includes(Number(match[1])));
    process.kill(Number(service?.[1]), 'SIGKILL');
    expect(await run.exited).toEqual([1, null]);
    expect(run.output()).toMatch(/latchkey start: the identity service was ended by SIGKILL/);
    expect(stillRunning(started)).toEqual([]);
  });
});
