/** What PostgreSQL refused, as Hasura tells it to clients. */
import { DatabaseError } from 'pg';
import { EngineError, type ErrorCode } from '#base/errors.ts';

/** Words before PostgreSQL's own, by SQLSTATE. */
const INTEGRITY: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  '23001': ['constraint-violation', 'Can not delete or update due to data being referred. '],
  '23502': ['constraint-violation', 'Not-NULL violation. '],
  '23503': ['constraint-violation', 'Foreign key violation. '],
  '23505': ['constraint-violation', 'Uniqueness violation. '],
  '23514': ['permission-error', 'Check constraint violation. '],
  '23P01': ['constraint-violation', 'Exclusion violation. '],
};

/**
 * An error of a statement that a client's request led to. Violations and bad data are told to the client;
 * everything else is `unexpected`, with PostgreSQL's words for admins only.
 *
 * @param statement the SQL text that failed, without its parameters
 * @param path where in the request, `$` for the request as a whole
 */
export function databaseError(thrown: unknown, statement: string, path = '$'): EngineError {
  if (thrown instanceof EngineError) return thrown;
  if (!(thrown instanceof DatabaseError)) {
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    return new EngineError('postgres-error', 'connection error', {
      path,
      internal: text,
      status: 500,
      cause: thrown,
    });
  }
  const expected = expectedError(thrown);
  if (expected !== undefined)
    return new EngineError(expected[0], expected[1], { path, status: 400, cause: thrown });
  const internal = {
    arguments: [],
    error: {
      description: thrown.detail ?? null,
      exec_status: 'FatalError',
      hint: thrown.hint ?? null,
      message: thrown.message,
      status_code: thrown.code ?? null,
    },
    prepared: false,
    statement,
  };
  return new EngineError('unexpected', 'database query error', { path, internal, cause: thrown });
}

function expectedError({ code = '', message }: DatabaseError): readonly [ErrorCode, string] | undefined {
  if (code.startsWith('23')) {
    const [kind, words] = INTEGRITY[code] ?? ['constraint-violation', ''];
    return [kind, `${words}${message}`];
  }
  if (code.startsWith('22')) return [code === '22025' ? 'bad-request' : 'data-exception', message];
  if (code === '42704') return ['constraint-error', message];
  if (code === '42P10')
    return ['constraint-error', 'there is no unique or exclusion constraint on target column(s)'];
  return undefined;
}

/** An error of the transaction itself (its COMMIT): a lost race is told, all else is `unexpected`. */
export function transactionError(thrown: unknown, statement: string): EngineError {
  if (thrown instanceof DatabaseError && thrown.code?.startsWith('40') === true) {
    const message =
      thrown.code === '40001' ? 'serialization failure due to concurrent update' : thrown.message;
    return new EngineError('concurrent-update', message, { status: 400, cause: thrown });
  }
  return databaseError(thrown, statement);
}
