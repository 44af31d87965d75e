import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { UserRecord } from '#core/records.ts';
import { deletedUser, stubUser } from '#core/records.ts';
import { DELETION_LIMIT } from '#core/settings/deletion-limit.ts';
import { createHasuraClient, type HasuraClient } from '#hasura/client.ts';
import { buildApp } from '#http/app.ts';
import { createLogger } from '#http/logger.ts';
import { createClerk } from '#providers/clerk/index.ts';
import type { Directory } from '#providers/provider.ts';
import { createWriter } from '#sync/writer.ts';
import { CONFIG } from '../support/clerk.ts';

const SECRET = 'the-secret-of-hasura-and-service';

let project: EmbeddedProject;
let engine: HasuraClient;
beforeAll(async () => {
  project = await startEmbedded();
  engine = createHasuraClient(project.config);
});
afterAll(() => project.close());
beforeEach(() => project.database.query('TRUNCATE public.users, identity.reconciles CASCADE'));

/** The service on a port of its own, with a directory of the test's making. */
async function serve(pages: Directory['pages'], maxWaitMs: number) {
  const clerk = createClerk(CONFIG);
  const provider = { ...clerk, directory: { ...clerk.directory, pages } };
  const app = buildApp({
    providers: new Map([['clerk', provider]]),
    writer: createWriter(engine, { inFlight: 1, queueLimit: 100 }),
    engine,
    engineSecrets: [SECRET],
    retentionDays: 30,
    deletionLimit: DELETION_LIMIT,
    maxWaitMs,
    logger: createLogger('silent'),
  });
  onTestFinished(() => app.close());
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    async reconcile() {
      const answer = await fetch(`${url}/jobs/reconcile`, {
        method: 'POST',
        headers: { 'x-latchkey-secret': SECRET },
      });
      const body: unknown = await answer.json();
      return { status: answer.status, body };
    },
    close: () => app.close(),
  };
}

const ada: UserRecord = {
  ...stubUser({ provider: 'clerk', tenant: '', id: 'user_ada' }),
  clock: 1,
  firstName: 'Ada',
};
const names = async () =>
  (await project.database.query('SELECT first_name FROM public.users')).map((row) => row.first_name);
const runs = () => project.database.query('SELECT finished_at FROM identity.reconciles');

test('a reconcile that is soon done is answered with what it did', async () => {
  const { reconcile } = await serve(async function* () {
    yield { records: [ada], cursor: '1' };
  }, 20_000);
  expect(await reconcile()).toEqual({
    status: 200,
    body: { providers: [{ provider: 'clerk', status: 'done', differences: 1 }] },
  });
  expect(await names()).toEqual(['Ada']);
});

test('one that takes longer than Hasura waits is answered 202, goes on, and is joined by the next call', async () => {
  const gate = Promise.withResolvers<void>();
  const { reconcile } = await serve(async function* () {
    await gate.promise;
    yield { records: [ada], cursor: '1' };
  }, 10);
  expect(await reconcile()).toEqual({ status: 202, body: { status: 'under-way' } });
  expect(await reconcile()).toEqual({ status: 202, body: { status: 'under-way' } });
  expect(await names()).toEqual([]);
  gate.resolve();
  await expect.poll(names, { timeout: 20_000 }).toEqual(['Ada']);
  await expect.poll(runs, { timeout: 20_000 }).toEqual([{ finished_at: expect.any(Date) }]);
});

test('one that is under way when the service stops ends early and deletes nothing', async () => {
  await project.database.query(
    "INSERT INTO public.users (id, provider, source_updated_at) VALUES ('user_old', 'clerk', 'epoch'), ('user_too', 'clerk', 'epoch')",
  );
  const gate = Promise.withResolvers<void>();
  const { reconcile, close } = await serve(async function* () {
    await gate.promise;
    yield { records: [deletedUser({ provider: 'clerk', tenant: '', id: 'user_old' }, 1)], cursor: '1' };
  }, 10);
  expect((await reconcile()).status).toBe(202);
  const closed = close();
  gate.resolve();
  await closed;
  expect(await project.database.query('SELECT FROM public.users WHERE deleted_at IS NULL')).toHaveLength(2);
});

test('one that fails is 503, with the fix', async () => {
  const { reconcile } = await serve(async function* () {
    yield { records: [], cursor: '1' };
  }, 20_000);
  await project.database.query(
    `INSERT INTO public.users (id, provider, source_updated_at)
     SELECT 'user_' || n, 'clerk', 'epoch' FROM generate_series(1, 20) n`,
  );
  expect(await reconcile()).toEqual({
    status: 503,
    body: {
      providers: [
        { provider: 'clerk', status: 'failed', reason: expect.stringContaining('--deletion-limit 100%') },
      ],
    },
  });
});
