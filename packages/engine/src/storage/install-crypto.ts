/** pgcrypto in a source's database: schemas of Hasura projects use `crypt`, `gen_salt` and `digest` unasked. */
import type { Pool } from 'pg';
import { ident } from '#postgres/quote.ts';

/**
 * Installs the extension where it is missing and can be had.
 *
 * @returns why it could not be installed
 * @throws where the database does not answer
 */
export async function installCrypto(pool: Pool, schema: string): Promise<string | undefined> {
  const { rows } = await pool.query(
    `SELECT 1 FROM pg_available_extensions
     WHERE name = 'pgcrypto' AND installed_version IS NULL AND NOT pg_is_in_recovery()`,
  );
  if (rows.length === 0) return undefined;
  try {
    await pool.query(`CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA ${ident(schema)}`);
    return undefined;
  } catch (error) {
    // Another engine on the same database may have been faster.
    const again = await pool.query("SELECT 1 FROM pg_extension WHERE extname = 'pgcrypto'");
    if (again.rows.length > 0) return undefined;
    return error instanceof Error ? error.message : String(error);
  }
}
