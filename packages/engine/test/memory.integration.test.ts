import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';

const ENGINE = join(import.meta.dirname, '..', 'src', 'engine.ts');

/** What a fresh Node has loaded once it has imported the engine. */
async function loaded(): Promise<string[]> {
  const program = `
    import { createRequire } from 'node:module';
    await import(${JSON.stringify(ENGINE)});
    const files = Object.keys(createRequire(import.meta.url).cache);
    console.log(JSON.stringify([...process.moduleLoadList, ...files]));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  return z.array(z.string()).parse(JSON.parse(stdout));
}

test('the engine starts without what would lie in memory unused', async () => {
  const names = await loaded();
  // Proof that these are the right names to look for.
  expect(names.some((name) => name.endsWith('graphql/language/parser.js'))).toBe(true);
  expect(names.filter((name) => name.includes('undici'))).toEqual([]);
  expect(names.filter((name) => /graphql\/(type|validation|execution)\//.test(name))).toEqual([]);
});
