import { once } from 'node:events';
import { type LocalClerk, startLocalClerk } from '@latchkey/local/stand-ins/clerk';
import { type EmbeddedProject, startEmbedded } from '@latchkey/tests/support/embedded';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '#config/read-config.ts';
import { DELETION_LIMIT } from '#core/settings/deletion-limit.ts';
import { createHasuraClient, type HasuraClient } from '#hasura/client.ts';
import { hasDirectory } from '#providers/parts.ts';
import type { Provider } from '#providers/provider.ts';
import { loadProviders, type Registry } from '#providers/registry.ts';
import { createReconcileJob } from '#sync/reconcile-job.ts';
import { type Replayed, replay } from '#sync/replay.ts';
import { clearLedger, erasePayloads } from '#sync/retention.ts';
import { createWriter, type Writer } from '#sync/writer.ts';

let project: EmbeddedProject;
let clerk: LocalClerk;
let engine: HasuraClient;
let providers: Registry;
let writer: Writer;
beforeAll(async () => {
  project = await startEmbedded();
  clerk = await startLocalClerk({ port: 0 });
  engine = createHasuraClient(project.config);
  const config = readConfig({ HASURA_GRAPHQL_ADMIN_SECRET: 'x', ...clerk.serviceEnvironment });
  providers = await loadProviders(config.providers, engine);
  writer = createWriter(engine, { inFlight: 1, queueLimit: 1_000 });
});
afterAll(async () => {
  await writer?.close();
  await clerk?.close();
  await project?.close();
});
beforeEach(() =>
  project.database.query(
    'TRUNCATE public.users, public.organizations, identity.deliveries, identity.reconciles CASCADE',
  ),
);

interface Filed {
  id: string;
  status?: string;
  payload?: unknown;
  subject?: string | null;
  provider?: string;
  daysAgo?: number;
}

const file = ({
  id,
  status = 'applied',
  payload = null,
  subject = null,
  provider = 'clerk',
  daysAgo = 0,
}: Filed) =>
  project.database.query(
    `INSERT INTO identity.deliveries (id, provider, type, subject, payload, status, received_at, error)
     VALUES ($1, $2, 'user.created', $3, $4, $5, now() - make_interval(days => $6), CASE WHEN $5 = 'dead' THEN 'why' END)`,
    [id, provider, subject, payload === null ? null : JSON.stringify(payload), status, daysAgo],
  );
const ledger = () =>
  project.database.query('SELECT id, status, attempts, error, payload FROM identity.deliveries ORDER BY id');
const ids = async () => (await ledger()).map(({ id }) => id);

describe('replay', () => {
  const created = () =>
    JSON.parse(clerk.intercept(() => clerk.directory.signUp({ firstName: 'Ada' })).messages[0]?.body ?? '');
  async function run(options?: Parameters<typeof replay>[1]): Promise<Replayed[]> {
    const all: Replayed[] = [];
    for await (const one of replay({ providers, engine, writer }, options)) all.push(one);
    return all;
  }

  test('takes a dead delivery by the path it came by, once and for all, and counts the attempt', async () => {
    const event = created();
    await file({ id: 'msg_1', status: 'dead', payload: event });
    await file({ id: 'msg_2', status: 'applied', payload: event });
    expect(await run()).toMatchObject([{ id: 'msg_1', status: 'applied', attempts: 2, error: null }]);
    expect(await ledger()).toMatchObject([
      { id: 'msg_1', status: 'applied', attempts: 2, error: null },
      { id: 'msg_2', status: 'applied', attempts: 1 },
    ]);
    const users = await project.database.query('SELECT id, first_name FROM public.users');
    expect(users).toEqual([{ id: event.data.id, first_name: 'Ada' }]);
    expect(await run()).toEqual([]);
    await expect(run({ id: 'msg_1' })).rejects.toThrow('msg_1 is applied, and only dead ones are replayed');
  });

  test('takes one alone where its id is given', async () => {
    for (const id of ['msg_1', 'msg_2']) await file({ id, status: 'dead', payload: created() });
    expect(await run({ id: 'msg_2' })).toMatchObject([{ id: 'msg_2', status: 'applied' }]);
    expect(await ledger()).toMatchObject([
      { status: 'dead', attempts: 1 },
      { status: 'applied', attempts: 2 },
    ]);
    await expect(run({ id: 'msg_9' })).rejects.toMatchObject({ code: 'not-found' });
  });

  test('in a dry run changes nothing', async () => {
    await file({ id: 'msg_1', status: 'dead', payload: created() });
    const before = await ledger();
    expect(await run({ dryRun: true })).toMatchObject([{ id: 'msg_1', status: 'dead', attempts: 1 }]);
    expect(await ledger()).toEqual(before);
  });

  test('leaves dead what is still no good, passes over what cannot be tried, and ends', async () => {
    await file({ id: 'msg_1', status: 'dead', payload: '{"type":"user.cre' });
    await file({ id: 'msg_2', status: 'dead', payload: { type: 'user.created', data: {} } });
    await file({ id: 'msg_3', status: 'dead' });
    await file({
      id: 'msg_4',
      status: 'dead',
      provider: 'casdoor',
      payload: { name: 'x', action: 'signup' },
    });
    await file({ id: 'msg_5', status: 'dead', payload: { type: 'email.created', data: {} } });
    expect(await run()).toMatchObject([
      { id: 'msg_1', status: 'dead', attempts: 2 },
      { id: 'msg_2', status: 'dead', attempts: 2 },
      { id: 'msg_3', status: 'dead', attempts: 1, passedOver: expect.any(String) },
      { id: 'msg_4', status: 'dead', attempts: 1, passedOver: 'casdoor is not set up' },
      { id: 'msg_5', status: 'ignored', attempts: 2 },
    ]);
    expect((await ledger()).map(({ attempts }) => attempts)).toEqual([2, 2, 1, 1, 2]);
    // Of what is no JSON nothing is kept, so there is nothing to try again.
    expect((await run()).map(({ id, attempts }) => [id, attempts])).toEqual([
      ['msg_1', 2],
      ['msg_2', 3],
      ['msg_3', 1],
      ['msg_4', 1],
    ]);
  });

  test('goes through more than a page, once each', async () => {
    for (let index = 0; index < 120; index += 1) {
      await file({
        id: `msg_${String(index).padStart(3, '0')}`,
        status: 'dead',
        payload: index % 2 === 0 ? created() : {},
      });
    }
    const replayed = await run();
    expect(new Set(replayed.map(({ id }) => id)).size).toBe(120);
    expect(replayed.filter(({ status }) => status === 'applied')).toHaveLength(60);
  });

  test('twice at once ends as once', async () => {
    for (let index = 0; index < 20; index += 1)
      await file({ id: `msg_${index}`, status: 'dead', payload: created() });
    await Promise.all([run(), run()]);
    const rows = await ledger();
    expect(rows.every(({ status }) => status === 'applied')).toBe(true);
    expect(rows.map(({ attempts }) => attempts)).toEqual(rows.map(() => 2));
    expect(await project.database.query('SELECT id FROM public.users')).toHaveLength(20);
  });

  test('never brings a deleted user back', async () => {
    const event = created();
    await file({ id: 'msg_1', status: 'dead', payload: event });
    await project.database.query(
      `INSERT INTO public.users (id, provider, source_updated_at, deleted_at) VALUES ($1, 'clerk', now() + interval '1 hour', now())`,
      [event.data.id],
    );
    expect(await run()).toMatchObject([{ status: 'applied' }]);
    expect(await project.database.query('SELECT first_name, deleted_at FROM public.users')).toEqual([
      { first_name: null, deleted_at: expect.any(Date) },
    ]);
  });
});

describe('retention', () => {
  test('removes what is older, dead or alive, and old runs that have ended', async () => {
    await file({ id: 'old', daysAgo: 31 });
    await file({ id: 'old and dead', daysAgo: 31, status: 'dead', payload: {} });
    await file({ id: 'young', daysAgo: 29 });
    await project.database.query(
      `INSERT INTO identity.reconciles (provider, started_at, finished_at) VALUES
        ('clerk', now() - interval '40 days', now() - interval '40 days'), ('clerk', now(), now()),
        ('casdoor', now() - interval '40 days', NULL)`,
    );
    expect(await clearLedger(engine, { days: 30 })).toEqual({ deliveries: 2, runs: 1, left: false });
    expect(await ids()).toEqual(['young']);
    expect(await clearLedger(engine, { days: 30 })).toEqual({ deliveries: 0, runs: 0, left: false });
    expect(await project.database.query('SELECT FROM identity.reconciles')).toHaveLength(2);
  });

  test('removes any number, and two at once remove each row once', async () => {
    await project.database.query(
      `INSERT INTO identity.deliveries (id, provider, type, status, received_at)
       SELECT 'msg_' || n, 'clerk', 'x', 'applied', now() - interval '31 days' FROM generate_series(1, 2500) n`,
    );
    const cleared = await Promise.all([clearLedger(engine, { days: 30 }), clearLedger(engine, { days: 30 })]);
    expect(cleared.reduce((sum, { deliveries }) => sum + deliveries, 0)).toBe(2_500);
    expect(await ids()).toEqual([]);
  });
});

describe('erasure', () => {
  const users = (...rows: [id: string, provider: string, isDeleted: boolean][]) =>
    project.database.query(
      `INSERT INTO public.users (id, provider, source_updated_at, deleted_at)
       SELECT id, provider, now(), CASE WHEN deleted THEN now() END
       FROM unnest($1::text[], $2::text[], $3::boolean[]) AS u (id, provider, deleted)`,
      [
        rows.map(([id]) => id),
        rows.map(([, provider]) => provider),
        rows.map(([, , isDeleted]) => isDeleted),
      ],
    );
  const kept = async () => (await ledger()).filter(({ payload }) => payload !== null).map(({ id }) => id);

  test('takes what was filed after its user’s deletion too, and nobody else’s', async () => {
    await users(['gone', 'clerk', true], ['here', 'clerk', false], ['gone at casdoor', 'casdoor', true]);
    const payload = { email: 'ada@example.com' };
    await file({ id: '1', subject: 'gone', payload });
    await file({ id: '2', subject: 'gone', payload, status: 'dead' });
    await file({ id: '3', subject: 'here', payload });
    await file({ id: '4', subject: null, payload });
    await file({ id: '5', subject: 'gone at casdoor', payload });
    expect(await erasePayloads(engine)).toEqual({ deliveries: 2, left: false });
    expect(await kept()).toEqual(['3', '4', '5']);
    expect(await erasePayloads(engine)).toEqual({ deliveries: 0, left: false });
  });

  test('takes any number, two at once too', async () => {
    await users(['gone', 'clerk', true]);
    await project.database.query(
      `INSERT INTO identity.deliveries (id, provider, type, status, subject, payload)
       SELECT 'msg_' || n, 'clerk', 'x', 'applied', 'gone', '{}' FROM generate_series(1, 2500) n`,
    );
    await Promise.all([erasePayloads(engine), erasePayloads(engine)]);
    expect(await kept()).toEqual([]);
  });
});

describe('the scheduled reconcile', () => {
  test('brings who was missed, and a second call meanwhile joins the first', async () => {
    const { result: ada } = clerk.intercept(() => clerk.directory.signUp({ firstName: 'Missed' }));
    const job = createReconcileJob({ providers, engine, writer, deletionLimit: DELETION_LIMIT });
    const [one, other] = await Promise.all([job.run(), job.run()]);
    expect(one).toBe(other);
    expect(one).toMatchObject([{ provider: 'clerk', status: 'done' }]);
    expect(
      await project.database.query('SELECT first_name FROM public.users WHERE id = $1', [ada.id]),
    ).toEqual([{ first_name: 'Missed' }]);
    expect(await job.run()).toEqual([{ provider: 'clerk', status: 'done', differences: 0 }]);
    await job.close();
  });

  test('that is asked for soon begins after what asked for it, once for all who ask meanwhile', async () => {
    const clerkProvider = providers.get('clerk');
    if (clerkProvider === undefined || !hasDirectory(clerkProvider)) throw new Error('Clerk is not set up.');
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let begun = 0;
    const slow: Provider = {
      ...clerkProvider,
      directory: {
        ...clerkProvider.directory,
        async *pages(options) {
          begun += 1;
          await gates[begun - 1]?.promise;
          yield* clerkProvider.directory.pages(options);
        },
      },
    };
    const job = createReconcileJob({
      providers: new Map([['clerk', slow]]),
      engine,
      writer,
      deletionLimit: DELETION_LIMIT,
    });
    const first = job.schedule('clerk');
    await expect.poll(() => begun, { timeout: 10_000 }).toBe(1);
    const [second, third] = [job.schedule('clerk'), job.schedule('clerk')];
    expect(second).not.toBe(first);
    expect(third).toBe(second);
    gates[0]?.resolve();
    await first;
    await expect.poll(() => begun, { timeout: 10_000 }).toBe(2);
    gates[1]?.resolve();
    expect(await second).toMatchObject({ status: 'done' });
    expect(begun).toBe(2);
    await job.close();
  });

  test('that is asked for soon waits for another process that is at it', async () => {
    await project.database.query(
      "INSERT INTO identity.reconciles (provider, holder) VALUES ('clerk', gen_random_uuid())",
    );
    let asked = 0;
    const counting: Pick<HasuraClient, 'request'> = {
      request(document, variables) {
        asked += 1;
        return engine.request(document, variables);
      },
    };
    const job = createReconcileJob({
      providers,
      engine: counting,
      writer,
      deletionLimit: DELETION_LIMIT,
      waitMs: 20,
    });
    const soon = job.schedule('clerk');
    // Each attempt asks twice: for the place, and for who has it.
    await expect.poll(() => asked, { timeout: 10_000 }).toBeGreaterThan(4);
    await project.database.query('UPDATE identity.reconciles SET finished_at = now()');
    expect(await soon).toMatchObject({ status: 'done' });
    await job.close();
  });

  test('leaves it to another process that is at it', async () => {
    await project.database.query(
      "INSERT INTO identity.reconciles (provider, holder) VALUES ('clerk', gen_random_uuid())",
    );
    const job = createReconcileJob({ providers, engine, writer, deletionLimit: DELETION_LIMIT });
    expect(await job.run()).toMatchObject([{ provider: 'clerk', status: 'under-way' }]);
    await job.close();
  });

  test('passes over a provider whose settings do not let it be read, and says which', async () => {
    const { CLERK_SECRET_KEY: _, ...env } = clerk.serviceEnvironment;
    const config = readConfig({ HASURA_GRAPHQL_ADMIN_SECRET: 'x', ...env });
    const job = createReconcileJob({
      providers: await loadProviders(config.providers, engine),
      engine,
      writer,
      deletionLimit: DELETION_LIMIT,
    });
    expect(await job.run()).toMatchObject([
      { status: 'skipped', reason: expect.stringContaining('CLERK_SECRET_KEY') },
    ]);
    await job.close();
  });

  test('ends in order when the service stops, and leaves nothing unfinished', async () => {
    const clerkProvider = providers.get('clerk');
    if (clerkProvider === undefined || !hasDirectory(clerkProvider)) throw new Error('Clerk is not set up.');
    let isReading = false;
    const slow = {
      ...clerkProvider,
      directory: {
        ...clerkProvider.directory,
        async *pages({ signal }: { signal?: AbortSignal } = {}) {
          isReading = true;
          await once(signal ?? new AbortController().signal, 'abort');
          signal?.throwIfAborted();
          yield { records: [], cursor: '' };
        },
      },
    };
    const job = createReconcileJob({
      providers: new Map([['clerk', slow]]),
      engine,
      writer,
      deletionLimit: DELETION_LIMIT,
    });
    const running = job.run();
    await expect.poll(() => isReading).toBe(true);
    await job.close();
    expect(await running).toMatchObject([{ provider: 'clerk', status: 'failed' }]);
    expect(await project.database.query('SELECT FROM identity.reconciles WHERE finished_at IS NULL')).toEqual(
      [],
    );
  });
});
