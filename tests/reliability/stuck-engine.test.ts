import { afterEach, expect, test } from 'vitest';
import { type HeldUp, startHeldUp } from './held-up.ts';

/** Of several batches. */
const QUEUE_LIMIT = 400;
const BEYOND = 50;
/** A slow machine is no failure. */
const LONG_WAIT = { timeout: 20_000 };

let open: HeldUp | undefined;
afterEach(() => open?.close());
/** @param timeoutMs how long the service waits for its engine */
async function startAll(timeoutMs: number): Promise<HeldUp> {
  open = await startHeldUp({
    LATCHKEY_ENGINE_TIMEOUT_MS: String(timeoutMs),
    LATCHKEY_QUEUE_LIMIT: String(QUEUE_LIMIT),
  });
  return open;
}

test('an engine that takes requests and never answers: 503 in time, a bounded queue, and work again after it', async () => {
  const { between, post, stored, refusals } = await startAll(1_500);
  expect((await post('before')).status).toBe(200);

  between.stick(true);
  const count = QUEUE_LIMIT + BEYOND;
  const answers = await Promise.all(Array.from({ length: count }, (_, index) => post(`stuck${index}`)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
  expect(answers.every(({ retryAfter }) => retryAfter > 0)).toBe(true);
  // What waits behind a batch that is not answered is not tried in its turn: it would wait as long again.
  expect(between.kept()).toBeLessThanOrEqual(2);
  await expect.poll(() => refusals('queue-full') + refusals('engine-unreachable'), LONG_WAIT).toBe(count);
  expect(refusals('queue-full')).toBeGreaterThan(0);
  expect(await stored()).toEqual(['before@example.com']);

  between.stick(false);
  expect((await post('after')).status).toBe(200);
  expect(await stored()).toEqual(['after@example.com', 'before@example.com']);
});

test('an engine that answers each batch only after a while: nothing is lost, what is too much is told so, and a stop waits for the rest', async () => {
  const { between, service, post, stored, refusals } = await startAll(30_000);
  between.stick(true);
  const count = QUEUE_LIMIT + BEYOND;
  const posts = Array.from({ length: count }, async (_, index) => {
    const name = `slow${String(index).padStart(3, '0')}`;
    // Who comes after the stop is not even let in.
    const answer = await post(name).catch(() => ({ status: 0, retryAfter: 1 }));
    return { email: `${name}@example.com`, ...answer };
  });
  // One batch is under way, the queue is full, and what is beyond it has been sent away.
  await expect.poll(() => refusals('queue-full'), LONG_WAIT).toBeGreaterThanOrEqual(1);
  expect(between.kept()).toBe(1);
  expect((await fetch(`${service.url}/healthz`)).status).toBe(200);

  // Batch by batch, the stop coming in between.
  between.passOn();
  await expect.poll(() => between.kept(), LONG_WAIT).toBe(2);
  process.kill(service.child.pid, 'SIGTERM');
  await expect
    .poll(
      () =>
        fetch(`${service.url}/healthz`).then(
          () => 'up',
          () => 'closed',
        ),
      LONG_WAIT,
    )
    .toBe('closed');
  expect(service.child.hasExited()).toBe(false);
  const pump = setInterval(() => between.passOn(), 20);
  const answers = await Promise.all(posts).finally(() => clearInterval(pump));

  const taken = answers.filter(({ status }) => status === 200);
  const away = answers.filter(({ status }) => status !== 200);
  expect(new Set(away.map(({ status }) => status))).toContain(503);
  expect(away.filter(({ status }) => status !== 503 && status !== 0)).toEqual([]);
  expect(taken.length).toBeGreaterThanOrEqual(QUEUE_LIMIT);
  expect(away.every(({ retryAfter }) => retryAfter > 0)).toBe(true);
  expect(await stored()).toEqual(taken.map(({ email }) => email).sort());
  expect(await service.child.exited).toEqual({ code: 0, signal: null });
});
