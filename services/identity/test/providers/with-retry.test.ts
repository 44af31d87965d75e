import { expect, test } from 'vitest';
import { withRetry } from '#providers/with-retry.ts';

/** Fails as often as there are errors, then succeeds. */
function failing(...errors: Error[]) {
  const calls = { count: 0 };
  const call = async () => {
    const error = errors[calls.count];
    calls.count += 1;
    if (error !== undefined) throw error;
    return 'done';
  };
  return { call, calls };
}
const passing = new Error('passing');
const final = new Error('for good');
const atOnce = (error: unknown) => (error === passing ? { retryAfter: 0 } : undefined);

test('a call that fails in passing is made again until it succeeds', async () => {
  const { call, calls } = failing(passing, passing, passing);
  await expect(withRetry(call, atOnce)).resolves.toBe('done');
  expect(calls.count).toBe(4);
});

test('a call that fails for good is made once', async () => {
  const { call, calls } = failing(final);
  await expect(withRetry(call, atOnce)).rejects.toBe(final);
  expect(calls.count).toBe(1);
});

test('patience ends', async () => {
  const { call, calls } = failing(...Array.from({ length: 20 }, () => passing));
  await expect(withRetry(call, atOnce)).rejects.toBe(passing);
  expect(calls.count).toBe(8);
});

test('whoever waits can be called off', async () => {
  const { call } = failing(passing);
  const controller = new AbortController();
  const waiting = withRetry(call, () => ({ retryAfter: 3600 }), controller.signal);
  controller.abort();
  await expect(waiting).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
});
