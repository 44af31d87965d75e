import { expect, test } from 'vitest';
import { toInstant } from '#core/instants.ts';

test('a time in milliseconds is taken as it is', () => {
  expect(toInstant(1_767_225_601_500)).toBe(1_767_225_601_500);
  expect(toInstant(1_767_225_601_500, 'end')).toBe(1_767_225_601_500);
});

test('a time in seconds begins or ends that second', () => {
  expect(toInstant(1_767_225_601)).toBe(1_767_225_601_000);
  expect(toInstant(1_767_225_601, 'end')).toBe(1_767_225_601_999);
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300, '1767225601', null, undefined, {}])(
  '%s is no time',
  (value) => {
    expect(toInstant(value)).toBeUndefined();
  },
);
