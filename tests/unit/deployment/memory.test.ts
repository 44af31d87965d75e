import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { MEMORY_FLAGS } from '../../../scripts/stack/service.ts';

const read = (path: string) => readFileSync(resolve(import.meta.dirname, '../../..', path), 'utf8');

test.each([
  ['npm run service', 'package.json'],
  ['the image', 'services/identity/Dockerfile'],
])('%s starts the service with the memory it is measured with', (_what, file) => {
  const line = read(file)
    .split('\n')
    .find((one) => one.includes('services/identity/http/server.ts"'));
  expect(line?.match(/--max-[\w-]+=\d+/g)).toEqual(MEMORY_FLAGS);
});
