import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack?.close());

/** Hasura takes some eleven seconds to end, and a few to start. */
const SLOW = { timeout: 180_000 };

const emails = async (prefix: string): Promise<string[]> => {
  const { users } = await stack.asAdmin(
    'query ($like: String!) { users(where: {email: {_like: $like}}) { email } }',
    {
      like: `${prefix}%`,
    },
  );
  return (users as { email: string }[]).map(({ email }) => email).sort();
};

test(
  'while the engine is away deliveries are answered 503, and those sent again arrive when it is back',
  SLOW,
  async () => {
    await stack.engine.stop();
    const { message } = stack.change(() => stack.clerk.directory.signUp({ email: 'away@example.com' }));
    const answer = await stack.clerk.webhooks.post(message);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await fetch(`${stack.service.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${stack.service.url}/readyz`)).status).toBe(503);

    const delivered = stack.clerk.webhooks.send(message);
    await stack.engine.start();
    expect(await delivered).toBe(true);
    expect(await emails('away')).toEqual(['away@example.com']);
  },
);

test('a service that is killed in the middle of a burst loses nothing', SLOW, async () => {
  const wanted = Array.from(
    { length: 60 },
    (_, index) => `burst${String(index).padStart(2, '0')}@example.com`,
  );
  const deliveries = wanted.map((email) => {
    const { message } = stack.change(() => stack.clerk.directory.signUp({ email }));
    return stack.clerk.webhooks.send(message);
  });
  await Promise.race(deliveries);
  await stack.service.kill();
  await stack.service.start();
  expect(await Promise.all(deliveries)).toEqual(wanted.map(() => true));
  expect(await emails('burst')).toEqual(wanted);
});

test(
  'a service that is stopped finishes what it has begun, and what came too late is sent again',
  SLOW,
  async () => {
    const wanted = Array.from(
      { length: 30 },
      (_, index) => `stop${String(index).padStart(2, '0')}@example.com`,
    );
    const deliveries = wanted.map((email) => {
      const { message } = stack.change(() => stack.clerk.directory.signUp({ email }));
      return stack.clerk.webhooks.send(message);
    });
    await Promise.race(deliveries);
    await stack.service.stop();
    await stack.service.start();
    expect(await Promise.all(deliveries)).toEqual(wanted.map(() => true));
    expect(await emails('stop')).toEqual(wanted);
  },
);
