import { expect, test } from 'vitest';
import { createSeen, PRINT_BYTES, printsOf } from '#sync/seen.ts';

test('what was seen is known again, what was not is not, however much was seen', () => {
  const seen = createSeen();
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
  const seen = createSeen();
  const prints = printsOf(keys);
  expect(prints).toHaveLength(keys.length * PRINT_BYTES);
  seen.addPrints(prints);
  expect(keys.every((key) => seen.has(key))).toBe(true);
  expect(keys.some((key) => seen.has(`other ${key}`))).toBe(false);
});
