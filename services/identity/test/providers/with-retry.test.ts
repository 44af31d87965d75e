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
const transient = new Error('transient');
const final = new Error('final');
const atOnce = (error: unknown) => (error === transient ? { retryAfter: 0 } : undefined);

test('a call whose failures are transient is repeated until it succeeds', async () => {
  const { call, calls } = failing(transient, transient, transient);
  await expect(withRetry(call, atOnce)).resolves.toBe('done');
  expect(calls.count).toBe(4);
});

test('a call whose failure is final is made once', async () => {
  const { call, calls } = failing(final);
  await expect(withRetry(call, atOnce)).rejects.toBe(final);
  expect(calls.count).toBe(1);
});

test('attempts are limited', async () => {
  const { call, calls } = failing(...Array.from({ length: 20 }, () => transient));
  await expect(withRetry(call, atOnce)).rejects.toBe(transient);
  expect(calls.count).toBe(8);
});

test('a wait can be aborted', async () => {
  const { call } = failing(transient);
  const controller = new AbortController();
  const waiting = withRetry(call, () => ({ retryAfter: 3600 }), controller.signal);
  controller.abort();
  await expect(waiting).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
});
