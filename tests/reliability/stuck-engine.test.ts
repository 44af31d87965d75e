import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { startLocalClerk } from '../../scripts/local/clerk/local-clerk.ts';
import { startService } from '../../scripts/stack/service.ts';
import { type EmbeddedProject, startEmbedded } from '../support/embedded.ts';
import { serve } from '../support/http.ts';

/** Of several batches. */
const QUEUE_LIMIT = 400;
const BEYOND = 50;
const TIMEOUT_MS = 1_500;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const closer of closers.splice(0).reverse()) await closer();
});

/** What stands between service and engine: it may keep what it gets to itself. */
async function startBetween(engine: EmbeddedProject) {
  const { endpoint } = engine.config;
  let isStuck = false;
  let kept = 0;
  const server = await serve(async (incoming, response) => {
    const body = await text(incoming);
    if (isStuck) {
      kept += 1;
      return;
    }
    const onward = request(`${endpoint}${incoming.url}`, { method: 'POST', headers: incoming.headers });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.end(body);
  });
  return {
    url: server.url,
    close: server.close,
    stick(stuck: boolean) {
      isStuck = stuck;
    },
    kept: () => kept,
  };
}

async function startAll() {
  const engine = await startEmbedded();
  closers.push(() => engine.close());
  const between = await startBetween(engine);
  closers.push(() => between.close());
  const clerk = await startLocalClerk({ port: 0 });
  closers.push(() => clerk.close());
  const log: string[] = [];
  const service = await startService({
    engineUrl: between.url,
    adminSecret: engine.config.adminSecret,
    onLine: (line) => void log.push(line),
    env: {
      ...clerk.serviceEnvironment,
      LATCHKEY_ENGINE_TIMEOUT_MS: String(TIMEOUT_MS),
      LATCHKEY_QUEUE_LIMIT: String(QUEUE_LIMIT),
    },
  });
  closers.push(() => service.close());
  clerk.deliverTo(`${service.url}/webhooks/clerk`);

  const post = async (name: string): Promise<{ status: number; retryAfter: number }> => {
    const { messages } = clerk.intercept(() => clerk.directory.signUp({ email: `${name}@example.com` }));
    const [message] = messages;
    if (message === undefined) throw new Error('Signing up caused no event.');
    const response = await clerk.webhooks.post(message);
    await response.arrayBuffer();
    return { status: response.status, retryAfter: Number(response.headers.get('retry-after')) };
  };
  const stored = async (): Promise<string[]> => {
    const rows = await engine.database.query('select email from users order by email');
    return rows.map(({ email }) => String(email));
  };
  /** How many deliveries were not taken for this reason. */
  const refusals = (code: string): number =>
    log.filter((line) => line.includes('"msg":"failed"') && line.includes(`"code":"${code}"`)).length;
  return { between, post, stored, refusals };
}

test('an engine that takes requests and never answers: 503 in time, a bounded queue, and work again after it', async () => {
  const { between, post, stored, refusals } = await startAll();
  expect((await post('before')).status).toBe(204);

  between.stick(true);
  const count = QUEUE_LIMIT + BEYOND;
  const answers = await Promise.all(Array.from({ length: count }, (_, index) => post(`stuck${index}`)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
  expect(answers.every(({ retryAfter }) => retryAfter > 0)).toBe(true);
  // What waits behind a batch that is not answered is not tried in its turn: it would wait as long again.
  expect(between.kept()).toBeLessThanOrEqual(2);
  await expect.poll(() => refusals('queue-full') + refusals('engine-unreachable')).toBe(count);
  expect(refusals('queue-full')).toBeGreaterThan(0);
  expect(await stored()).toEqual(['before@example.com']);

  between.stick(false);
  expect((await post('after')).status).toBe(204);
  expect(await stored()).toEqual(['after@example.com', 'before@example.com']);
});
