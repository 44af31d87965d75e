import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { COMPILE_CACHE, PATH_TO_NODE } from '@latchkey/local/processes/processes';
import { expect, test } from 'vitest';
import { z } from 'zod';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(resolve(ROOT, path), 'utf8');

/** Ends a program before it begins, telling with which settings it was started. */
const TELL =
  'data:text/javascript,console.log(JSON.stringify([process.pid,process.execArgv,process.env.MALLOC_ARENA_MAX,process.env.NODE_COMPILE_CACHE]));process.exit()';
const TOLD = z.tuple([z.number(), z.array(z.string()), z.string(), z.string().nullable()]);

test.each([
  [
    'services/identity/start',
    ['--max-semi-space-size=8', '--max-old-space-size=320', '--heap-growing-percent=100'],
    null,
  ],
  ['packages/engine/start', ['--max-semi-space-size=4'], COMPILE_CACHE],
])('%s starts its program with the memory it is measured with, in its own place', (file, flags, cache) => {
  const env = { PATH: PATH_TO_NODE, NODE_OPTIONS: `--import=${TELL}` };
  const { stdout, pid } = spawnSync(resolve(ROOT, file), { encoding: 'utf8', cwd: '/', env });
  const [ownPid, ownFlags, arenas, compiled] = TOLD.parse(JSON.parse(stdout));
  expect([ownPid, ownFlags, arenas]).toEqual([pid, flags, '1']);
  expect(compiled && resolve(compiled)).toBe(cache);
});

test.each([
  ['npm run service', 'package.json', '"service": "exec services/identity/start"'],
  ['npm run engine', 'package.json', '"engine": "exec packages/engine/start"'],
  ['the image', 'services/identity/Dockerfile', 'CMD ["./services/identity/start"]'],
])('%s starts it so', (_what, file, line) => {
  expect(read(file)).toContain(line);
});

test('no other file has settings of the service’s memory', () => {
  for (const file of ['package.json', 'services/identity/Dockerfile', 'docker-compose.yml']) {
    expect(read(file)).not.toMatch(/--max-|MALLOC_ARENA_MAX/);
  }
});

test.each([
  ['sync', true],
  ['replay', false],
])('latchkey %s runs with memory settings of its own: %s', (name, isOwn) => {
  const tell = 'data:text/javascript,console.error(JSON.stringify(process.execArgv))';
  const program = resolve(ROOT, 'scripts/latchkey.js');
  const { status, stderr } = spawnSync(process.execPath, [program, name, '--help'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, NODE_OPTIONS: `--import=${tell}` },
  });
  expect(status).toBe(0);
  expect(/"--max-old-space-size=\d+"/.test(stderr)).toBe(isOwn);
});
