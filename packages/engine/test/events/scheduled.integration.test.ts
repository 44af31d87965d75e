import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createDatabase, type TestDatabase } from '@latchkey/tests/support/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readConfig } from '#base/config.ts';
import { silentLogger } from '#base/log.ts';
import { createScheduledRunner, type ScheduledRunner } from '#events/scheduled.ts';
import { cronTrigger } from '#metadata/types.ts';
import { createMetadataStore } from '#storage/metadata-store.ts';
import { testPool } from '../support/test-pool.ts';
import { until } from '../support/until.ts';
import { type Receiver, startReceiver } from '../support/webhook-receiver.ts';

const NEVER = new Promise<never>(() => {});

let database: TestDatabase;
const closers: (() => Promise<unknown>)[] = [];
const children: ChildProcess[] = [];
const runners: ScheduledRunner[] = [];

beforeEach(async () => {
  database = await createDatabase();
  const pool = testPool(database.url);
  await createMetadataStore(pool).prepare();
  await pool.end();
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  runners.length = 0;
  for (const close of closers.splice(0).reverse()) await close();
  await database.close();
});

async function receiver(...answer: Parameters<typeof startReceiver>): Promise<Receiver> {
  const started = await startReceiver(...answer);
  closers.push(started.close);
  return started;
}

function runner(env: Record<string, string> = {}): ScheduledRunner {
  const pool = testPool(database.url);
  const config = readConfig({ HASURA_GRAPHQL_DATABASE_URL: database.url, ...env });
  const made = createScheduledRunner(pool, config, silentLogger);
  runners.push(made);
  closers.push(async () => {
    await made.close(0);
    await pool.end();
  });
  return made;
}

/** A trigger whose own ticks are far away. */
const trigger = (webhook: string, more: object = {}) =>
  cronTrigger.parse({ name: 'nightly', webhook, schedule: '0 0 1 1 *', include_in_metadata: true, ...more });

/** Engines look every ten seconds for what others wrote; tests need not wait for that. */
function lookNow(): void {
  for (const made of runners) made.wake();
}

async function tickNow(secondsAgo = 0): Promise<string> {
  const [row] = await database.query(
    `INSERT INTO hdb_catalog.hdb_cron_events (trigger_name, scheduled_time)
     VALUES ('nightly', now() - make_interval(secs => $1)) RETURNING id`,
    [secondsAgo],
  );
  lookNow();
  return String(row?.id);
}

const settled = (id: string) =>
  until(async () => {
    const [row] = await database.query(
      'SELECT status, tries FROM hdb_catalog.hdb_cron_events WHERE id = $1',
      [id],
    );
    return row?.status === 'scheduled' || row?.status === 'locked' ? undefined : row;
  });

describe('a cron trigger', () => {
  it('has its next hundred ticks laid out, in UTC', async () => {
    await runner().apply([trigger('http://127.0.0.1:1', { schedule: '30 3 * * *' })]);
    const rows = await database.query(
      `SELECT DISTINCT to_char(scheduled_time AT TIME ZONE 'UTC', 'HH24:MI') AS time, count(*) OVER () AS count
       FROM hdb_catalog.hdb_cron_events`,
    );
    expect(rows).toEqual([{ time: '03:30', count: '100' }]);
  });

  it('posts its payload to the webhook, with its headers, and logs the invocation', async () => {
    const target = await receiver(() => ({ body: { done: true } }));
    await runner({ TARGET: target.url, SECRET: 'hush' }).apply([
      trigger('{{TARGET}}/jobs/clean', {
        payload: { days: 30 },
        comment: 'keeps the ledger small',
        headers: [
          { name: 'x-job-secret', value_from_env: 'SECRET' },
          { name: 'x-kind', value: 'cron' },
        ],
      }),
    ]);
    const id = await tickNow();
    const [request] = await target.waitFor(1);
    expect(request).toMatchObject({
      method: 'POST',
      path: '/jobs/clean',
      headers: { 'content-type': 'application/json', 'x-job-secret': 'hush', 'x-kind': 'cron' },
      body: { id, name: 'nightly', payload: { days: 30 }, comment: 'keeps the ledger small' },
    });
    expect(await settled(id)).toEqual({ status: 'delivered', tries: 1 });
    const [log] = await database.query(
      "SELECT status, request->'payload'->>'name' AS name, response->'data'->>'body' AS body, request->'headers' AS headers FROM hdb_catalog.hdb_cron_event_invocation_logs",
    );
    expect(log).toMatchObject({ status: 200, name: 'nightly', body: '{"done":true}' });
    expect(JSON.stringify(log)).not.toContain('hush');
  });

  it('is tried again as often as its settings say, then marked as an error', async () => {
    const target = await receiver(() => ({ status: 500 }));
    await runner().apply([
      trigger(target.url, { retry_conf: { num_retries: 2, retry_interval_seconds: 0 } }),
    ]);
    const id = await tickNow();
    expect(await settled(id)).toEqual({ status: 'error', tries: 3 });
    expect(target.received).toHaveLength(3);
  });

  it('succeeds on a later try', async () => {
    const target = await receiver((_, index) => ({ status: index === 0 ? 503 : 204, body: '' }));
    await runner().apply([
      trigger(target.url, { retry_conf: { num_retries: 1, retry_interval_seconds: 0 } }),
    ]);
    expect(await settled(await tickNow())).toEqual({ status: 'delivered', tries: 2 });
  });

  it('counts a webhook that does not answer in time as failed', async () => {
    const target = await receiver(() => NEVER);
    await runner().apply([trigger(target.url, { retry_conf: { timeout_seconds: 1 } })]);
    expect(await settled(await tickNow())).toEqual({ status: 'error', tries: 1 });
  });

  it('gives up a tick that is later than its tolerance, without calling the webhook', async () => {
    const target = await receiver();
    await runner().apply([trigger(target.url, { retry_conf: { tolerance_seconds: 60 } })]);
    expect(await settled(await tickNow(120))).toEqual({ status: 'dead', tries: 0 });
    expect(target.received).toEqual([]);
  });

  it('fires ticks that were missed while no engine ran', async () => {
    const target = await receiver();
    const id = await tickNow(3600);
    await runner().apply([trigger(target.url)]);
    expect(await settled(id)).toEqual({ status: 'delivered', tries: 1 });
  });

  it('forgets future ticks when its schedule changes or it is gone', async () => {
    const made = runner();
    const count = async () => {
      const [row] = await database.query(
        `SELECT count(*)::int AS all, count(*) FILTER (WHERE extract(minute FROM scheduled_time) = 7)::int AS new
         FROM hdb_catalog.hdb_cron_events`,
      );
      return row;
    };
    await made.apply([trigger('http://127.0.0.1:1')]);
    await made.apply([trigger('http://127.0.0.1:1', { schedule: '7 * * * *' })]);
    expect(await count()).toEqual({ all: 100, new: 100 });
    await made.apply([]);
    expect(await count()).toEqual({ all: 0, new: 0 });
  });

  it('refuses a schedule that Hasura would refuse', () => {
    for (const schedule of ['* * * * * *', '61 * * * *', '0 0 * * MON', 'every day', '']) {
      expect(() => trigger('http://127.0.0.1:1', { schedule }), schedule).toThrow(/five fields in UTC/);
    }
  });
});

describe('two engines on one database', () => {
  it('call the webhook once per tick', async () => {
    const target = await receiver();
    const settings = [trigger(target.url)];
    const engines = [runner(), runner(), runner()];
    await Promise.all(engines.map((engine) => engine.apply(settings)));
    const ids = [];
    for (let index = 0; index < 40; index++) ids.push(await tickNow(index));
    for (const id of ids) expect(await settled(id)).toEqual({ status: 'delivered', tries: 1 });
    const seen = target.received.map(({ body }) => z.object({ id: z.string() }).parse(body).id);
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });

  it('lay out each tick once, however often and together they plan', async () => {
    const settings = [trigger('http://127.0.0.1:1', { schedule: '*/5 * * * *' })];
    const engines = [runner(), runner(), runner()];
    await Promise.all([...engines, ...engines].map((engine) => engine.apply(settings)));
    const [row] = await database.query(
      'SELECT count(*)::int AS all, count(DISTINCT scheduled_time)::int AS times FROM hdb_catalog.hdb_cron_events',
    );
    expect(row).toEqual({ all: 100, times: 100 });
  });

  it('do not lay out again a tick that was delivered already', async () => {
    const soon = trigger('http://127.0.0.1:1', { schedule: '*/5 * * * *' });
    await runner().apply([soon]);
    await database.query("UPDATE hdb_catalog.hdb_cron_events SET status = 'delivered', tries = 1");
    await runner().apply([soon]);
    const [row] = await database.query('SELECT count(*)::int AS all FROM hdb_catalog.hdb_cron_events');
    expect(row).toEqual({ all: 100 });
  });
});

describe('an engine killed in the middle of a delivery', () => {
  it('leaves its tick to the next engine at once', async () => {
    const target = await receiver((_, index) => (index === 0 ? NEVER : {}));
    const settings = [trigger(target.url)];
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'scheduled-process.ts'), database.url, JSON.stringify(settings)],
      { stdio: 'inherit' },
    );
    children.push(child);
    const id = await tickNow();
    await target.waitFor(1);
    await runner().apply(settings);
    child.kill('SIGKILL');
    const wake = setInterval(lookNow, 20);
    closers.push(async () => clearInterval(wake));
    await target.waitFor(2);
    expect(await settled(id)).toEqual({ status: 'delivered', tries: 1 });
  });

  it('keeps its tick for as long as it lives', async () => {
    const target = await receiver(() => NEVER);
    const settings = [trigger(target.url)];
    const [first, second] = [runner(), runner()];
    await Promise.all([first.apply(settings), second.apply(settings)]);
    await tickNow();
    await target.waitFor(1);
    const other = await tickNow();
    // The second tick is taken by a turn that looked at the first one too.
    const seen = await target.waitFor(2);
    expect(z.object({ id: z.string() }).parse(seen[1]?.body).id).toBe(other);
  });
});

describe('an engine that is closed', () => {
  it('gives back what it could not finish', async () => {
    const target = await receiver(() => NEVER);
    const made = runner();
    await made.apply([trigger(target.url)]);
    const id = await tickNow();
    await target.waitFor(1);
    await made.close(0);
    const rows = await database.query(
      'SELECT status, tries, locked_by FROM hdb_catalog.hdb_cron_events WHERE id = $1',
      [id],
    );
    expect(rows).toEqual([{ status: 'scheduled', tries: 0, locked_by: null }]);
  });
});

describe('an event that was scheduled once', () => {
  it('is posted with its payload and the time it was made', async () => {
    const target = await receiver();
    runner();
    await database.query(
      `INSERT INTO hdb_catalog.hdb_scheduled_events
         (webhook_conf, scheduled_time, payload, header_conf, retry_conf, comment)
       VALUES ($1, '2026-01-02T03:04:05Z', '{"a":1}', '[{"name":"x-a","value":"b"}]',
         '{"tolerance_seconds": 9999999999}', 'once')`,
      [JSON.stringify(target.url)],
    );
    lookNow();
    const [request] = await target.waitFor(1);
    expect(request).toMatchObject({
      headers: { 'x-a': 'b' },
      body: { payload: { a: 1 }, comment: 'once', scheduled_time: '2026-01-02T03:04:05Z' },
    });
    // As many digits as the database has.
    expect(request?.body).toMatchObject({
      created_at: expect.stringMatching(/T\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z$/),
    });
  });
});
