/**
 * One text of several statements as one text each, for what PostgreSQL refuses within a transaction: it runs
 * all statements of one text in one. Comments are dropped; all else is kept as it was written.
 *
 * @example
 * splitStatements("SELECT ';'; -- one\nVACUUM") // ["SELECT ';'", 'VACUUM']
 */
export function splitStatements(sql: string): readonly string[] {
  const statements: string[] = [];
  let current = createStatement();
  for (const token of tokensOf(sql)) {
    if (token === ';' && current.canEnd) {
      statements.push(current.text);
      current = createStatement();
    } else {
      current.add(token);
    }
  }
  return [...statements, current.text].map((one) => one.trim()).filter((one) => one !== '');
}

/**
 * Semicolons end no statement between parentheses (`CREATE RULE … DO (…; …)`), nor in the body of a routine that is
 * written in SQL (`BEGIN ATOMIC …; END`): where that ends is told by counting words, as psql does.
 */
function createStatement() {
  const first: string[] = [];
  let text = '';
  let parentheses = 0;
  let blocks = 0;
  const isRoutine = () => /^create (or replace )?(function|procedure)\b/.test(first.join(' '));
  return {
    get text() {
      return text;
    },
    get canEnd() {
      return parentheses === 0 && blocks === 0;
    },
    add(token: string) {
      text += token;
      if (token === '(') parentheses += 1;
      else if (token === ')') parentheses = Math.max(0, parentheses - 1);
      if (!WORD.test(token)) return;
      const word = token.toLowerCase();
      if (first.length < 4) first.push(word);
      if (!isRoutine()) return;
      if (word === 'begin' || (word === 'case' && blocks > 0)) blocks += 1;
      else if (word === 'end' && blocks > 0) blocks -= 1;
    },
  };
}

const WORD = /^[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*$/;

/**
 * A string with escapes, a word (which may hold dollars), a string, a quoted name, a dollar quote (each to its end or
 * that of the text), or one character.
 */
const TOKEN =
  /[eE]'(?:[^'\\]+|\\[\s\S]|'')*(?:'|\\?$)|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|'(?:[^']+|'')*(?:'|$)|"(?:[^"]+|"")*(?:"|$)|\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*|)\$[\s\S]*?(?:\$\1\$|$)|[\s\S]/y;
const COMMENT = /--[^\n\r]*/y;
const COMMENT_MARK = /\/\*|\*\//g;

/** Comments within lines become a space. */
function* tokensOf(sql: string): Generator<string> {
  for (let at = 0; at < sql.length; ) {
    if (sql.startsWith('/*', at)) {
      at = endOfComment(sql, at);
      yield ' ';
      continue;
    }
    COMMENT.lastIndex = at;
    if (COMMENT.test(sql)) {
      at = COMMENT.lastIndex;
      continue;
    }
    TOKEN.lastIndex = at;
    const [token = ''] = TOKEN.exec(sql) ?? [];
    at = TOKEN.lastIndex;
    yield token;
  }
}

/** They nest. */
function endOfComment(sql: string, from: number): number {
  COMMENT_MARK.lastIndex = from;
  for (let depth = 0, mark = COMMENT_MARK.exec(sql); mark !== null; mark = COMMENT_MARK.exec(sql)) {
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return COMMENT_MARK.lastIndex;
  }
  return sql.length;
}
