import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { insertManualEvent, redeliver } from '#events/event-store.ts';
import { all, delivered, eventOf, metadataWith, trigger, useAuthorEvents } from '../support/author-events.ts';

const NEVER = new Promise<never>(() => {});
const events = useAuthorEvents();

describe('an event trigger', () => {
  it('sends inserted, changed and deleted rows, as Hasura sends them', async () => {
    const target = await events.receiver();
    await events.engine().apply(trigger(target.url, { insert: all, update: all, delete: all }));
    await events.database.query(`INSERT INTO author (id, name, "Odd ""name""") VALUES (1, 'Ann', '{"a":1}')`);
    await target.waitFor(1);
    await events.database.query("UPDATE author SET name = 'Bea'");
    await target.waitFor(2);
    await events.database.query('DELETE FROM author');
    const requests = await target.waitFor(3);
    const row = (name: string) => ({ id: 1, name, 'Odd "name"': { a: 1 }, tags: null, spot: null });
    expect(requests.map(eventOf)).toMatchObject([
      { op: 'INSERT', data: { old: null, new: row('Ann') } },
      { op: 'UPDATE', data: { old: row('Ann'), new: row('Bea') } },
      { op: 'DELETE', data: { old: row('Bea'), new: null } },
    ]);
    expect(delivered.parse(requests[0]?.body)).toMatchObject({
      table: { schema: 'public', name: 'author' },
      trigger: { name: 'watch' },
      delivery_info: { current_retry: 0, max_retries: 0 },
      event: { session_variables: null, trace_context: null },
    });
    expect(await events.settled()).toHaveLength(3);
  });

  it('carries the session variables of the transaction', async () => {
    const target = await events.receiver();
    await events.engine().apply(trigger(target.url, { insert: all }));
    const client = await events.pool.connect();
    await client.query('BEGIN');
    await client.query(
      `SELECT set_config('hasura.user', '{"x-hasura-role":"user","x-hasura-user-id":"7"}', true)`,
    );
    await client.query('INSERT INTO author (id) VALUES (1)');
    await client.query('COMMIT');
    // The same connection outside of a session: what was set must not linger.
    await client.query('INSERT INTO author (id) VALUES (2)');
    client.release();
    const [first, second] = (await target.waitFor(2))
      .map(eventOf)
      .toSorted((a) => (a.session_variables === null ? 1 : -1));
    expect(first?.session_variables).toEqual({ 'x-hasura-role': 'user', 'x-hasura-user-id': '7' });
    expect(second?.session_variables).toBeNull();
  });

  it('writes nothing when the transaction is rolled back', async () => {
    const target = await events.receiver();
    await events.engine().apply(trigger(target.url, { insert: all }));
    await events.database.query('BEGIN; INSERT INTO author (id) VALUES (1); ROLLBACK');
    await events.database.query('INSERT INTO author (id) VALUES (2)');
    await events.settled();
    expect(target.received.map((request) => eventOf(request).data.new)).toMatchObject([{ id: 2 }]);
  });

  it('fires for an update only when a listened column changes, and sends only the chosen columns', async () => {
    const target = await events.receiver();
    await events
      .engine()
      .apply(
        trigger(target.url, { update: { columns: ['name', 'Odd "name"', 'spot'], payload: ['id', 'name'] } }),
      );
    await events.database.query(`INSERT INTO author VALUES (1, 'Ann', '{"a":1}', '{x}', '(1,2)')`);
    await events.database.query("UPDATE author SET tags = '{y}'");
    await events.database.query("UPDATE author SET name = 'Ann', spot = '(1,2)'");
    await events.database.query("UPDATE author SET spot = '(2,2)'");
    await events.settled();
    expect(target.received.map(eventOf)).toMatchObject([
      { op: 'UPDATE', data: { old: { id: 1, name: 'Ann' }, new: { id: 1, name: 'Ann' } } },
    ]);
    expect(
      Object.keys(z.object({ new: z.object({}).loose() }).parse(eventOf(target.received[0]).data).new),
    ).toEqual(['id', 'name']);
  });

  it('keeps every digit of a number, and writes big ones as strings where the engine is told to', async () => {
    const target = await events.receiver();
    await events.engine().apply(trigger(target.url, { insert: all }));
    await events.database.query('INSERT INTO author (id) VALUES (9007199254740993)');
    await target.waitFor(1);
    expect(target.received[0]?.text).toMatch(/"id": ?9007199254740993/);
    await events
      .engine({ HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES: 'true' })
      .apply(trigger(target.url, { insert: all }));
    await events.database.query('INSERT INTO author (id) VALUES (9007199254740995)');
    await target.waitFor(2);
    expect(eventOf(target.received[1]).data.new).toMatchObject({ id: '9007199254740995' });
  });

  it('sends its headers, from the environment too, to a webhook named by a variable', async () => {
    const target = await events.receiver();
    await events.engine({ TARGET: target.url, SECRET: 'hush' }).apply({
      ...trigger('', { insert: all }),
      webhook: null,
      webhook_from_env: 'TARGET',
      headers: [{ name: 'x-secret', value_from_env: 'SECRET' }],
    });
    await events.database.query('INSERT INTO author (id) VALUES (1)');
    const [request] = await target.waitFor(1);
    expect(request?.headers['x-secret']).toBe('hush');
    await events.settled();
    const logs = await events.database.query(
      'SELECT status, request, response FROM hdb_catalog.event_invocation_logs',
    );
    expect(logs).toMatchObject([{ status: 200 }]);
    expect(JSON.stringify(logs)).not.toContain('hush');
  });

  it('is retried as often as its settings say, then marked as an error, and can be redelivered', async () => {
    const target = await events.receiver((_, index) => ({ status: index < 3 ? 500 : 200 }));
    await events
      .engine()
      .apply(trigger(target.url, { insert: all }, { retry_conf: { num_retries: 2, interval_sec: 0 } }));
    await events.database.query('INSERT INTO author (id) VALUES (1)');
    expect(await events.settled()).toEqual([{ delivered: false, error: true, tries: 3 }]);
    expect(
      target.received.map((request) => delivered.parse(request.body).delivery_info.current_retry),
    ).toEqual([0, 1, 2]);
    await redeliver(events.pool, delivered.parse(target.received[0]?.body).id);
    await target.waitFor(4);
    expect(await events.settled()).toEqual([{ delivered: true, error: false, tries: 1 }]);
    await expect(redeliver(events.pool, 'unknown')).rejects.toThrow('event not found');
  });

  it('honours Retry-After even when no tries are left', async () => {
    const target = await events.receiver((_, index) =>
      index === 0 ? { status: 429, headers: { 'retry-after': '1' } } : {},
    );
    await events.engine().apply(trigger(target.url, { insert: all }));
    await events.database.query('INSERT INTO author (id) VALUES (1)');
    expect(await events.settled()).toEqual([{ delivered: true, error: false, tries: 2 }]);
  });

  it('counts a webhook that does not answer in time, or is not there, as failed', async () => {
    const target = await events.receiver(() => NEVER);
    await events
      .engine()
      .apply(
        trigger(
          target.url,
          { insert: all },
          { retry_conf: { num_retries: 0, interval_sec: 0, timeout_sec: 1 } },
        ),
        { ...trigger('http://127.0.0.1:9', { insert: all }), name: 'gone' },
      );
    await events.database.query('INSERT INTO author (id) VALUES (1)');
    expect(await events.settled()).toEqual([
      { delivered: false, error: true, tries: 1 },
      { delivered: false, error: true, tries: 1 },
    ]);
  });

  it('can be invoked by hand', async () => {
    const target = await events.receiver();
    await events.engine().apply(trigger(target.url, { enable_manual: true }));
    const session = { 'x-hasura-role': 'admin' };
    const id = await insertManualEvent(
      events.pool,
      { schema: 'public', name: 'author' },
      'watch',
      { id: 5 },
      session,
    );
    const [request] = await target.waitFor(1);
    expect(delivered.parse(request?.body)).toMatchObject({
      id,
      event: { op: 'MANUAL', data: { old: null, new: { id: 5 } }, session_variables: session },
    });
  });
});

describe('the triggers in the database', () => {
  const functions = () =>
    events.database.query(
      "SELECT proname, oid::text FROM pg_proc WHERE starts_with(proname, 'notify_hasura_') ORDER BY 1",
    );

  it('are left as they are when nothing about them changed', async () => {
    await events.engine().apply(trigger('http://127.0.0.1:9', { insert: all, delete: all }));
    const before = await functions();
    await events.engine().apply(trigger('http://127.0.0.1:10', { insert: all, delete: all }));
    expect(await functions()).toEqual(before);
    expect(before).toHaveLength(2);
  });

  it('follow the metadata: an operation taken away, a column added, the trigger deleted', async () => {
    const target = await events.receiver();
    const made = events.engine();
    await made.apply(trigger(target.url, { insert: all, delete: all }));
    await made.apply(trigger(target.url, { insert: all }));
    expect(await functions()).toMatchObject([{ proname: 'notify_hasura_watch_INSERT' }]);
    await events.database.query('ALTER TABLE author ADD COLUMN mood text');
    await made.apply(trigger(target.url, { insert: all }));
    await events.database.query("INSERT INTO author (id, mood) VALUES (1, 'fine')");
    await target.waitFor(1);
    expect(eventOf(target.received[0]).data.new).toMatchObject({ mood: 'fine' });
    await made.apply();
    expect(await functions()).toEqual([]);
    expect(await events.database.query('SELECT archived FROM hdb_catalog.event_log')).toEqual([
      { archived: true },
    ]);
  });

  it('are not touched where they belong to an engine with other metadata', async () => {
    await events.engine().apply({ ...trigger('http://127.0.0.1:9', { insert: all }), name: 'theirs' });
    const other = events.engine();
    await other.apply(trigger('http://127.0.0.1:9', { insert: all }));
    await other.apply();
    expect(await functions()).toMatchObject([{ proname: 'notify_hasura_theirs_INSERT' }]);
  });

  it('hold hostile names without harm', async () => {
    const hostile = `x'); DROP TABLE author; --"\\`;
    await events.database.query(
      `CREATE TABLE ${pg.escapeIdentifier(hostile)} (${pg.escapeIdentifier(hostile)} text)`,
    );
    const target = await events.receiver();
    const base = metadataWith();
    await events.engine().applyMetadata({
      ...base,
      sources: base.sources.map((source) => ({
        ...source,
        tables: [
          {
            table: { schema: 'public', name: hostile },
            event_triggers: [trigger(target.url, { insert: all, update: { columns: [hostile] } })],
          },
        ],
      })),
    });
    await events.database.query(`INSERT INTO ${pg.escapeIdentifier(hostile)} VALUES ($1)`, [hostile]);
    const [request] = await target.waitFor(1);
    expect(delivered.parse(request?.body)).toMatchObject({
      table: { name: hostile },
      event: { data: { new: { [hostile]: hostile } } },
    });
  });
});

describe('an event trigger with transformations', () => {
  const retry_conf = { num_retries: 1, interval_sec: 0 };
  const template = (body: string) => ({
    version: 2,
    template_engine: 'Kriti',
    body: { action: 'transform', template: body },
  });

  it('sends the request that its template makes', async () => {
    const target = await events.receiver();
    const request_transform = { ...template('{"who": {{ $body.event.data.new.name }}}'), method: 'PUT' };
    await events.engine().apply(trigger(target.url, { insert: all }, { request_transform }));
    await events.database.query("INSERT INTO author (id, name) VALUES (1, 'Ann')");
    const [request] = await target.waitFor(1);
    expect(request).toMatchObject({ method: 'PUT', body: { who: 'Ann' } });
  });

  it('gives up at once where no request can be made, and tries again where the answer does not fit', async () => {
    const target = await events.receiver();
    const made = events.engine();
    await made.apply(
      trigger(target.url, { insert: all }, { retry_conf, request_transform: template('{{ $body.no }}') }),
    );
    await events.database.query('INSERT INTO author (id) VALUES (1)');
    expect(await events.settled()).toEqual([{ delivered: false, error: true, tries: 1 }]);
    expect(target.received).toEqual([]);
    await events.database.query('DELETE FROM hdb_catalog.event_log');
    await made.apply(
      trigger(target.url, { insert: all }, { retry_conf, response_transform: template('{{ $body.no }}') }),
    );
    await events.database.query('INSERT INTO author (id) VALUES (2)');
    expect(await events.settled()).toEqual([{ delivered: false, error: true, tries: 2 }]);
    expect(target.received).toHaveLength(2);
  });
});
