/**
 * Tells engines on one database apart, and running ones from stopped ones. Each holds an advisory lock while it runs
 * and writes the lock's key beside every event it locks. PostgreSQL releases the lock with the connection, so what a
 * killed engine had locked is free for the others at once. (Hasura waits for thirty minutes, or for its next start.)
 */
import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';

export interface AdvisoryLockOwner {
  /** This engine's key on the database, as a decimal number; the lock is taken first if need be. */
  key(): Promise<string>;
  close(): void;
}

/** A condition on `column`: locked by no engine that is still running. */
export function isAbandoned(column: string): string {
  return `(${column} IS NULL OR ${column} NOT IN (
    SELECT (classid::bigint << 32) | objid::bigint FROM pg_catalog.pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
      AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())))`;
}

/** Adds the column for the owner's key to `table`. Looks first: even an ALTER that changes nothing waits for writers. */
export async function addLockedBy(pool: Pool, table: string): Promise<void> {
  const { rows } = await pool.query(
    "SELECT FROM pg_catalog.pg_attribute WHERE attrelid = $1::regclass AND attname = 'locked_by' AND NOT attisdropped",
    [table],
  );
  if (rows.length === 0) await pool.query(`ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS locked_by bigint`);
}

export function createAdvisoryLockOwner(pool: Pool): AdvisoryLockOwner {
  let holder: Promise<{ readonly release: () => void; readonly key: string }> | undefined;
  let closed = false;
  const announce = async () => {
    const client = await pool.connect();
    let released = false;
    const release = () => {
      if (!released) client.release(true);
      released = true;
    };
    // A lost connection has lost the lock: the next event is locked under a new key, the old ones are free.
    client.on('error', () => {
      holder = undefined;
      release();
    });
    const key = (randomBytes(8).readBigUInt64BE() >> 2n).toString();
    await client.query('SELECT pg_advisory_lock($1)', [key]).catch((error: unknown) => {
      release();
      throw error;
    });
    // Not back into the pool: the lock is the connection's.
    return { release, key };
  };
  return {
    async key() {
      if (closed) throw new Error('the engine is closing');
      holder ??= announce();
      try {
        return (await holder).key;
      } catch (error) {
        holder = undefined;
        throw error;
      }
    },
    close() {
      closed = true;
      holder?.then(({ release }) => release()).catch(() => {});
      holder = undefined;
    },
  };
}
