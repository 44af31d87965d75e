import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';

export const ROOT = join(import.meta.dirname, '..', '..', '..');
export const PROGRAM = join(ROOT, 'scripts', 'latchkey.js');

/** Where the commands run: an empty folder, which is gone after the tests of the file. */
export const folder = mkdtempSync(join(tmpdir(), 'latchkey-test-'));
afterAll(() => rm(folder, { recursive: true }));

/**
 * @param env all there is in the environment, beside the path and an endpoint where nothing answers
 * @param program what Node runs, after options of Node's own
 */
export function latchkey(args: string[], env: Record<string, string> = {}, program = [PROGRAM]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...args], {
    encoding: 'utf8',
    cwd: folder,
    env: { PATH: process.env.PATH, HASURA_GRAPHQL_ENDPOINT: 'http://127.0.0.1:9', ...env },
  });
  return { status, stdout, stderr };
}

export const oneLine = (pattern: RegExp) => expect.stringMatching(new RegExp(`^${pattern.source}\\n$`));
