import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';
import { type Receiver, startReceiver } from '../support/webhook-receiver.ts';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z$/);
const BIG = '9007199254740993';

let engine: TestEngine;
let hook: Receiver;

const eventList = z.array(z.looseObject({ id: z.string(), delivered: z.boolean(), error: z.boolean() }));
const events = async (args: object = {}) =>
  eventList.parse(await engine.metadata('pg_get_event_logs', { name: 'changes', ...args }));

beforeAll(async () => {
  hook = await startReceiver(({ text }) => (text.includes('refuse') ? { status: 500, body: 'no' } : {}));
  engine = await startEngine({ HOOK: hook.url });
  await engine.database.query('CREATE TABLE author (id bigint PRIMARY KEY, name text)');
  await engine.metadata('pg_track_table', { table: 'author' });
  await engine.metadata('pg_create_event_trigger', {
    name: 'changes',
    table: 'author',
    webhook: '{{HOOK}}/changed',
    insert: { columns: '*' },
    retry_conf: { num_retries: 0, interval_sec: 0, timeout_sec: 60 },
    cleanup_config: { schedule: '0 0 * * *', paused: false, clear_older_than: 1 },
  });
  await engine.database.query(`INSERT INTO author VALUES (${BIG}, 'one')`);
  await engine.database.query(`INSERT INTO author VALUES (2, 'refuse')`);
  await until(async () => ((await events({ status: 'processed' })).length === 2 ? true : undefined));
}, 60_000);
afterAll(async () => {
  await engine?.close();
  await hook?.close();
});

describe('the event log', () => {
  it('tells events, newest first, whole', async () => {
    const all = await events();
    expect(all.map(({ delivered, error }) => ({ delivered, error }))).toEqual([
      { delivered: false, error: true },
      { delivered: true, error: false },
    ]);
    expect(all[1]).toEqual({
      id: expect.any(String),
      schema_name: 'public',
      table_name: 'author',
      trigger_name: 'changes',
      payload: expect.objectContaining({ op: 'INSERT' }),
      delivered: true,
      error: false,
      tries: 1,
      created_at: TIME,
      locked: null,
      next_retry_at: null,
      archived: false,
    });
  });

  it('keeps the digits of long numbers', async () => {
    const answer = await fetch(`${engine.url}/v1/metadata`, {
      method: 'POST',
      headers: { 'x-hasura-admin-secret': 'secret of the tests' },
      body: JSON.stringify({ type: 'pg_get_event_logs', args: { name: 'changes', offset: 1 } }),
    });
    expect(await answer.text()).toContain(`"id":${BIG}`);
  });

  it('gives a page, and those of a status', async () => {
    const [first, second] = await events();
    expect(await events({ limit: 1 })).toEqual([first]);
    expect(await events({ limit: 1, offset: 1 })).toEqual([second]);
    expect(await events({ status: 'pending' })).toEqual([]);
    expect(await events({ status: 'processed' })).toEqual([first, second]);
  });

  it('tells attempts, of a trigger or of one event', async () => {
    const all = z
      .array(z.looseObject({ event_id: z.string() }))
      .parse(await engine.metadata('pg_get_event_invocation_logs', { name: 'changes' }));
    expect(all).toHaveLength(2);
    expect(all[0]).toEqual({
      id: expect.any(String),
      trigger_name: 'changes',
      event_id: expect.any(String),
      http_status: expect.any(Number),
      request: expect.objectContaining({ payload: expect.anything() }),
      response: expect.objectContaining({ type: expect.any(String) }),
      created_at: TIME,
    });
    const [event] = await events();
    expect(await engine.metadata('pg_get_event_by_id', { event_id: event?.id })).toEqual({
      event,
      invocations: all.filter(({ event_id: id }) => id === event?.id),
    });
    expect(
      await engine.metadata('pg_get_event_by_id', { event_id: event?.id, invocation_log_limit: 0 }),
    ).toEqual({ event, invocations: [] });
  });

  it.each([
    ['pg_get_event_logs', { name: 'none' }, 'not-exists', 'event trigger "none" does not exist'],
    ['pg_get_event_invocation_logs', { name: 'none' }, 'not-exists', 'event trigger "none" does not exist'],
    ['pg_get_event_by_id', { event_id: 'none' }, 'not-exists', 'event id none does not exist'],
    [
      'pg_get_event_logs',
      { name: 'changes', source: 'none' },
      'not-exists',
      'source with name "none" does not exist',
    ],
    [
      'pg_get_event_logs',
      { name: 'changes', status: 'odd' },
      'parse-failed',
      'event logs status can only be one of the following: processed or pending',
    ],
    [
      'pg_get_event_logs',
      { name: 'changes', limit: -1 },
      'unexpected',
      'unexpected error while fetching event logs: database query error',
    ],
  ])('%s %j is refused', async (type, args, code, error) => {
    expect(await engine.refusal(type, args)).toMatchObject({ code, error: expect.stringContaining(error) });
  });

  it('of a source that never had a trigger knows no event', async () => {
    const other = await startEngine();
    try {
      expect(await other.refusal('pg_get_event_by_id', { event_id: 'x' })).toMatchObject({
        code: 'not-exists',
      });
    } finally {
      await other.close();
    }
  });
});

describe('cleaning the event log', () => {
  const config = async () =>
    JSON.stringify(await engine.metadata('export_metadata', {})).match(/"paused":(\w+)/)?.[1];

  it('is paused and resumed in metadata', async () => {
    const named = [{ source_name: 'default', event_triggers: ['changes'] }];
    for (const [type, targets, expected] of [
      ['pause', { sources: '*' }, 'true'],
      ['resume', { sources: ['default'] }, 'false'],
      ['pause', named, 'true'],
      ['resume', [{ event_triggers: ['changes'] }], 'false'],
    ] as const) {
      expect(await engine.metadata(`${type}_event_trigger_cleanups`, { event_triggers: targets })).toEqual({
        message: 'success',
      });
      expect(await config()).toBe(expected);
    }
  });

  it.each([
    [
      'cleanup_event_trigger_logs',
      { event_trigger_name: 'changes', clear_older_than: 1 },
      'Event log cleanup feature is enterprise edition only',
    ],
    [
      'pause_event_trigger_cleanups',
      { event_triggers: { sources: ['none'] } },
      'source with name none does not exists',
    ],
    [
      'pause_event_trigger_cleanups',
      { event_triggers: [{ event_triggers: ['none'] }] },
      'event trigger "none" does not exist',
    ],
    ['pause_event_trigger_cleanups', { event_triggers: [] }, 'qualifier list should have atleast one value'],
  ])('%s %j is refused', async (type, args, error) => {
    expect(await engine.refusal(type, args)).toMatchObject({ error });
  });
});

describe('scheduled events', () => {
  const list = (args: object) => engine.metadata('get_scheduled_events', args);
  const attempts = (args: object) => engine.metadata('get_scheduled_event_invocations', args);
  const FAR = '2999-01-01T00:00:00Z';

  beforeAll(async () => {
    const once = { webhook: '{{HOOK}}/once', schedule_at: FAR, comment: 'far off', payload: { a: 1 } };
    await engine.metadata('create_scheduled_event', once);
    await engine.metadata('create_scheduled_event', {
      webhook: '{{HOOK}}/now',
      schedule_at: '2020-01-01T00:00:00.5Z',
      headers: [{ name: 'x', value: 'y' }],
      retry_conf: { num_retries: 1, tolerance_seconds: 1_000_000_000 },
    });
    // Afterwards: new metadata makes the runner look at once.
    await engine.metadata('create_cron_trigger', {
      name: 'yearly',
      webhook: '{{HOOK}}/yearly',
      schedule: '0 0 1 1 *',
      include_in_metadata: true,
    });
    await until(async () =>
      JSON.stringify(await list({ type: 'one_off', status: ['delivered'] })).includes('/now')
        ? true
        : undefined,
    );
  });

  it('that were scheduled once are told in the order of their times', async () => {
    const retries = {
      num_retries: 0,
      retry_interval_seconds: 10,
      timeout_seconds: 60,
      tolerance_seconds: 21600,
    };
    const far = {
      id: expect.any(String),
      webhook_conf: '{{HOOK}}/once',
      scheduled_time: FAR,
      retry_conf: retries,
      payload: { a: 1 },
      header_conf: [],
      status: 'scheduled',
      tries: 0,
      created_at: TIME,
      next_retry_at: null,
      comment: 'far off',
      request_transform: null,
      response_transform: null,
    };
    const past = {
      ...far,
      webhook_conf: '{{HOOK}}/now',
      scheduled_time: '2020-01-01T00:00:00.500Z',
      retry_conf: { ...retries, num_retries: 1, tolerance_seconds: 1_000_000_000 },
      payload: null,
      header_conf: [{ name: 'x', value: 'y' }],
      status: 'delivered',
      tries: 1,
      comment: null,
    };
    expect(await list({ type: 'one_off' })).toEqual({ events: [past, far] });
    expect(await list({ type: 'one_off', status: ['scheduled', 'dead'], get_rows_count: true })).toEqual({
      events: [far],
      count: 1,
    });
    expect(await list({ type: 'one_off', limit: 1, get_rows_count: true })).toEqual({
      events: [past],
      count: 2,
    });
    expect(
      await list({ type: 'one_off', order_by: [{ column: 'scheduled_time', type: 'desc', nulls: 'last' }] }),
    ).toEqual({ events: [far, past] });
  });

  it('of a cron trigger are its ticks', async () => {
    const answer = z
      .object({ events: z.array(z.record(z.string(), z.unknown())), count: z.number() })
      .parse(await list({ type: 'cron', trigger_name: 'yearly', limit: 2, offset: 1, get_rows_count: true }));
    expect(answer.count).toBe(100);
    expect(answer.events).toHaveLength(2);
    expect(answer.events[0]).toEqual({
      id: expect.any(String),
      trigger_name: 'yearly',
      scheduled_time: expect.stringMatching(/^\d{4}-01-01T00:00:00Z$/),
      status: 'scheduled',
      tries: 0,
      created_at: TIME,
      next_retry_at: null,
    });
  });

  it('tell their attempts', async () => {
    const all = z
      .object({ invocations: z.array(z.looseObject({ event_id: z.string() })), count: z.number() })
      .parse(await attempts({ type: 'one_off', get_rows_count: true }));
    expect(all.count).toBe(1);
    expect(all.invocations[0]).toEqual({
      id: expect.any(String),
      event_id: expect.any(String),
      status: 200,
      request: expect.anything(),
      response: expect.anything(),
      created_at: TIME,
    });
    const event_id = all.invocations[0]?.event_id;
    expect(await attempts({ type: 'one_off', event_id })).toEqual({ invocations: all.invocations });
    expect(await attempts({ type: 'cron', event_id })).toEqual({ invocations: [] });
    expect(await attempts({ type: 'cron', trigger_name: 'yearly', get_rows_count: true })).toEqual({
      invocations: [],
      count: 0,
    });
  });

  it.each([
    [
      'get_scheduled_events',
      { type: 'cron', trigger_name: 'none' },
      'cron trigger with name: none does not exist',
    ],
    [
      'get_scheduled_event_invocations',
      { type: 'cron', trigger_name: 'none' },
      'cron trigger with name: none does not exist',
    ],
    ['get_scheduled_events', { type: 'cron' }, 'key "trigger_name" not found'],
    ['get_scheduled_events', { type: 'one_off', status: ['odd'] }, 'unexpected status: odd'],
  ])('%s %j is refused', async (type, args, error) => {
    expect(await engine.refusal(type, args)).toMatchObject({ error });
  });

  it('cannot be ordered by what is no column', async () => {
    const order_by = [{ column: 'id; DROP TABLE author' }];
    expect(await engine.refusal('get_scheduled_events', { type: 'one_off', order_by })).toMatchObject({
      code: 'parse-failed',
    });
  });
});
