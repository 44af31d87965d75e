import type { Pool, PoolClient } from 'pg';

/**
 * Runs `work` in a transaction which one engine on a database at a time can be in. IF NOT EXISTS and OR
 * REPLACE alone still race where several start at once.
 *
 * @param lock what is worked on: those that name the same wait for one another
 * @throws what `work` throws; all it did is undone
 */
export async function withAdvisoryLock(
  pool: Pool,
  lock: string,
  work: (client: PoolClient) => Promise<void>,
): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [lock]);
    await work(client);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}
