/** A source's event log: locking events, recording their outcomes, redelivering, inserting by hand. */
import type { Pool } from 'pg';
import { z } from 'zod';
import { EngineError } from '#base/errors.ts';
import { isAbandoned } from '#jobs/advisory-lock-owner.ts';
import type { QualifiedName } from '#metadata/types.ts';
import type { Outcome } from './delivery.ts';

const claimedEvent = z.object({
  id: z.string(),
  schema_name: z.string(),
  table_name: z.string(),
  trigger_name: z.string(),
  /** JSON text: parsing it would lose digits. */
  payload: z.string(),
  session_variables: z.record(z.string(), z.string()).nullable(),
  tries: z.number(),
  created_at: z.string(),
});
export type ClaimedEvent = z.output<typeof claimedEvent>;

export type EventState = 'delivered' | 'error' | 'again';

export interface EventStore {
  claim(triggers: readonly string[], key: string, limit: number): Promise<ClaimedEvent[]>;
  record(event: ClaimedEvent, outcome: Outcome, state: EventState, retryInSeconds: number): Promise<void>;
  release(ids: readonly string[]): Promise<void>;
}

export function createEventStore(pool: Pool): EventStore {
  return {
    async claim(triggers, key, limit) {
      const { rows } = await pool.query(
        `UPDATE hdb_catalog.event_log SET locked = now(), locked_by = $1
         WHERE id IN (
           SELECT l.id FROM hdb_catalog.event_log AS l
           WHERE NOT l.delivered AND NOT l.error AND NOT l.archived AND l.trigger_name = ANY($2)
             AND (l.next_retry_at IS NULL OR l.next_retry_at <= now())
             AND (l.locked IS NULL OR ${isAbandoned('l.locked_by')})
           ORDER BY l.locked NULLS FIRST, l.next_retry_at NULLS FIRST, l.created_at
           LIMIT $3 FOR UPDATE SKIP LOCKED
         )
         RETURNING id, schema_name, table_name, trigger_name, payload::text,
           payload->'session_variables' AS session_variables, tries, to_json(created_at)#>>'{}' AS created_at`,
        [key, triggers, limit],
      );
      const events = z.array(claimedEvent).parse(rows);
      return events.toSorted((a, b) =>
        a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0,
      );
    },
    async record(event, outcome, state, retryInSeconds) {
      await pool.query(
        `WITH log AS (
           INSERT INTO hdb_catalog.event_invocation_logs (event_id, trigger_name, status, request, response)
           VALUES ($1, $2, $3, $4, $5)
         )
         UPDATE hdb_catalog.event_log SET tries = tries + 1, locked = NULL, locked_by = NULL,
           delivered = $6 = 'delivered', error = $6 = 'error',
           next_retry_at = CASE WHEN $6 = 'again' THEN now() + make_interval(secs => $7) ELSE next_retry_at END
         WHERE id = $1`,
        [
          event.id,
          event.trigger_name,
          outcome.status ?? null,
          outcome.request,
          outcome.response,
          state,
          retryInSeconds,
        ],
      );
    },
    async release(ids) {
      if (ids.length === 0) return;
      await pool.query(
        'UPDATE hdb_catalog.event_log SET locked = NULL, locked_by = NULL WHERE id = ANY($1)',
        [ids],
      );
    },
  };
}

/** @throws {EngineError} `not-exists`, `busy` while it is being delivered */
export async function redeliver(pool: Pool, id: string): Promise<void> {
  const { rows } = await pool.query(
    `UPDATE hdb_catalog.event_log SET delivered = false, error = false, tries = 0, next_retry_at = NULL
     WHERE id = $1 AND (locked IS NULL OR ${isAbandoned('locked_by')}) RETURNING id`,
    [id],
  );
  if (rows.length > 0) return;
  const known = await pool.query('SELECT FROM hdb_catalog.event_log WHERE id = $1', [id]);
  if (known.rows.length === 0) throw new EngineError('not-exists', 'event not found');
  throw new EngineError('busy', 'event is already being processed', { status: 400 });
}

/** @returns the new event's id */
export async function insertManualEvent(
  pool: Pool,
  table: QualifiedName,
  trigger: string,
  payload: unknown,
  session: Readonly<Record<string, string>>,
): Promise<string> {
  const { rows } = await pool.query(
    `WITH session AS MATERIALIZED (SELECT set_config('hasura.user', $5, true) AS variables)
     SELECT hdb_catalog.insert_event_log($1, $2, $3, 'MANUAL', $4::json) AS id
     FROM session WHERE variables IS NOT NULL`,
    [table.schema, table.name, trigger, JSON.stringify({ old: null, new: payload }), JSON.stringify(session)],
  );
  return z.object({ id: z.string() }).parse(rows[0]).id;
}
