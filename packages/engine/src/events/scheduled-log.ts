/** What the tables of scheduled events tell: events to come and past ones, and the attempts to deliver them. */
import type { Pool } from 'pg';
import { z } from 'zod';
import { retryConf } from '#metadata/types.ts';
import { ident } from '#postgres/quote.ts';
import { parseExactJson } from '#values/exact-json.ts';
import { jsonTime } from './json-time.ts';

/** Events of one cron trigger, or one-off ones. */
export type ScheduledOrigin = { readonly cron: string } | 'one_off';

export interface ScheduledPage {
  readonly limit: number | undefined;
  readonly offset: number | undefined;
  /** Whether to count all, beyond the page. */
  readonly count: boolean;
}

export interface ScheduledOrder {
  readonly column: string;
  readonly direction: 'asc' | 'desc' | undefined;
  readonly nulls: 'first' | 'last' | undefined;
}

export interface ScheduledRows {
  /** JSON values. */
  readonly rows: unknown[];
  readonly count: number | undefined;
}

const utc = (column: string) => jsonTime(`e.${column} AT TIME ZONE 'UTC'`);
const TIMES = `'scheduled_time', ${utc('scheduled_time')}, 'created_at', ${utc('created_at')},
  'next_retry_at', ${utc('next_retry_at')}, 'status', e.status, 'tries', e.tries, 'id', e.id`;
const TICK = `json_build_object(${TIMES}, 'trigger_name', e.trigger_name)`;
const DEFAULT_RETRIES = JSON.stringify(retryConf.parse({}));
const ONCE = `json_build_object(${TIMES}, 'webhook_conf', e.webhook_conf, 'payload', e.payload,
  'header_conf', coalesce(e.header_conf, '[]'), 'retry_conf', coalesce(e.retry_conf, '${DEFAULT_RETRIES}'), 'comment', e.comment,
  'request_transform', null, 'response_transform', null)`;
const INVOCATION = `json_build_object('id', e.id, 'event_id', e.event_id, 'status', e.status,
  'request', e.request, 'response', e.response, 'created_at', ${utc('created_at')})`;

/** What events of both kinds can be ordered by. */
export const SCHEDULED_COLUMNS = [
  'id',
  'scheduled_time',
  'status',
  'tries',
  'created_at',
  'next_retry_at',
] as const;

/** @param statuses none: any */
export async function readScheduledEvents(
  pool: Pool,
  origin: ScheduledOrigin,
  statuses: readonly string[],
  order: readonly ScheduledOrder[],
  page: ScheduledPage,
): Promise<ScheduledRows> {
  const keys = order.map(
    ({ column, direction, nulls }) =>
      `e.${ident(column)} ${direction ?? 'asc'}${nulls === undefined ? '' : ` NULLS ${nulls}`}`,
  );
  const cron = origin === 'one_off' ? undefined : origin.cron;
  return readPage(
    pool,
    {
      entry: cron === undefined ? ONCE : TICK,
      from: `hdb_catalog.${cron === undefined ? 'hdb_scheduled_events' : 'hdb_cron_events'} AS e
        WHERE (cardinality($1::text[]) = 0 OR e.status = ANY($1))
          ${cron === undefined ? '' : 'AND e.trigger_name = $2'}`,
      order: keys.length === 0 ? 'e.scheduled_time asc' : keys.join(', '),
      values: [statuses, ...(cron === undefined ? [] : [cron])],
    },
    page,
  );
}

/** @param of one event by its id, or all of an origin */
export async function readScheduledInvocations(
  pool: Pool,
  of: { readonly event: string; readonly type: 'cron' | 'one_off' } | ScheduledOrigin,
  page: ScheduledPage,
): Promise<ScheduledRows> {
  const order = 'e.created_at desc';
  const cronLogs = 'hdb_catalog.hdb_cron_event_invocation_logs AS e';
  const onceLogs = 'hdb_catalog.hdb_scheduled_event_invocation_logs AS e';
  if (of === 'one_off') return readPage(pool, { entry: INVOCATION, from: onceLogs, order, values: [] }, page);
  if ('cron' in of) {
    const from = `${cronLogs} JOIN hdb_catalog.hdb_cron_events AS o ON o.id = e.event_id
      WHERE o.trigger_name = $1`;
    return readPage(pool, { entry: INVOCATION, from, order, values: [of.cron] }, page);
  }
  const from = `${of.type === 'cron' ? cronLogs : onceLogs} WHERE e.event_id = $1`;
  return readPage(pool, { entry: INVOCATION, from, order, values: [of.event] }, page);
}

interface Listing {
  readonly entry: string;
  readonly from: string;
  readonly order: string;
  readonly values: readonly unknown[];
}

const entries = z.array(z.object({ entry: z.string() }));
const total = z.object({ count: z.coerce.number() });

async function readPage(
  pool: Pool,
  { entry, from, order, values }: Listing,
  { limit, offset, count }: ScheduledPage,
): Promise<ScheduledRows> {
  const at = values.length;
  const { rows } = await pool.query(
    `SELECT ${entry}::text AS entry FROM ${from} ORDER BY ${order} LIMIT $${at + 1} OFFSET $${at + 2}`,
    [...values, limit ?? null, offset ?? null],
  );
  const counted = count ? await pool.query(`SELECT count(*) AS count FROM ${from}`, [...values]) : undefined;
  return {
    rows: entries.parse(rows).map(({ entry: text }) => parseExactJson(text)),
    count: counted === undefined ? undefined : total.parse(counted.rows[0]).count,
  };
}
