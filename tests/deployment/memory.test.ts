import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { MEMORY_FLAGS } from '@latchkey/local/programs/service';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(resolve(import.meta.dirname, '../..', path), 'utf8');

test.each([
  ['npm run service', 'package.json'],
  ['the image', 'services/identity/Dockerfile'],
])('%s starts the service with the memory it is measured with', (_what, file) => {
  const line = read(file)
    .split('\n')
    .find((one) => one.includes('services/identity/src/http/server.ts"'));
  expect(line?.match(/--[\w-]+=\d+/g)).toEqual(MEMORY_FLAGS);
});

test.each([
  ['sync', true],
  ['replay', false],
])('latchkey %s runs with memory settings of its own: %s', (name, isOwn) => {
  const tell = 'data:text/javascript,console.error(JSON.stringify(process.execArgv))';
  const program = resolve(import.meta.dirname, '../../scripts/latchkey.js');
  const { status, stderr } = spawnSync(process.execPath, [program, name, '--help'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, NODE_OPTIONS: `--import=${tell}` },
  });
  expect(status).toBe(0);
  expect(/"--max-old-space-size=\d+"/.test(stderr)).toBe(isOwn);
});
