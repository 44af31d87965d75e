import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { all, delivered, metadataWith, trigger, useAuthorEvents } from '../support/author-events.ts';
import { until } from '../support/until.ts';

const NEVER = new Promise<never>(() => {});
const events = useAuthorEvents();

describe('several engines on one database', () => {
  it('deliver each event once', async () => {
    const target = await events.receiver();
    const settings = trigger(target.url, { insert: all });
    await Promise.all([
      events.engine().apply(settings),
      events.engine().apply(settings),
      events.engine().apply(settings),
    ]);
    await events.database.query('INSERT INTO author (id) SELECT generate_series(1, 300)');
    await events.settled();
    const ids = target.received.map((request) => delivered.parse(request.body).id);
    expect(ids).toHaveLength(300);
    expect(new Set(ids).size).toBe(300);
  });

  it('take over at once what a killed one had in hand', async () => {
    const target = await events.receiver((_, index) => (index === 0 ? NEVER : {}));
    const settings = trigger(target.url, { insert: all });
    const child = spawn(
      process.execPath,
      [
        join(import.meta.dirname, 'event-process.ts'),
        events.database.url,
        JSON.stringify(metadataWith(settings)),
      ],
      { stdio: 'inherit' },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    await until(async () => {
      const [row] = await events.database.query(
        "SELECT count(*)::int AS n FROM pg_trigger WHERE tgname = 'notify_hasura_watch_INSERT'",
      );
      return row?.n === 1 ? true : undefined;
    });
    await events.database.query('INSERT INTO author (id) VALUES (1)');
    await target.waitFor(1);
    await events.engine().apply(settings);
    child.kill('SIGKILL');
    const requests = await target.waitFor(2);
    expect(requests[1]?.text).toBe(requests[0]?.text);
    expect(await events.settled()).toEqual([{ delivered: true, error: false, tries: 1 }]);
  });

  it('give back what they could not finish when they are closed', async () => {
    const target = await events.receiver(() => NEVER);
    const made = events.engine();
    await made.apply(trigger(target.url, { insert: all }));
    await events.database.query('INSERT INTO author (id) VALUES (1)');
    await target.waitFor(1);
    await made.close(0);
    expect(await events.database.query('SELECT tries, locked, delivered FROM hdb_catalog.event_log')).toEqual(
      [{ tries: 0, locked: null, delivered: false }],
    );
  });
});
