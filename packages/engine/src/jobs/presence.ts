/**
 * Tells the engines on one database apart, and the living from the dead. Each holds an advisory lock for
 * as long as it lives and writes the lock's key beside every event it takes; PostgreSQL lets go of the
 * lock with the connection, so whatever a killed engine had taken is free for the others at once. Hasura
 * itself waits for thirty minutes, or for its next start.
 */
import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';

export interface Presence {
  /** This engine's key on the database, as a decimal number; announced first if need be. */
  key(): Promise<string>;
  close(): void;
}

/** A condition for `column`: taken by nobody who is still there. */
export function isAbandoned(column: string): string {
  return `(${column} IS NULL OR ${column} NOT IN (
    SELECT (classid::bigint << 32) | objid::bigint FROM pg_catalog.pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
      AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())))`;
}

/** Gives `table` the column for the taker's key; looks first, because even a needless ALTER waits for writers. */
export async function addLockedBy(pool: Pool, table: string): Promise<void> {
  const { rows } = await pool.query(
    "SELECT FROM pg_catalog.pg_attribute WHERE attrelid = $1::regclass AND attname = 'locked_by' AND NOT attisdropped",
    [table],
  );
  if (rows.length === 0) await pool.query(`ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS locked_by bigint`);
}

export function createPresence(pool: Pool): Presence {
  let holder: Promise<{ readonly release: () => void; readonly key: string }> | undefined;
  let closed = false;
  const announce = async () => {
    const client = await pool.connect();
    let released = false;
    const release = () => {
      if (!released) client.release(true);
      released = true;
    };
    // A lost connection has lost the lock: the next event is taken under a new key, the old ones are free.
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
