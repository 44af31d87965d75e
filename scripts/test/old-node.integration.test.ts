import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { folder, latchkey, oneLine, PROGRAM } from './support/run-latchkey.ts';

// On a Node that is too old for TypeScript.

const oldNode = join(folder, 'old-node.cjs');
beforeAll(() =>
  writeFile(
    oldNode,
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.0' } });",
  ),
);

test('the Node that npm installed takes over, with its output and exit code', () => {
  const program = ['--require', oldNode, PROGRAM];
  expect(latchkey(['aply'], {}, program)).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey: unknown command .*/),
  });
  expect(latchkey(['--help'], {}, program)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('Commands:'),
  });
});

test('where npm installed none, one line says what to do', async () => {
  await mkdir(join(folder, 'bare'));
  const bare = join(folder, 'bare', 'latchkey.mjs');
  await copyFile(PROGRAM, bare);
  expect(latchkey(['--help'], {}, ['--require', oldNode, bare])).toMatchObject({
    status: 2,
    stderr: oneLine(/latchkey: needs Node 24, and this is 20\.19\.0: run npm ci .*/),
  });
});
