/** Reads a Kriti template. */
import { KritiError, type Node, type Operator, type Span } from './tree.ts';

/** From loosest to tightest. */
const LEVELS: readonly (readonly Operator[])[] = [
  ['??'],
  ['||'],
  ['&&'],
  ['in', '==', '!=', '<=', '>=', '<', '>'],
];
const DEEPEST = 200;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/** @throws {KritiError} */
export function parseKriti(text: string): Node {
  const reader = createReader(text);
  const node = parseExpression(reader, 0);
  reader.skipSpace();
  if (!reader.atEnd()) throw reader.unexpected();
  return node;
}

function createReader(text: string) {
  let position = 0;
  const skipSpace = () => {
    const space = /\s*/y;
    space.lastIndex = position;
    position += space.exec(text)?.[0].length ?? 0;
  };
  const at = (index: number) => {
    const lines = text.slice(0, index).split('\n');
    return { line: lines.length - 1, column: (lines.at(-1) ?? '').length + 1 };
  };
  const spanFrom = (start: number, end = position): Span => {
    const [from, to] = [at(start), at(end)];
    return { start_line: from.line, start_column: from.column, end_line: to.line, end_column: to.column };
  };
  const unexpected = () => {
    skipSpace();
    const token = /[\w$]+|.?/sy;
    token.lastIndex = position;
    const found = token.exec(text)?.[0] ?? '';
    if (found === '')
      return new KritiError('Parse Error', 'Unexpected end of the template.', spanFrom(position));
    // Hasura's reader reports an error after it has read the token: the position is behind it.
    const behind = at(position + found.length);
    return new KritiError('Parse Error', `Unexpected token '${found}'.`, {
      start_line: behind.line,
      start_column: behind.column,
      end_line: behind.line,
      end_column: behind.column + found.length,
    });
  };
  return {
    skipSpace,
    unexpected,
    spanFrom,
    position: () => position,
    atEnd: () => position >= text.length,
    looksAt: (token: string) => text.startsWith(token, position),
    /** Without leaving out space first. */
    take(length: number): string {
      const taken = text.slice(position, position + length);
      position += length;
      return taken;
    },
    /** The token if it is next, space left out. */
    accept(token: string): boolean {
      skipSpace();
      if (!text.startsWith(token, position)) return false;
      // A word does not end in the middle of another.
      if (/^\w+$/.test(token) && /\w/.test(text[position + token.length] ?? '')) return false;
      position += token.length;
      return true;
    },
    expect(token: string): void {
      if (!this.accept(token)) throw unexpected();
    },
    match(pattern: RegExp): string | undefined {
      const sticky = new RegExp(pattern.source, 'y');
      sticky.lastIndex = position;
      const found = sticky.exec(text)?.[0];
      if (found !== undefined) position += found.length;
      return found;
    },
  };
}
type Reader = ReturnType<typeof createReader>;

function parseValue(reader: Reader, depth: number): Node {
  if (depth > DEEPEST) throw new KritiError('Parse Error', 'the template is nested too deeply');
  if (reader.accept('{{')) return parseBraces(reader, depth + 1);
  if (reader.accept('{')) return parseObject(reader, depth + 1);
  if (reader.accept('[')) return { kind: 'array', items: parseList(reader, ']', depth + 1) };
  if (reader.looksAt('"')) return parseText(reader, depth + 1);
  return parseScalar(reader);
}

function parseScalar(reader: Reader): Node {
  if (reader.accept('null')) return { kind: 'literal', value: null };
  if (reader.accept('true')) return { kind: 'literal', value: true };
  if (reader.accept('false')) return { kind: 'literal', value: false };
  const number = reader.match(/-?\d+(\.\d+)?([eE][+-]?\d+)?/);
  if (number !== undefined) return { kind: 'literal', value: Number(number) };
  throw reader.unexpected();
}

function parseList(reader: Reader, end: string, depth: number): Node[] {
  const items: Node[] = [];
  if (reader.accept(end)) return items;
  do items.push(parseExpression(reader, depth));
  while (reader.accept(','));
  reader.expect(end);
  return items;
}

function parseObject(reader: Reader, depth: number): Node {
  const fields: [string, Node][] = [];
  if (reader.accept('}')) return { kind: 'object', fields };
  do {
    reader.skipSpace();
    const key = parseText(reader, depth);
    if (key.kind !== 'literal') throw reader.unexpected();
    reader.expect(':');
    fields.push([String(key.value), parseExpression(reader, depth)]);
  } while (reader.accept(','));
  reader.expect('}');
  return { kind: 'object', fields };
}

/** A string in double quotes, which may hold `{{ … }}`. */
function parseText(reader: Reader, depth: number): Node {
  reader.expect('"');
  const parts: Node[] = [];
  let text = '';
  const flush = () => {
    if (text !== '') parts.push({ kind: 'literal', value: text });
    text = '';
  };
  while (!reader.looksAt('"')) {
    if (reader.atEnd()) throw reader.unexpected();
    if (reader.looksAt('{{')) {
      reader.take(2);
      flush();
      parts.push(parseBraces(reader, depth + 1));
    } else text += reader.looksAt('\\') ? parseEscape(reader) : reader.take(1);
  }
  reader.take(1);
  if (parts.length === 0) return { kind: 'literal', value: text };
  flush();
  return { kind: 'text', parts };
}

function parseEscape(reader: Reader): string {
  const unicode = reader.match(/\\u[0-9a-fA-F]{4}/);
  if (unicode !== undefined) return String.fromCharCode(Number.parseInt(unicode.slice(2), 16));
  reader.take(1);
  const letter = reader.take(1);
  return ESCAPES[letter] ?? letter;
}

/** What follows `{{`, its `}}` included. */
function parseBraces(reader: Reader, depth: number): Node {
  if (reader.accept('if')) return parseIf(reader, depth);
  if (reader.accept('range')) return parseRange(reader, depth);
  const node = parseExpression(reader, depth);
  reader.expect('}}');
  return node;
}

function parseIf(reader: Reader, depth: number): Node {
  const condition = parseExpression(reader, depth);
  reader.expect('}}');
  const then = parseValue(reader, depth + 1);
  reader.expect('{{');
  if (reader.accept('elif')) return { kind: 'if', condition, then, otherwise: parseIf(reader, depth + 1) };
  reader.expect('else');
  reader.expect('}}');
  const otherwise = parseValue(reader, depth + 1);
  parseEnd(reader);
  return { kind: 'if', condition, then, otherwise };
}

function parseEnd(reader: Reader): void {
  reader.expect('{{');
  reader.expect('end');
  reader.expect('}}');
}

function parseRange(reader: Reader, depth: number): Node {
  const index = parseName(reader);
  reader.expect(',');
  const item = parseName(reader);
  reader.expect(':=');
  const over = parseExpression(reader, depth);
  reader.expect('}}');
  const body = parseValue(reader, depth + 1);
  parseEnd(reader);
  return { kind: 'range', index: index === '_' ? undefined : index, item, over, body };
}

function parseName(reader: Reader): string {
  reader.skipSpace();
  const name = reader.match(/[$A-Za-z_][\w$-]*/);
  if (name === undefined) throw reader.unexpected();
  return name;
}

function parseExpression(reader: Reader, depth: number, level = 0): Node {
  const operators = LEVELS[level];
  if (operators === undefined) return parsePrimary(reader, depth);
  let left = parseExpression(reader, depth, level + 1);
  for (;;) {
    const operator = operators.find((candidate) => reader.accept(candidate));
    if (operator === undefined) return left;
    left = { kind: 'operator', operator, left, right: parseExpression(reader, depth, level + 1) };
  }
}

function parsePrimary(reader: Reader, depth: number): Node {
  if (depth > DEEPEST) throw new KritiError('Parse Error', 'the template is nested too deeply');
  reader.skipSpace();
  const start = reader.position();
  if (reader.accept('(')) {
    const inner = parseExpression(reader, depth + 1);
    reader.expect(')');
    return parsePath(reader, inner, start, depth);
  }
  const single = reader.match(/'[^']*'/);
  if (single !== undefined) return { kind: 'literal', value: single.slice(1, -1) };
  const word = reader.match(/(?!(?:null|true|false)\b)[$A-Za-z_][\w$-]*/);
  if (word === undefined) return parseValue(reader, depth + 1);
  if (!reader.looksAt('(')) {
    return parsePath(reader, { kind: 'variable', name: word, span: reader.spanFrom(start) }, start, depth);
  }
  reader.take(1);
  reader.skipSpace();
  const argumentStart = reader.position();
  const argument = parseExpression(reader, depth + 1);
  const argumentSpan = reader.spanFrom(argumentStart);
  reader.expect(')');
  const call: Node = { kind: 'call', name: word, argument, argumentSpan, span: reader.spanFrom(start) };
  return parsePath(reader, call, start, depth);
}

function parsePath(reader: Reader, first: Node, start: number, depth: number): Node {
  let node = first;
  for (;;) {
    const optional = !reader.looksAt('??') && (reader.looksAt('?.') || reader.looksAt('?['));
    if (optional) reader.take(1);
    if (reader.looksAt('[')) {
      reader.take(1);
      const key = parseExpression(reader, depth + 1);
      reader.expect(']');
      node = { kind: 'member', of: node, key, optional, span: reader.spanFrom(start) };
    } else if (reader.looksAt('.')) {
      reader.take(1);
      const key: Node = { kind: 'literal', value: parseName(reader) };
      node = { kind: 'member', of: node, key, optional, span: reader.spanFrom(start) };
    } else return node;
  }
}
