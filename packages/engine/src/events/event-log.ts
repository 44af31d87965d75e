/** What a source's event log tells: events of a trigger, and the attempts to deliver them. */
import pg, { type Pool } from 'pg';
import { z } from 'zod';
import { EngineError } from '#base/errors.ts';
import { parseExactJson } from '#values/exact-json.ts';
import { jsonTime } from './json-time.ts';

export interface Page {
  readonly limit: number;
  readonly offset: number;
}

const EVENT = `json_build_object(
  'id', id, 'schema_name', schema_name, 'table_name', table_name, 'trigger_name', trigger_name,
  'payload', payload, 'delivered', delivered, 'error', error, 'tries', tries,
  'created_at', ${jsonTime('created_at')}, 'locked', ${jsonTime("locked AT TIME ZONE 'UTC'")},
  'next_retry_at', ${jsonTime('next_retry_at')}, 'archived', archived)`;
const INVOCATION = `json_build_object(
  'id', id, 'trigger_name', trigger_name, 'event_id', event_id, 'http_status', status,
  'request', request, 'response', response, 'created_at', ${jsonTime('created_at')})`;

const OF_STATUS = {
  pending: 'AND NOT delivered AND NOT error AND NOT archived',
  processed: 'AND (delivered OR error) AND NOT archived',
  all: '',
} as const;
export type EventLogStatus = keyof typeof OF_STATUS;

const NEWEST_FIRST = 'ORDER BY created_at DESC LIMIT $2 OFFSET $3';

/** @returns JSON values, newest first; long numbers of payloads keep their digits */
export async function readEvents(
  pool: Pool,
  trigger: string,
  status: EventLogStatus,
  { limit, offset }: Page,
): Promise<unknown[]> {
  const sql = `SELECT ${EVENT}::text AS entry FROM hdb_catalog.event_log
    WHERE trigger_name = $1 ${OF_STATUS[status]} ${NEWEST_FIRST}`;
  return read(pool, sql, [trigger, limit, offset], 'unexpected error while fetching event logs: ');
}

/** @returns JSON values, newest first */
export async function readInvocations(
  pool: Pool,
  trigger: string,
  { limit, offset }: Page,
): Promise<unknown[]> {
  const sql = `SELECT ${INVOCATION}::text AS entry FROM hdb_catalog.event_invocation_logs
    WHERE trigger_name = $1 ${NEWEST_FIRST}`;
  return read(pool, sql, [trigger, limit, offset], 'unexpected error while fetching invocation logs: ');
}

/**
 * One event and the newest attempts to deliver it.
 * @throws {EngineError} `not-exists`
 */
export async function readEvent(
  pool: Pool,
  id: string,
  { limit, offset }: Page,
): Promise<{ event: unknown; invocations: unknown[] }> {
  const failing = `unexpected error while fetching event with id ${id}: `;
  const sql = `SELECT ${EVENT}::text AS entry FROM hdb_catalog.event_log WHERE id = $1`;
  const [event] = await read(pool, sql, [id], failing);
  if (event === undefined) throw new EngineError('not-exists', `event id ${id} does not exist`);
  const attempts = `SELECT ${INVOCATION}::text AS entry FROM hdb_catalog.event_invocation_logs
    WHERE event_id = $1 ${NEWEST_FIRST}`;
  return { event, invocations: await read(pool, attempts, [id, limit, offset], failing) };
}

const entries = z.array(z.object({ entry: z.string() }));
const NO_SUCH_TABLE = '42P01';

/** A source that never had an event trigger has no log, and so no events. */
async function read(
  pool: Pool,
  sql: string,
  values: readonly unknown[],
  failing: string,
): Promise<unknown[]> {
  try {
    const { rows } = await pool.query(sql, [...values]);
    return entries.parse(rows).map(({ entry }) => parseExactJson(entry));
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    if (error.code === NO_SUCH_TABLE) return [];
    throw new EngineError('unexpected', `${failing}database query error`, {
      status: 500,
      internal: { message: error.message, status_code: error.code },
      cause: error,
    });
  }
}
