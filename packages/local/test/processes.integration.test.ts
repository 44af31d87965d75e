import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test, vi } from 'vitest';
import { type Child, describeExit, isAlive, startChild } from '#processes/processes.ts';

const ENV = { PATH: process.env.PATH };
const MODULE = new URL('../src/processes/processes.ts', import.meta.url).href;

/** Starts a shell script, and waits for the ids it prints. */
async function startScript(
  script: string,
  options: { graceMs?: number } = {},
): Promise<{ child: Child; pids: number[] }> {
  const pids: number[] = [];
  const ready = Promise.withResolvers<void>();
  const child = await startChild({
    name: 'the script',
    command: '/bin/sh',
    args: ['-c', script],
    env: ENV,
    onLine(line) {
      if (line === 'ready') ready.resolve();
      else pids.push(Number(line));
    },
    ...options,
  });
  await ready.promise;
  return { child, pids };
}

test('stopping a program ends all that it started, too', async () => {
  const { child, pids } = await startScript('sleep 1000 & echo $!; sleep 1000 & echo $!; echo ready; wait');
  expect([child.pid, ...pids].map(isAlive)).toEqual([true, true, true]);
  await child.stop();
  expect(isAlive(child.pid)).toBe(false);
  // They have ended too, but until init has noted it they still have an id.
  await vi.waitFor(() => expect(pids.map(isAlive)).toEqual([false, false]), { timeout: 20_000 });
});

test('a program that does not heed the request is killed', async () => {
  const { child } = await startScript("trap '' TERM; echo ready; while :; do sleep 0.05; done", {
    graceMs: 100,
  });
  await child.stop();
  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a program behind a shell that ends at once still gets its time to end in order', async () => {
  const lines: string[] = [];
  const script = "trap 'sleep 1.5; echo in order; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
  const ready = Promise.withResolvers<void>();
  const child = await startChild({
    name: 'the shell',
    command: '/bin/sh',
    args: ['-c', `sh -c ${JSON.stringify(script)}; true`],
    env: ENV,
    onLine(line) {
      lines.push(line);
      ready.resolve();
    },
  });
  await ready.promise;
  await child.stop();
  expect(lines).toContain('in order');
});

test('one that has left its group does not hold us up for ever', async () => {
  const pids: number[] = [];
  const child = await startChild({
    name: 'the deserter',
    command: process.execPath,
    args: [
      '-e',
      "const { spawn } = require('node:child_process');" +
        "const far = spawn('sleep', ['1000'], { detached: true, stdio: 'inherit' });" +
        'console.log(far.pid); setInterval(() => {}, 1000);',
    ],
    env: ENV,
    graceMs: 100,
    onLine: (line) => pids.push(Number(line)),
  });
  await vi.waitFor(() => expect(pids).toHaveLength(1), { timeout: 10_000 });
  await child.stop();
  expect(isAlive(child.pid)).toBe(false);
  process.kill(pids[0] ?? 0, 'SIGKILL');
});

test('the end of a program is told with what it last printed', async () => {
  const child = await startChild({
    name: 'the program',
    command: '/bin/sh',
    args: ['-c', 'echo first; echo the reason >&2; exit 3'],
    env: ENV,
  });
  const exit = await child.exited;
  await child.stop();
  expect(exit).toEqual({ code: 3, signal: null });
  expect(describeExit(child, exit)).toMatch(
    /^the program ended with exit code 3; it last printed:\n(.|\n)*the reason/,
  );
});

test('a program gets the environment it is given, and nothing else', async () => {
  const lines: string[] = [];
  const child = await startChild({
    name: 'env',
    command: process.execPath,
    args: ['-p', 'JSON.stringify([process.env.GIVEN, process.env.PATH])'],
    env: { GIVEN: 'yes' },
    onLine: (line) => lines.push(line),
  });
  await child.exited;
  await child.stop();
  expect(lines.map((line) => JSON.parse(line))).toEqual([['yes', null]]);
});

test('a program that cannot be started is told as such', async () => {
  const child = await startChild({ name: 'nothing', command: '/nowhere/nothing', env: ENV });
  expect((await child.exited).code).toBe(127);
  await child.stop();
  expect(child.tail()).toMatch(/not found/);
});

test('what a killed process had started ends by itself', async () => {
  const parent = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { startChild } from ${JSON.stringify(MODULE)};
       const child = await startChild({ name: 'sleep', command: '/bin/sh',
         args: ['-c', 'sleep 1000 & echo $!; wait'], env: { PATH: process.env.PATH }, onLine: (line) => console.log(line) });
       console.log(child.pid);`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const pids: number[] = [];
  createInterface({ input: parent.stdout }).on('line', (line) => pids.push(Number(line)));
  await vi.waitFor(() => expect(pids).toHaveLength(2), { timeout: 10_000 });
  expect(pids.map(isAlive)).toEqual([true, true]);

  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await vi.waitFor(() => expect(pids.map(isAlive)).toEqual([false, false]), { timeout: 10_000 });
});
