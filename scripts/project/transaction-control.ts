/** What ends a transaction, as PostgreSQL's parser calls it and as people write it. */
const ENDS: Readonly<Record<string, string>> = {
  TRANS_STMT_COMMIT: 'COMMIT',
  TRANS_STMT_ROLLBACK: 'ROLLBACK',
  TRANS_STMT_PREPARE: 'PREPARE TRANSACTION',
};

/**
 * Which statement of this SQL ends the transaction that it is run in: what stands before it is done, whatever
 * comes after. By PostgreSQL's own parser, which is loaded only here.
 *
 * @returns the statement and its line, such as `COMMIT in line 3`; undefined where there is none
 */
export async function findTransactionEnd(sql: string): Promise<string | undefined> {
  const { parse } = await import('libpg-query');
  // What PostgreSQL cannot read it has not begun to run.
  const { stmts = [] } = await parse(sql).catch(() => ({ stmts: [] }));
  for (const { stmt, stmt_location: from = 0 } of stmts) {
    if (stmt === undefined || !('TransactionStmt' in stmt)) continue;
    const word = ENDS[stmt.TransactionStmt.kind ?? ''];
    if (word === undefined) continue;
    // The place is told in bytes, and the statement begins behind the blanks there.
    const before = Buffer.from(sql).subarray(0, from).toString();
    const blanks = /^\s*/.exec(sql.slice(before.length))?.[0] ?? '';
    return `${word} in line ${(before + blanks).split('\n').length}`;
  }
  return undefined;
}
