import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { jobs } from '#http/routes/jobs.ts';
import type { ReconcileOutcome } from '#sync/reconcile-job.ts';

const SECRET = 'the-secret-of-hasura-and-service';
const done: ReconcileOutcome = { provider: 'clerk', status: 'done', differences: 0 };
const failed: ReconcileOutcome = { provider: 'casdoor', status: 'failed', reason: 'It is away.' };

async function reconcile(outcomes: readonly ReconcileOutcome[], secret = SECRET) {
  const app = fastify();
  onTestFinished(() => app.close());
  jobs(app, {
    engineSecrets: [SECRET],
    retentionDays: 30,
    engine: { request: () => Promise.reject(new Error('Nothing is asked here.')) },
    reconcile: { run: async () => outcomes },
  });
  const headers = { 'x-latchkey-secret': secret };
  const answer = await app.inject({ method: 'POST', url: '/jobs/reconcile', headers });
  return { status: answer.statusCode, body: answer.json() };
}

test.each([
  ['all are well', [done], 200],
  ['none is', [failed], 503],
  ['the first is not', [failed, done], 503],
  ['the last is not', [done, failed], 503],
])('where %s, Hasura is told so', async (_what, outcomes, status) => {
  expect(await reconcile(outcomes)).toEqual({ status, body: { providers: outcomes } });
});
