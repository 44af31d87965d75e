import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';
import { type Receiver, startReceiver } from '../support/webhook-receiver.ts';

let engine: TestEngine;
let target: Receiver;

beforeAll(async () => {
  target = await startReceiver();
  engine = await startEngine({ TARGET: target.url });
  await engine.database.query('CREATE TABLE author (id serial PRIMARY KEY, name text)');
  await engine.metadata('pg_track_table', { table: 'author' });
}, 60_000);

afterEach(() => {
  target.received.length = 0;
});

afterAll(async () => {
  await engine?.close();
  await target?.close();
});

const ticks = async () => {
  const [row] = await engine.database.query('SELECT count(*)::int AS n FROM hdb_catalog.hdb_cron_events');
  return row?.n;
};

describe('the metadata API', () => {
  it('makes, shows, changes and deletes cron triggers', async () => {
    const trigger = { name: 'nightly', webhook: '{{TARGET}}/jobs', schedule: '0 3 * * *', payload: { a: 1 } };
    await engine.metadata('create_cron_trigger', { ...trigger, include_in_metadata: true });
    expect(await ticks()).toBe(100);
    expect(await engine.metadata('get_cron_triggers', {})).toMatchObject({ cron_triggers: [trigger] });
    expect(
      await engine.refusal('create_cron_trigger', { ...trigger, include_in_metadata: true }),
    ).toMatchObject({
      code: 'already-exists',
    });
    await engine.metadata('create_cron_trigger', {
      ...trigger,
      schedule: '30 * * * *',
      include_in_metadata: true,
      replace: true,
    });
    const [row] = await engine.database.query(
      'SELECT count(*) FILTER (WHERE extract(minute FROM scheduled_time) = 30)::int AS n FROM hdb_catalog.hdb_cron_events',
    );
    expect(row).toEqual({ n: 100 });
    await engine.metadata('delete_cron_trigger', { name: 'nightly' });
    expect(await ticks()).toBe(0);
    expect(await engine.refusal('delete_cron_trigger', { name: 'nightly' })).toMatchObject({
      code: 'not-exists',
    });
  });

  it('refuses a cron trigger whose schedule or webhook cannot be', async () => {
    const trigger = {
      name: 'wrong',
      webhook: '{{TARGET}}',
      schedule: '0 3 * * *',
      include_in_metadata: true,
    };
    expect(await engine.refusal('create_cron_trigger', { ...trigger, schedule: 'daily' })).toMatchObject({
      code: 'parse-failed',
    });
    expect(await engine.refusal('create_cron_trigger', { ...trigger, webhook: '{{NOT_SET}}' })).toMatchObject(
      {
        error: expect.stringContaining('NOT_SET'),
      },
    );
    expect(await ticks()).toBe(0);
  });

  it('schedules an event once', async () => {
    const made = await engine.metadata('create_scheduled_event', {
      webhook: '{{TARGET}}/once',
      schedule_at: new Date().toISOString(),
      payload: { hello: 'world' },
      headers: [{ name: 'x-a', value: 'b' }],
    });
    const { event_id: id } = z.object({ event_id: z.string() }).parse(made);
    // Engines look every ten seconds, or when metadata change.
    await engine.metadata('reload_metadata', {});
    const [request] = await target.waitFor(1);
    expect(request).toMatchObject({
      path: '/once',
      headers: { 'x-a': 'b' },
      body: { id, payload: { hello: 'world' } },
    });
    await engine.metadata('delete_scheduled_event', { type: 'one_off', event_id: id });
  });

  it('makes event triggers that carry the session of a mutation, and takes them away', async () => {
    await engine.metadata('pg_create_event_trigger', {
      name: 'authors',
      table: 'author',
      webhook: '{{TARGET}}/authors',
      insert: { columns: '*' },
      enable_manual: true,
    });
    await engine.graphql('mutation { insert_author_one(object: {name: "Ann"}) { id } }', {
      headers: { 'x-hasura-team': 'blue' },
    });
    const [request] = await target.waitFor(1);
    expect(request).toMatchObject({
      path: '/authors',
      body: {
        trigger: { name: 'authors' },
        event: {
          op: 'INSERT',
          data: { old: null, new: { name: 'Ann' } },
          session_variables: { 'x-hasura-role': 'admin', 'x-hasura-team': 'blue' },
        },
      },
    });
    await engine.metadata('pg_invoke_event_trigger', {
      name: 'authors',
      source: 'default',
      payload: { by: 'hand' },
    });
    const [, manual] = await target.waitFor(2);
    expect(manual?.body).toMatchObject({ event: { op: 'MANUAL', data: { new: { by: 'hand' } } } });
    const [log] = await until(async () => {
      const rows = await engine.database.query(
        'SELECT id FROM hdb_catalog.event_log WHERE delivered ORDER BY created_at',
      );
      return rows.length === 2 ? rows : undefined;
    });
    await engine.metadata('pg_redeliver_event', { event_id: log?.id });
    const again = await target.waitFor(3);
    expect(again[2]?.body).toMatchObject({ id: log?.id });

    await engine.metadata('pg_delete_event_trigger', { name: 'authors' });
    const left = await engine.database.query(
      "SELECT FROM pg_proc WHERE starts_with(proname, 'notify_hasura_')",
    );
    expect(left).toEqual([]);
    await engine.graphql('mutation { insert_author_one(object: {name: "Bea"}) { id } }');
    expect(target.received).toHaveLength(3);
  });

  it('refuses an event trigger on a column that is not there', async () => {
    expect(
      await engine.refusal('pg_create_event_trigger', {
        name: 'wrong',
        table: 'author',
        webhook: target.url,
        update: { columns: ['nope'] },
      }),
    ).toMatchObject({ error: expect.stringContaining('nope') });
  });
});

describe('an engine whose connections are all cut', () => {
  it('lives on, delivers what comes later and takes up again what it had in hand', async () => {
    await engine.metadata('pg_create_event_trigger', {
      name: 'survivors',
      table: 'author',
      webhook: '{{TARGET}}/survivors',
      insert: { columns: '*' },
    });
    await engine.graphql('mutation { insert_author_one(object: {name: "Cid"}) { id } }');
    await target.waitFor(1);
    const slow = engine
      .graphql('mutation { insert_author_one(object: {name: "Dot"}) { id } }')
      .catch(() => undefined);
    await engine.database.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await slow;
    const inserted = await until(async () => {
      const { body } = await engine.graphql('mutation { insert_author_one(object: {name: "Eve"}) { id } }');
      return z.object({ data: z.unknown() }).safeParse(body).data;
    });
    expect(inserted).toMatchObject({ data: { insert_author_one: {} } });
    await until(async () => {
      const [row] = await engine.database.query(
        "SELECT count(*)::int AS n FROM hdb_catalog.event_log WHERE trigger_name = 'survivors' AND NOT delivered",
      );
      return row?.n === 0 ? true : undefined;
    });
    expect(target.received.map(({ text }) => text).join()).toContain('Eve');
  });
});
