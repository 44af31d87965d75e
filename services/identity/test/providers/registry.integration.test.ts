import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';

const FOLDER = join(import.meta.dirname, '..', '..', 'src', 'providers');

test('the registry loads no SDK: a command that only names a provider is there at once', () => {
  const program = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    await import(${JSON.stringify(join(FOLDER, 'registry.ts'))});
    console.log(JSON.stringify(loaded));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const loaded = z.array(z.string()).parse(JSON.parse(stdout));
  const packages = new Set(
    loaded.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []),
  );
  expect([...packages].filter((name) => !name.startsWith('@latchkey/'))).toEqual(['zod']);
});
