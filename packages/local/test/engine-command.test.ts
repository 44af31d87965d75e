import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { EMBEDDED_ENVIRONMENT, EMBEDDED_FLAGS } from '#programs/engine.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

test('npm run engine starts it as the stack does', () => {
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')));
  const variables = Object.entries(EMBEDDED_ENVIRONMENT).map(
    ([name, value]) => `${name}=${value.replace(`${ROOT}/`, '')}`,
  );
  expect(scripts.engine).toBe(
    `${variables.join(' ')} exec node ${EMBEDDED_FLAGS.join(' ')} packages/engine/src/main.ts`,
  );
});
