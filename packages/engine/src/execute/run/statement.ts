/** Runs a query's statement. */
import type { Pool } from 'pg';
import { EngineError } from '#base/errors.ts';
import { databaseError } from '#postgres/database-error.ts';
import { statementName } from '#postgres/statement-name.ts';

/** JSON text stays text: it goes to the client as PostgreSQL wrote it. */
const AS_TEXT = { getTypeParser: () => String };

/** PostgreSQL's protocol counts them in 16 bits. */
const MAX_VALUES = 65_535;

/**
 * @returns rows as arrays of text
 * @throws {EngineError} what PostgreSQL refused, as Hasura tells it
 */
export async function runStatement(
  pool: Pool,
  text: string,
  values: readonly (string | null)[],
): Promise<(string | null)[][]> {
  if (values.length > MAX_VALUES)
    throw new EngineError('validation-failed', `more than ${MAX_VALUES} values; send fewer at a time`);
  try {
    const result = await pool.query<(string | null)[]>({
      name: statementName(text),
      text,
      values: [...values],
      rowMode: 'array',
      types: AS_TEXT,
    });
    return result.rows;
  } catch (error) {
    throw databaseError(error, text);
  }
}
