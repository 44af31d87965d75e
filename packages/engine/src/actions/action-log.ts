/** Asynchronous calls in Hasura's own table of the metadata database. */
import type { Pool } from 'pg';
import { z } from 'zod';
import { type EngineError, toEngineError } from '#base/errors.ts';
import type { HeaderList } from '#base/headers.ts';
import { addLockedBy, isAbandoned } from '#jobs/advisory-lock-owner.ts';

const LOG = 'hdb_catalog.hdb_action_log';

const idRow = z.object({ id: z.string() });
const text = z.string().nullable();
const resultRow = z.object({ created_at: z.string(), response_payload: text, errors: text });
const variables = z.record(z.string(), z.string());
const claimedRow = z.object({
  id: z.string(),
  action_name: z.string(),
  input_payload: z.string(),
  request_headers: variables,
  session_variables: variables,
});
export type ClaimedCall = z.output<typeof claimedRow>;

export interface ActionResult {
  /** ISO 8601. */
  readonly createdAt: string;
  /** JSON text; null as long as there is none. */
  readonly output: string | null;
  readonly errors: string | null;
}

/** @returns the call's id */
export async function insertCall(
  pool: Pool,
  action: string,
  input: string,
  headers: HeaderList,
  session: Readonly<Record<string, string>>,
): Promise<string> {
  const { rows } = await pool.query(
    `INSERT INTO ${LOG} (action_name, input_payload, request_headers, session_variables, status)
     VALUES ($1, $2, $3, $4, 'created') RETURNING id`,
    [action, input, JSON.stringify(Object.fromEntries(headers)), JSON.stringify(session)],
  );
  return idRow.parse(rows[0]).id;
}

/** All calls of an action that was dropped. */
export async function deleteCalls(pool: Pool, action: string): Promise<void> {
  await pool.query(`DELETE FROM ${LOG} WHERE action_name = $1`, [action]);
}

/**
 * The result of a call; undefined where there is none of that id and action, or it is another session's.
 * @param session the caller's variables; undefined for an admin, who may see all
 */
export async function readResult(
  pool: Pool,
  action: string,
  id: string,
  session: Readonly<Record<string, string>> | undefined,
): Promise<ActionResult | undefined> {
  const { rows } = await pool.query(
    `SELECT to_json(created_at)#>>'{}' AS created_at, response_payload::text, errors::text
     FROM ${LOG} WHERE id = $1 AND action_name = $2 AND ($3::jsonb IS NULL OR session_variables = $3::jsonb)`,
    [id, action, session === undefined ? null : JSON.stringify(session)],
  );
  if (rows.length === 0) return undefined;
  const row = resultRow.parse(rows[0]);
  return { createdAt: row.created_at, output: row.response_payload, errors: row.errors };
}

export interface ActionLog {
  prepare(): Promise<void>;
  /** Locks calls that wait, and those whose engine died, for this engine. */
  claim(actions: readonly string[], key: string, limit: number): Promise<ClaimedCall[]>;
  succeed(id: string, output: string): Promise<void>;
  fail(id: string, error: unknown): Promise<void>;
  release(ids: readonly string[]): Promise<void>;
}

export function createActionLog(pool: Pool): ActionLog {
  const finish = async (id: string, column: 'response_payload' | 'errors', value: string) => {
    const status = column === 'errors' ? 'error' : 'completed';
    await pool.query(
      `UPDATE ${LOG} SET ${column} = $2, status = $3, response_received_at = now(), locked_by = NULL WHERE id = $1`,
      [id, value, status],
    );
  };
  return {
    prepare: () => addLockedBy(pool, LOG),
    async claim(actions, key, limit) {
      const { rows } = await pool.query(
        `UPDATE ${LOG} SET status = 'processing', locked_by = $1
         WHERE id IN (
           SELECT l.id FROM ${LOG} AS l
           WHERE l.action_name = ANY($2)
             AND (l.status = 'created' OR (l.status = 'processing' AND ${isAbandoned('l.locked_by')}))
           ORDER BY l.created_at LIMIT $3 FOR UPDATE SKIP LOCKED
         )
         RETURNING id, action_name, input_payload::text, request_headers, session_variables`,
        [key, actions, limit],
      );
      return z.array(claimedRow).parse(rows);
    },
    succeed: (id, output) => finish(id, 'response_payload', output),
    fail: (id, error) => finish(id, 'errors', JSON.stringify(describe(toEngineError(error)))),
    async release(ids) {
      if (ids.length === 0) return;
      await pool.query(
        `UPDATE ${LOG} SET status = 'created', locked_by = NULL WHERE id = ANY($1) AND status = 'processing'`,
        [ids],
      );
    },
  };
}

/** As the client will see it, without internal details. */
function describe(error: EngineError) {
  return { code: error.code, error: error.message, path: error.path };
}
