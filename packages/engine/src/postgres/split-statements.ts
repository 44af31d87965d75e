/**
 * One text of several statements as one text each, for what PostgreSQL refuses within a transaction: it runs
 * all statements of one text in one. Comments are dropped; quotes and dollar quotes are kept whole.
 *
 * @example
 * splitStatements("SELECT ';'; -- one\nVACUUM") // ["SELECT ';'", 'VACUUM']
 */
export function splitStatements(sql: string): readonly string[] {
  const statements: string[] = [];
  let current = '';
  for (const [token] of sql.matchAll(TOKEN)) {
    if (token === ';') {
      statements.push(current);
      current = '';
    } else if (!token.startsWith('--') && !token.startsWith('/*')) {
      current += token;
    } else if (token.startsWith('/*')) {
      current += ' ';
    }
  }
  return [...statements, current].map((one) => one.trim()).filter((one) => one !== '');
}

/** A comment, a string, a quoted name, a dollar quote (each to its end or that of the text), or one character. */
const TOKEN =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']+|'')*(?:'|$)|"(?:[^"]+|"")*(?:"|$)|\$([A-Za-z_][A-Za-z0-9_]*|)\$[\s\S]*?(?:\$\1\$|$)|[\s\S]/g;
