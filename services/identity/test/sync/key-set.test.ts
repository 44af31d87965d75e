import { expect, test } from 'vitest';
import { createKeySet, HASH_BYTES, hashKeys } from '#sync/key-set.ts';

test('what was seen is known again, what was not is not, however much was seen', () => {
  const seen = createKeySet();
  for (let index = 0; index < 100_000; index += 1) seen.add(`user "${index}"`);
  // Twice is once.
  for (let index = 0; index < 100_000; index += 7) seen.add(`user "${index}"`);
  const known = (from: number) =>
    Array.from({ length: 100_000 }, (_, index) => seen.has(`user "${from + index}"`));
  expect(known(0).every(Boolean)).toBe(true);
  expect(known(100_000).some(Boolean)).toBe(false);
});

test('what another process has seen is known too', () => {
  const keys = Array.from({ length: 10_000 }, (_, index) => `user "${index}"`);
  const seen = createKeySet();
  const hashes = hashKeys(keys);
  expect(hashes).toHaveLength(keys.length * HASH_BYTES);
  seen.addHashes(hashes);
  expect(keys.every((key) => seen.has(key))).toBe(true);
  expect(keys.some((key) => seen.has(`other ${key}`))).toBe(false);
});
