/**
 * Transactions as Hasura opens them: triggers can read the session in `hasura.user` and the trace in
 * `hasura.tracecontext`.
 */

import type { Pool, PoolClient } from 'pg';
import type { Session } from '#base/session.ts';
import { traceJson } from '#base/trace.ts';
import type { Isolation } from '#execute/sources.ts';
import { databaseError, transactionError } from '#postgres/database-error.ts';

const BEGIN: Readonly<Record<Isolation, string>> = {
  'read-committed': 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE',
  'repeatable-read': 'BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE',
  serializable: 'BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE',
};

/**
 * What the database's own triggers may read of a request until the transaction ends. Named, so that PostgreSQL
 * parses it once per connection.
 */
export function setSessionQuery({ variables, trace }: Session) {
  return {
    name: 'hasura.user',
    text: "SELECT pg_catalog.set_config('hasura.user', $1, true), pg_catalog.set_config('hasura.tracecontext', $2, true)",
    values: [JSON.stringify(variables), trace === undefined ? '' : traceJson(trace)],
  };
}

/**
 * Runs `work` on one connection; all it did is undone where it throws.
 *
 * @throws {EngineError} what `work` throws, or a failed COMMIT
 */
export async function inTransaction<Result>(
  pool: Pool,
  isolation: Isolation,
  session: Session,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const begin = BEGIN[isolation];
  const client = await pool.connect().catch((error: unknown) => {
    throw databaseError(error, begin);
  });
  let broken = false;
  try {
    await withTransactionError(client.query(begin), begin);
    await withTransactionError(client.query(setSessionQuery(session)), begin);
    const result = await work(client);
    await withTransactionError(client.query('COMMIT'), 'COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {
      broken = true;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

function withTransactionError<Result>(query: Promise<Result>, statement: string): Promise<Result> {
  return query.catch((error: unknown) => {
    throw transactionError(error, statement);
  });
}
