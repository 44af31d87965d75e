/** The changes made to triggers: to the bodies of functions and to the conditions under which they run. */
import type { Change } from './mutant.ts';

/** What stands for what; the first whose pattern fits a place is taken, and each replacement is one change. */
const REPLACED: readonly (readonly [pattern: RegExp, kind: string, after: (text: string) => string[]])[] = [
  [/ IS NOT NULL/g, 'null', () => [' IS NULL']],
  [/ IS NULL/g, 'null', () => [' IS NOT NULL']],
  [/(?<=\w |\) )(<>|<=|>=|<|>)(?= )/g, 'comparison', (text) => COMPARISONS[text] ?? []],
  [/(?<![:<>]) = (?=['\w(])/g, 'comparison', () => [' <> ']],
  [/\bAND\b/g, 'and/or', () => ['OR']],
  [/\bOR\b(?! UPDATE| REPLACE)/g, 'and/or', () => ['AND']],
  [/\bNOT (?=EXISTS|\w+ THEN)/g, 'negation', () => ['']],
  [/\b(?:EXISTS|coalesce|greatest|max|lower)\b/g, 'call', (text) => CALLS[text] ?? []],
  [/\bRETURN NULL\b/g, 'return', () => ['RETURN NEW']],
  [/\bRETURN NEW\b/g, 'return', () => ['RETURN NULL']],
  [/\b(?:false|true)\b/g, 'constant', (text) => [text === 'true' ? 'false' : 'true']],
];
const COMPARISONS: Record<string, string[]> = {
  '<>': ['='],
  '<': ['<=', '>'],
  '<=': ['<', '>'],
  '>': ['>=', '<'],
  '>=': ['>', '<'],
};
const CALLS: Record<string, string[]> = {
  EXISTS: ['NOT EXISTS'],
  greatest: ['least'],
  max: ['min'],
  lower: [''],
};
/** What an UPDATE assigns. */
const SET = /\bSET [\s\S]*?(?= WHERE|\n\s+WHERE)/g;
/** Assignments, and statements without a result. */
const STATEMENTS = /^[ \t]*(?:[\w.]+ := [^;]*|PERFORM [^;]*|RAISE [^;]*|UPDATE [^;]*|LOCK [^;]*);/gm;
/** One condition of several: `AND …` or `OR …` to the end of its line. */
const CLAUSES = /\b(?:AND|OR) (?!REPLACE|UPDATE)[^\n;]*?(?=\)?(?:;|\n| AND | OR | THEN|\)\n| RETURNING))/g;

/**
 * @param isCurrent whether what is defined under this name (`function keep_newest`, `trigger keep_newest on users`)
 *   is not defined anew by a later migration
 */
export function changesOfSql(source: string, isCurrent: (name: string) => boolean): Change[] {
  const changes: Change[] = [];
  const regions = [...functions(source), ...triggers(source)].filter(({ name }) => isCurrent(name));
  for (const { start, end, trigger } of regions) {
    const text = withoutComments(source.slice(start, end));
    const add = (at: number, length: number, kind: string, after: string): void => {
      changes.push({ start: start + at, end: start + at + length, kind, after });
    };
    if (trigger) add(0, end - start, 'trigger removed', '');
    const assigned = [...text.matchAll(SET)].map(({ index, 0: all }) => [index, index + all.length] as const);
    for (const [pattern, kind, after] of REPLACED) {
      for (const match of text.matchAll(pattern)) {
        if (assigned.some(([from, to]) => match.index >= from && match.index < to)) continue;
        // What an AFTER trigger returns does not matter.
        if (kind === 'return' && !/RETURN NEW/.test(text)) continue;
        for (const other of after(match[0])) add(match.index, match[0].length, kind, other);
      }
    }
    for (const { 0: clause, index } of text.matchAll(CLAUSES)) {
      if (balanced(clause)) add(index, clause.length, 'clause dropped', '');
    }
    // NULL is what plpgsql has for doing nothing.
    for (const { 0: all, index } of text.matchAll(STATEMENTS))
      add(index, all.length, 'statement removed', 'NULL;');
  }
  return changes;
}

/** Names of all that a migration defines, to find out what is current. */
export function namesIn(source: string): string[] {
  return [...functions(source), ...triggers(source)].map(({ name }) => name);
}

function functions(source: string) {
  const found = source.matchAll(/CREATE (?:OR REPLACE )?FUNCTION identity\.(\w+)\([^$]*\$\$([\s\S]*?)\$\$;/g);
  return [...found].map((match) => {
    const end = match.index + match[0].length - '$$;'.length;
    return { name: `function ${match[1]}`, start: end - (match[2]?.length ?? 0), end, trigger: false };
  });
}

function triggers(source: string) {
  return [...source.matchAll(/CREATE TRIGGER (\w+) [\s\S]*? ON (\S+)[\s\S]*?;/g)].map((match) => ({
    name: `trigger ${match[1]} on ${match[2]}`,
    start: match.index,
    end: match.index + match[0].length,
    trigger: true,
  }));
}

const withoutComments = (sql: string): string =>
  sql.replace(/--.*/g, (comment) => ' '.repeat(comment.length));

function balanced(text: string): boolean {
  return text.split('(').length === text.split(')').length;
}
