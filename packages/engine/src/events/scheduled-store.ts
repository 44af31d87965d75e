/**
 * Scheduled events in Hasura's own tables of the metadata database: those of cron triggers, and one-off ones. Each
 * statement leaves the tables consistent if it is the last.
 */
import type { Pool } from 'pg';
import { z } from 'zod';
import { addLockedBy, isAbandoned } from '#jobs/advisory-lock-owner.ts';
import { withAdvisoryLock } from '#postgres/advisory-lock.ts';
import type { Outcome } from './delivery.ts';
import { jsonTime } from './json-time.ts';

const TABLES = {
  cron: { events: 'hdb_catalog.hdb_cron_events', logs: 'hdb_catalog.hdb_cron_event_invocation_logs' },
  oneOff: {
    events: 'hdb_catalog.hdb_scheduled_events',
    logs: 'hdb_catalog.hdb_scheduled_event_invocation_logs',
  },
} as const;
export type ScheduledKind = keyof typeof TABLES;

/** How many events of a trigger are inserted ahead, as in Hasura. */
const EVENTS_AHEAD = 100;
const BATCH = 100;

const cronEvent = z.object({
  id: z.string(),
  trigger_name: z.string(),
  /** As Hasura writes it in JSON. */
  scheduled_time: z.string(),
  tries: z.number(),
  late_seconds: z.coerce.number(),
});
export type CronEvent = z.output<typeof cronEvent>;

const oneOffEvent = z.object({
  id: z.string(),
  scheduled_time: z.string(),
  tries: z.number(),
  late_seconds: z.coerce.number(),
  webhook_conf: z.unknown(),
  header_conf: z.unknown(),
  retry_conf: z.unknown(),
  payload: z.unknown(),
  comment: z.string().nullable(),
  created_at: z.string().nullable(),
});
export type OneOffEvent = z.output<typeof oneOffEvent>;

export type ScheduledState = 'delivered' | 'error' | 'dead' | 'scheduled';

export interface TriggerSchedule {
  readonly trigger: string;
  readonly next: (from: Date, count: number) => Date[];
}

export interface ScheduledStore {
  prepare(): Promise<void>;
  /** Inserts each trigger's next events; with `replace`, also deletes those that its schedule no longer has. */
  plan(triggers: readonly TriggerSchedule[], replace: boolean): Promise<void>;
  claimCronEvents(triggers: readonly string[], key: string): Promise<CronEvent[]>;
  claimOneOffEvents(key: string): Promise<OneOffEvent[]>;
  /** Milliseconds until something is due; undefined: nothing is planned. */
  untilNext(): Promise<number | undefined>;
  record(
    kind: ScheduledKind,
    id: string,
    outcome: Outcome,
    state: ScheduledState,
    retryInSeconds: number,
  ): Promise<void>;
  setState(kind: ScheduledKind, id: string, state: ScheduledState): Promise<void>;
  /** Unlocks what was not finished. */
  release(kind: ScheduledKind, ids: readonly string[]): Promise<void>;
}

export function createScheduledStore(pool: Pool): ScheduledStore {
  return {
    async prepare() {
      for (const { events } of Object.values(TABLES)) await addLockedBy(pool, events);
    },
    plan: (triggers, replace) => plan(pool, triggers, replace),
    async claimCronEvents(triggers, key) {
      const { rows } = await pool.query(
        `${take('cron', 'e.trigger_name = ANY($2)')} RETURNING id, trigger_name, ${SCHEDULED_TIME}, tries, ${LATE}`,
        [key, triggers],
      );
      return z.array(cronEvent).parse(rows);
    },
    async claimOneOffEvents(key) {
      const { rows } = await pool.query(
        `${take('oneOff', 'true')} RETURNING id, ${SCHEDULED_TIME}, tries, ${LATE},
           webhook_conf, header_conf, retry_conf, payload, comment,
           ${jsonTime("created_at AT TIME ZONE 'UTC'")} AS created_at`,
        [key],
      );
      return z.array(oneOffEvent).parse(rows);
    },
    async untilNext() {
      const due = Object.values(TABLES).map(
        ({ events }) =>
          `SELECT min(coalesce(next_retry_at, scheduled_time)) AS due FROM ${events} WHERE status = 'scheduled'`,
      );
      const { rows } = await pool.query(
        `SELECT extract(epoch FROM min(due) - clock_timestamp()) * 1000 AS ms FROM (${due.join(' UNION ALL ')}) AS next`,
      );
      const ms = z.object({ ms: z.coerce.number().nullable() }).parse(rows[0]).ms;
      return ms ?? undefined;
    },
    async record(kind, id, outcome, state, retryInSeconds) {
      const { events, logs } = TABLES[kind];
      await pool.query(
        `WITH log AS (
           INSERT INTO ${logs} (event_id, status, request, response)
           SELECT id, $2, $3, $4 FROM ${events} WHERE id = $1
         )
         UPDATE ${events} SET tries = tries + 1, status = $5, locked_by = NULL,
           next_retry_at = CASE WHEN $5 = 'scheduled' THEN now() + make_interval(secs => $6) ELSE next_retry_at END
         WHERE id = $1`,
        [id, outcome.status ?? null, outcome.request, outcome.response, state, retryInSeconds],
      );
    },
    async setState(kind, id, state) {
      await pool.query(`UPDATE ${TABLES[kind].events} SET status = $2, locked_by = NULL WHERE id = $1`, [
        id,
        state,
      ]);
    },
    async release(kind, ids) {
      if (ids.length === 0) return;
      await pool.query(
        `UPDATE ${TABLES[kind].events} SET status = 'scheduled', locked_by = NULL WHERE id = ANY($1) AND status = 'locked'`,
        [ids],
      );
    },
  };
}

export interface OneOffEventSettings {
  /** A template, with `{{VARIABLE}}`. */
  readonly webhook: string;
  /** ISO 8601. */
  readonly scheduleAt: string;
  readonly payload?: unknown;
  readonly headers: readonly unknown[];
  readonly retryConf?: unknown;
  readonly comment?: string | undefined;
}

/** @returns the new event's id */
export async function createOneOffEvent(pool: Pool, settings: OneOffEventSettings): Promise<string> {
  const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value));
  const { rows } = await pool.query(
    `INSERT INTO ${TABLES.oneOff.events} (webhook_conf, scheduled_time, payload, header_conf, retry_conf, comment)
     VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
    [
      json(settings.webhook),
      settings.scheduleAt,
      json(settings.payload),
      json(settings.headers),
      json(settings.retryConf),
      settings.comment ?? null,
    ],
  );
  return z.object({ id: z.string() }).parse(rows[0]).id;
}

export async function deleteScheduled(pool: Pool, kind: ScheduledKind, id: string): Promise<void> {
  await pool.query(`DELETE FROM ${TABLES[kind].events} WHERE id = $1`, [id]);
}

const SCHEDULED_TIME = `${jsonTime("scheduled_time AT TIME ZONE 'UTC'")} AS scheduled_time`;
const LATE = 'extract(epoch FROM now() - scheduled_time) AS late_seconds';

/** $1 is the owner's key. */
function take(kind: ScheduledKind, condition: string): string {
  const { events } = TABLES[kind];
  return `UPDATE ${events} SET status = 'locked', locked_by = $1
    WHERE id IN (
      SELECT e.id FROM ${events} AS e
      WHERE ${condition} AND (
        (e.status = 'scheduled' AND coalesce(e.next_retry_at, e.scheduled_time) <= now())
        OR (e.status = 'locked' AND ${isAbandoned('e.locked_by')})
      )
      ORDER BY e.scheduled_time LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
    )`;
}

async function plan(pool: Pool, triggers: readonly TriggerSchedule[], replace: boolean): Promise<void> {
  // An event inserted twice would be delivered twice.
  await withAdvisoryLock(pool, 'hdb_catalog.hdb_cron_events', async (client) => {
    const { rows } = await client.query('SELECT now() AS now');
    const { now } = z.object({ now: z.date() }).parse(rows[0]);
    const names: string[] = [];
    const times: Date[] = [];
    for (const { trigger, next } of triggers) {
      for (const time of next(now, EVENTS_AHEAD)) {
        names.push(trigger);
        times.push(time);
      }
    }
    const wanted = 'SELECT * FROM unnest($1::text[], $2::timestamptz[]) AS t (trigger_name, scheduled_time)';
    if (replace) {
      await client.query(
        `DELETE FROM hdb_catalog.hdb_cron_events AS e
         WHERE e.status = 'scheduled' AND e.tries = 0 AND e.scheduled_time > now()
           AND (e.trigger_name, e.scheduled_time) NOT IN (${wanted})`,
        [names, times],
      );
    }
    await client.query(
      `INSERT INTO hdb_catalog.hdb_cron_events (trigger_name, scheduled_time)
       SELECT w.trigger_name, w.scheduled_time FROM (${wanted}) AS w
       WHERE NOT EXISTS (
         SELECT FROM hdb_catalog.hdb_cron_events AS e
         WHERE e.trigger_name = w.trigger_name AND e.scheduled_time = w.scheduled_time)
       ON CONFLICT DO NOTHING`,
      [names, times],
    );
  });
}
